"""PostgreSQL: the only package that imports sqlalchemy or psycopg2, with the embedded server."""
