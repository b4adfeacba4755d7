"""The resources that an owner keeps, each one a declaration."""
