"""Brings LanceDB into step with PostgreSQL, checks that it is and repairs it; its only writer."""
