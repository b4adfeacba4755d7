"""A server starts once for all its users and ends with the last of them."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, text

from atom_backend.errors import ConfigurationError, DatabaseUnavailable
from atom_backend.relational.embedded import client_binary, start_embedded
from atom_backend.relational.embedded.launch import KEPT_ENVIRONMENT
from tests.integration.embedded.observing import (
    Spawn,
    first_line,
    is_down,
    postmaster_pid,
    query,
    until,
)

FORKING_USER = """
import os, sys, time
from pathlib import Path
from atom_backend.relational.embedded import start_embedded
server = start_embedded(Path(sys.argv[1]))
child = os.fork()
if child:
    server.close()
    print(child, flush=True)
time.sleep(600)
"""
USER_WITH_A_PROGRAM = """
import subprocess, sys, time
from pathlib import Path
from atom_backend.relational.embedded import start_embedded
server = start_embedded(Path(sys.argv[1]))
print(subprocess.Popen(["sleep", "600"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid,
      flush=True)
time.sleep(600)
"""


def test_the_first_start_makes_a_cluster_that_knows_unicode_whatever_the_environment(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    junk = ("PGHOST", "PGPORT", "PGDATA", "PGUSER", "PGDATABASE", "LANG", "LC_ALL", "LC_CTYPE")
    for name in junk:
        monkeypatch.setenv(name, "1" if name == "PGPORT" else "xx_YY.nowhere")
    server = start_embedded(parent / "below" / "db")
    engine = create_engine(server.url())
    with engine.begin() as connection:
        for extension in ("vector", "pg_trgm", "unaccent", "btree_gin"):
            connection.execute(text(f"create extension {extension}"))
        assert connection.scalar(text("select similarity('ÄÖÜ', 'äöü')")) == 1
        assert connection.scalar(text("show server_encoding")) == "UTF8"
        assert connection.scalar(text("show timezone")) == "UTC"
        for promise in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert connection.scalar(text(f"show {promise}")) == "on"
        assert connection.scalar(text("show listen_addresses")) == ""
    engine.dispose()
    server.close()


def test_the_servers_environment_holds_none_of_our_secrets(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATOM_OAUTH_ENCRYPTION_KEY", "a secret")
    server = start_embedded(data_folder)
    environment = Path(f"/proc/{postmaster_pid(data_folder)}/environ").read_text()
    names = {entry.partition("=")[0] for entry in environment.split("\0") if entry}
    # PostgreSQL adds its own.
    assert {name for name in names if not name.startswith(("PG", "LC_"))} <= set(KEPT_ENVIRONMENT)
    server.close()


def test_a_second_start_joins_and_a_start_after_the_end_finds_the_rows(data_folder: Path) -> None:
    first = start_embedded(data_folder)
    second = start_embedded(data_folder)
    assert first.url() == second.url()
    first.close()
    first.close()
    assert query(second, "select word from kept") == "first"
    second.close()
    until(lambda: not second.alive())
    third = start_embedded(data_folder)
    assert query(third, "select word from kept") == "first"
    third.close()


def test_a_start_while_the_last_server_is_stopping_waits_and_gets_a_living_one(
    data_folder: Path,
) -> None:
    for _ in range(5):
        server = start_embedded(data_folder)
        assert query(server, "select word from kept") == "first"
        server.close()


def test_processes_that_race_for_a_new_folder_get_one_server(
    parent: Path, spawn_user: Spawn
) -> None:
    users = [spawn_user(parent / "db") for _ in range(4)]
    urls = {first_line(user) for user in users}
    assert len(urls) == 1
    assert urls.pop().startswith("postgresql+psycopg2://postgres@/postgres?host=/")
    server = start_embedded(parent / "db")
    assert query(server, "select 1") == 1
    server.close()


def test_a_killed_user_counts_as_gone(data_folder: Path, spawn_user: Spawn) -> None:
    users = [spawn_user(data_folder) for _ in range(2)]
    for user in users:
        assert first_line(user).startswith("postgresql")
    users[0].kill()
    users[0].wait()
    server = start_embedded(data_folder)
    server.close()
    assert query(server, "select word from kept") == "first"
    users[1].kill()
    until(lambda: is_down(data_folder))


def test_a_forked_child_keeps_the_server_when_its_parent_lets_go(
    data_folder: Path, spawn_user: Spawn
) -> None:
    user = spawn_user(data_folder, FORKING_USER)
    child = int(first_line(user))
    user.kill()
    user.wait()
    server = start_embedded(data_folder)
    server.close()
    assert query(server, "select word from kept") == "first"
    os.kill(child, signal.SIGKILL)
    until(lambda: is_down(data_folder))


def test_a_program_that_a_user_started_does_not_keep_the_server(
    data_folder: Path, spawn_user: Spawn
) -> None:
    user = spawn_user(data_folder, USER_WITH_A_PROGRAM)
    program = int(first_line(user))
    user.kill()
    until(lambda: is_down(data_folder))
    os.kill(program, signal.SIGKILL)


def test_data_of_another_major_version_is_refused_with_advice(data_folder: Path) -> None:
    (data_folder / "cluster" / "PG_VERSION").write_text("14\n")
    with pytest.raises(ConfigurationError, match=r"made by PostgreSQL 14.*version 18.*pg_dumpall"):
        start_embedded(data_folder)


def test_a_server_that_cannot_start_says_why(data_folder: Path) -> None:
    with (data_folder / "cluster" / "postgresql.conf").open("a") as conf:
        conf.write("shared_buffers = plenty\n")
    with pytest.raises(DatabaseUnavailable, match="shared_buffers"):
        start_embedded(data_folder)


def test_a_server_that_takes_too_long_is_given_up_and_stopped(parent: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="not ready in time"):
        start_embedded(parent / "db", start_timeout=0.05)
    until(lambda: is_down(parent / "db"))


def test_missing_binaries_are_a_configuration_error(parent: Path) -> None:
    with pytest.raises(ConfigurationError, match="initdb"):
        start_embedded(parent / "db", binaries=parent)
    with pytest.raises(ConfigurationError, match="no_such_program"):
        client_binary("no_such_program")


def test_failed_statements_leave_no_personal_words_in_the_log(data_folder: Path) -> None:
    server = start_embedded(data_folder)
    query(server, "alter table kept add unique (word)")
    with pytest.raises(psycopg2.Error):
        query(server, "insert into kept values ('first'), ('sesame')")
    until(lambda: "duplicate key" in _logged(data_folder))
    logged = _logged(data_folder)
    assert "sesame" not in logged
    assert "(first)" not in logged
    server.close()


def _logged(data_folder: Path) -> str:
    return "".join(log.read_text() for log in (data_folder / "log").iterdir())
