"""How a cluster is made and with which settings its server runs.

Two sets: what the service's promises rest on goes on the command line, where neither a file nor
ALTER SYSTEM overrides it; what an operator may tune is written once into ``postgresql.conf``.
Invariant: nothing depends on the locales or the environment variables of this machine.
"""

from __future__ import annotations

from pathlib import Path

from atom_backend.errors import ConfigurationError

PORT = 5432
BUILTIN_LOCALE_SINCE = 17

TUNABLE = """
# Written once, when this cluster was made; edit freely.
max_connections = 100
shared_buffers = 128MB
# Containers give 64 MB of /dev/shm, too little for parallel queries.
dynamic_shared_memory_type = mmap
timezone = UTC
log_timezone = UTC
log_min_messages = warning
# A file a day, each overwritten after a week.
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_rotation_size = 0
log_truncate_on_rotation = on
"""

FORCED = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "logging_collector": "on",
    "log_destination": "stderr",
    "log_directory": "../log",
    # A failed statement, and the detail of its error, quote people's own data.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


def initdb_command(binaries: Path, folder: Path, major: int) -> list[str]:
    """Make a cluster in ``folder``, which must not exist."""
    return [
        str(binaries / "initdb"),
        f"--pgdata={folder}",
        "--username=postgres",
        "--auth-local=trust",
        "--auth-host=reject",
        "--encoding=UTF8",
        "--locale=C",
        # LC_CTYPE=C would blind pg_trgm to everything outside ASCII.
        "--lc-ctype=C.UTF-8",
        *_locale_provider(major),
        "--data-checksums",
    ]


def _locale_provider(major: int) -> list[str]:
    if major < BUILTIN_LOCALE_SINCE:
        return []
    return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def server_command(binaries: Path, cluster: Path, sockets: Path) -> list[str]:
    """Run the server of ``cluster`` on a socket in ``sockets`` and nowhere else."""
    settings = {**FORCED, "unix_socket_directories": f'"{sockets}"'}
    pairs = [f"{name}={value}" for name, value in settings.items()]
    command = [str(binaries / "postgres"), "-D", str(cluster)]
    return command + [word for pair in pairs for word in ("-c", pair)]


def refuse_other_major(cluster: Path, major: int) -> None:
    """Raise ``ConfigurationError`` when another major version of PostgreSQL made ``cluster``."""
    made_by = (cluster / "PG_VERSION").read_text(encoding="ascii").strip()
    if made_by != str(major):
        raise ConfigurationError(
            f"The data in {cluster} was made by PostgreSQL {made_by}, and the installed programs "
            f"are version {major}, which cannot read it. Either install version {made_by} again, "
            f"or dump the data with it (pg_dumpall), move {cluster} away, start, and restore."
        )
