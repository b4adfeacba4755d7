"""Whatever is killed, at whatever moment, the next start works and committed rows are there."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import psycopg2
import pytest

from atom_backend.relational.embedded import client_binary, start_embedded
from atom_backend.relational.embedded.postmaster import live_postmaster
from tests.integration.embedded.observing import (
    Spawn,
    guard_pid,
    is_down,
    is_gone,
    postmaster_pid,
    query,
    until,
)

ENDLESS = "do $$ begin loop end loop; end $$"


def test_a_killed_postmaster_is_seen_and_the_next_start_recovers(data_folder: Path) -> None:
    server = start_embedded(data_folder)
    query(server, "insert into kept values ('second')")
    os.kill(postmaster_pid(data_folder), signal.SIGKILL)
    until(lambda: not server.alive())
    again = start_embedded(data_folder)
    assert again.url() == server.url()
    assert query(again, "select count(*) from kept") == 2
    server.close()
    assert again.alive()
    again.close()


def test_a_backend_that_outlives_its_postmaster_does_not_block_the_next_start(
    data_folder: Path,
) -> None:
    server = start_embedded(data_folder)
    psql = [str(client_binary("psql")), "-h", str(server.sockets), "-U", "postgres"]
    with subprocess.Popen([*psql, "-c", ENDLESS], stderr=subprocess.DEVNULL) as busy:
        backend = until(
            lambda: query(server, "select pid from pg_stat_activity where query like 'do $$%'")
        )
        os.kill(postmaster_pid(data_folder), signal.SIGKILL)
        until(lambda: not server.alive())
        assert psutil.pid_exists(backend)
        again = start_embedded(data_folder)
        busy.wait()
    assert query(again, "select word from kept") == "first"
    server.close()
    again.close()


def test_a_killed_guard_takes_the_server_along_and_the_next_start_works(data_folder: Path) -> None:
    server = start_embedded(data_folder)
    query(server, "insert into kept values ('second')")
    os.kill(guard_pid(data_folder), signal.SIGKILL)
    until(lambda: is_down(data_folder))
    assert not server.alive()
    again = start_embedded(data_folder)
    assert query(again, "select count(*) from kept") == 2
    server.close()
    again.close()


def test_a_start_right_after_the_guard_was_killed_gets_a_guarded_server(data_folder: Path) -> None:
    server = start_embedded(data_folder)
    first_guard = guard_pid(data_folder)
    os.kill(first_guard, signal.SIGKILL)
    until(lambda: is_gone(first_guard))
    again = start_embedded(data_folder)
    assert guard_pid(data_folder) != first_guard
    assert query(again, "select word from kept") == "first"
    server.close()
    again.close()


@pytest.mark.parametrize("victim", ["initdb", "guard", "user"])
def test_a_kill_during_initdb_leaves_nothing_that_blocks_the_next_start(
    parent: Path, spawn_user: Spawn, victim: str
) -> None:
    folder = parent / "db"
    user = spawn_user(folder)
    until((folder / "cluster.new" / "global").exists)
    initdb = _initdb_of(folder)
    pid = {"initdb": initdb.pid, "guard": initdb.ppid(), "user": user.pid}[victim]
    os.kill(pid, signal.SIGKILL)
    _, said = user.communicate(timeout=30)
    if victim != "user":
        assert "DatabaseUnavailable" in said
    until(lambda: is_down(folder))
    assert is_gone(initdb.pid)
    assert not (folder / "cluster").exists()
    server = start_embedded(folder)
    assert query(server, "select 1") == 1
    assert not (folder / "cluster.new").exists()
    server.close()


def test_a_stale_pid_that_now_belongs_to_somebody_else_is_not_believed(data_folder: Path) -> None:
    # The same account as the server's: PostgreSQL itself would take this process for a server.
    account = data_folder.stat().st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "600"], user=account) as stranger:
        stale = (
            f"{stranger.pid}\n{data_folder}/cluster\n1\n5432\n{data_folder}/socket\n\n1 2\nready\n"
        )
        (data_folder / "cluster" / "postmaster.pid").write_text(stale)
        (data_folder / "socket" / ".s.PGSQL.5432.lock").write_text(stale)
        server = start_embedded(data_folder)
        assert postmaster_pid(data_folder) != stranger.pid
        assert query(server, "select word from kept") == "first"
        assert stranger.poll() is None
        stranger.kill()
    server.close()


def test_a_pid_file_that_names_a_foreign_process_does_not_look_alive(
    data_folder: Path, parent: Path
) -> None:
    server = start_embedded(data_folder)
    copy = parent / "copied while it ran"
    subprocess.run(["cp", "-a", str(data_folder), str(copy)], check=True)
    assert str(postmaster_pid(data_folder)) in (copy / "cluster" / "postmaster.pid").read_text()
    assert live_postmaster(copy / "cluster") is None
    server.close()
    until(lambda: is_down(data_folder))
    with subprocess.Popen(["sleep", "600"], cwd=copy / "cluster") as stranger:
        (copy / "cluster" / "postmaster.pid").write_text(
            f"{stranger.pid}\n\n1\n5432\n\n\n\nready\n"
        )
        assert live_postmaster(copy / "cluster") is None
        stranger.kill()


def test_a_connection_that_idles_does_not_keep_the_server_from_stopping(data_folder: Path) -> None:
    server = start_embedded(data_folder)
    idle = psycopg2.connect(host=str(server.sockets), port=5432, user="postgres", dbname="postgres")
    server.close()
    until(lambda: is_down(data_folder))
    idle.close()


def _initdb_of(folder: Path) -> psutil.Process:
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == "initdb" and f"--pgdata={folder}/cluster.new" in (
            process.info["cmdline"] or ()
        ):
            return process
    raise AssertionError("no initdb works on this folder")
