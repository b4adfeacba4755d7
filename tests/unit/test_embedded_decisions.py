"""What the embedded server decides without starting anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from atom_backend.relational.embedded import EmbeddedServer
from atom_backend.relational.embedded.cluster import initdb_command, server_command
from atom_backend.relational.embedded.folder import ServerFolder
from atom_backend.relational.embedded.locks import FileLock
from atom_backend.relational.embedded.privileges import Account
from atom_backend.relational.embedded.sockets import is_usable

IMPORT_ELSEWHERE = """
import sys, psutil, subprocess, tempfile
sys.platform = "win32"
for name in ("fcntl", "pwd"):
    sys.modules[name] = None
import atom_backend.relational.embedded
"""


@pytest.fixture
def server(tmp_path: Path) -> EmbeddedServer:
    account = Account(1000, 1000)
    folder = ServerFolder(tmp_path, account)
    return EmbeddedServer(folder, Path("/tmp/a b&c"), FileLock(tmp_path / "users.lock", account))


def test_a_url_survives_sqlalchemys_parsing(server: EmbeddedServer) -> None:
    url = make_url(server.url("r@le", "da/ta?base"))
    assert (url.drivername, url.username, url.database) == (
        "postgresql+psycopg2",
        "r@le",
        "da/ta?base",
    )
    assert url.host is None
    assert url.query == {"host": "/tmp/a b&c", "port": "5432"}
    server.close()


def test_a_server_without_a_pid_file_is_not_alive(server: EmbeddedServer) -> None:
    assert not server.alive()
    server.close()


@pytest.mark.parametrize("written", ["", "\n", "nonsense\n", "-1\n", "0\n\n\n\n\n\n\nready\n"])
def test_a_half_written_pid_file_is_not_alive(server: EmbeddedServer, written: str) -> None:
    server.folder.cluster.mkdir()
    (server.folder.cluster / "postmaster.pid").write_text(written)
    assert not server.alive()
    server.close()


def test_locks_share_exclude_and_end_with_their_description(tmp_path: Path) -> None:
    account = Account(1000, 1000)
    with FileLock(tmp_path / "lock", account) as one, FileLock(tmp_path / "lock", account) as two:
        assert one.try_shared()
        assert two.try_shared()
        assert not one.try_exclusive()
        two.close()
        assert one.try_exclusive()


def test_a_lock_file_is_never_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "somebody's file").touch()
    (tmp_path / "lock").symlink_to(tmp_path / "somebody's file")
    with pytest.raises(OSError, match="symbolic link"):
        FileLock(tmp_path / "lock", Account(1000, 1000))


@pytest.mark.parametrize(
    ("path", "usable"),
    [
        ("/srv/app/.atom/postgresql/socket", True),
        ("/srv/with blank/socket", True),
        ("/" + "x" * 84, True),
        ("/" + "x" * 85, False),
        ("/" + "ä" * 42 + "x", False),
        ("/srv/a,b", False),
        ('/srv/a"b', False),
        ("/srv/a\nb", False),
    ],
)
def test_a_socket_path_must_fit_and_need_no_quoting(path: str, usable: bool) -> None:
    assert is_usable(Path(path)) is usable


@pytest.mark.parametrize(
    ("mode", "account", "may_pass"),
    [
        (0o700, Account(uid=7, gid=9), True),
        (0o070, Account(uid=7, gid=9), False),
        (0o070, Account(uid=8, gid=9), True),
        (0o701, Account(uid=8, gid=9), False),
        (0o701, Account(uid=8, gid=8), True),
        (0o710, Account(uid=8, gid=8), False),
    ],
)
def test_mode_bits_are_read_as_the_kernel_reads_them(
    mode: int, account: Account, may_pass: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Found:
        st_uid, st_gid, st_mode = 7, 9, mode

    monkeypatch.setattr(Path, "stat", lambda _: Found)
    assert account.may(1, Path("/anything")) is may_pass


def test_versions_before_17_are_not_asked_for_the_builtin_locale() -> None:
    assert "--builtin-locale=C.UTF-8" in initdb_command(Path("/bin"), Path("/x"), 17)
    assert not any("builtin" in word for word in initdb_command(Path("/bin"), Path("/x"), 16))


def test_nothing_can_turn_the_promised_durability_off() -> None:
    command = server_command(Path("/bin"), Path("/cluster"), Path("/socket"))
    for promise in ("fsync=on", "full_page_writes=on", "listen_addresses="):
        assert command[command.index(promise) - 1] == "-c"


def test_the_package_can_be_imported_on_other_systems() -> None:
    subprocess.run([sys.executable, "-c", IMPORT_ELSEWHERE], check=True)
