"""LanceDB: the only package that imports lancedb or pyarrow.

LanceDB's native half reads its log level once, when it is imported; left alone it writes a line
for every slow request. Invariant: the level is set before any module of this package imports it.
"""

from __future__ import annotations

import os

os.environ.setdefault("LANCEDB_LOG", "error")
