"""``python -m atom_backend COMMAND``."""

from atom_backend.cli import main

if __name__ == "__main__":
    main()
