"""One module a resource: its routes, and beside it the shapes of its bodies and answers."""
