"""LanceDB: the only package that imports lancedb or pyarrow.

LanceDB's native half reads its environment once. Left alone it writes a line for every slow
request, and a scan of a large table reads up to 2 GiB ahead of whoever looks at the rows (measured:
1 GiB of memory for 600,000 chunks, half of it with this bound, in the same time). Invariant: both
are set before any module of this package imports it.
"""

from __future__ import annotations

import os

os.environ.setdefault("LANCEDB_LOG", "error")
os.environ.setdefault("LANCE_DEFAULT_IO_BUFFER_SIZE", str(128 << 20))
