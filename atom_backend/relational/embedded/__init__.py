"""A real PostgreSQL that starts from an installed wheel, for machines where nobody runs one.

How it holds together, all of it kept by kernel locks, so that no kill leaves anything behind:

- every process that uses the server holds ``users.lock`` shared;
- one guard process holds ``guard.lock``, is the parent of the server, and stops it as soon as it
  can take ``users.lock`` for itself, that is, when the last user is gone, closed or killed;
- every process of the server inherits ``cluster.lock``: while it is held, something may still
  write to the cluster, and nothing new is started over it.

A guard that dies takes the server along (parent-death signal); the next call starts both again.
Invariant: ``start_embedded`` is the only door, and calling it again is always safe.
"""

from __future__ import annotations

from atom_backend.relational.embedded.binaries import client_binary
from atom_backend.relational.embedded.server import EmbeddedServer, start_embedded

__all__ = ["EmbeddedServer", "client_binary", "start_embedded"]
