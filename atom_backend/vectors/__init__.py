"""LanceDB: the only package that imports lancedb or pyarrow."""
