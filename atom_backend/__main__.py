"""``python -m atom_backend COMMAND``."""

from __future__ import annotations

from atom_backend.cli import main

if __name__ == "__main__":
    main()
