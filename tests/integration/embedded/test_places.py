"""Folders and accounts: long paths, closed homes, root and ordinary users."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from atom_backend.errors import ConfigurationError
from atom_backend.relational.embedded import client_binary, folder, start_embedded
from atom_backend.relational.embedded.binaries import find_binaries
from atom_backend.relational.embedded.folder import NOTE, open_folder
from atom_backend.relational.embedded.sockets import socket_folder
from tests.integration.embedded.observing import (
    Spawn,
    first_line,
    is_down,
    postmaster_pid,
    query,
    until,
)

LEFT_OUT = shutil.ignore_patterns("include")


@pytest.mark.parametrize("name", ["x" * 120, "a, comma", "a 'quote'"])
def test_a_path_that_no_socket_can_have_gets_a_short_private_one_that_stays(
    parent: Path, data_folder: Path, name: str
) -> None:
    awkward = data_folder.rename(parent / name)
    server = start_embedded(awkward)
    assert query(server, "select word from kept") == "first"
    assert len(os.fsencode(server.sockets)) < 80
    assert server.sockets.stat().st_mode & 0o077 == 0
    server.close()
    until(lambda: is_down(awkward))
    again = start_embedded(awkward)
    assert again.url() == server.url()
    again.close()


def test_a_socket_folder_that_others_can_enter_is_not_used_again(parent: Path) -> None:
    deep = open_folder(parent / ("x" * 120))
    first = socket_folder(deep)
    assert socket_folder(deep) == first
    first.chmod(0o755)
    second = socket_folder(deep)
    assert second != first
    shutil.rmtree(second)
    second.symlink_to(first)
    third = socket_folder(deep)
    assert third not in (first, second)
    second.unlink()
    first.rmdir()


def test_a_copied_folder_does_not_share_its_originals_socket(parent: Path) -> None:
    original = open_folder(parent / ("x" * 120))
    sockets = socket_folder(original)
    subprocess.run(["cp", "-a", str(original.path), str(parent / ("y" * 120))], check=True)
    assert socket_folder(open_folder(parent / ("y" * 120))) != sockets


def test_a_folder_with_other_files_is_refused_and_left_alone(parent: Path) -> None:
    (parent / "letters").mkdir(mode=0o755)
    (parent / "letters" / "love.txt").touch()
    before = (parent / "letters").stat()
    with pytest.raises(ConfigurationError, match=r"love\.txt"):
        start_embedded(parent / "letters")
    after = (parent / "letters").stat()
    assert (after.st_uid, after.st_mode) == (before.st_uid, before.st_mode)


def test_roots_server_runs_without_any_right_of_root(
    data_folder: Path, root_only: None, spawn_user: Spawn
) -> None:
    before = data_folder.parent.stat()
    user = spawn_user(data_folder, extra_groups=[0, 4])
    assert first_line(user).startswith("postgresql")
    running = psutil.Process(postmaster_pid(data_folder))
    for process in (running, running.parent()):
        assert process is not None
        assert 0 not in (*process.uids(), *process.gids())
        assert not _status(process.pid, "Groups").split()
    assert (data_folder.stat().st_uid, data_folder.stat().st_mode & 0o777) == (65534, 0o700)
    after = data_folder.parent.stat()
    assert (after.st_uid, after.st_mode) == (before.st_uid, before.st_mode)


def test_root_keeps_the_owner_of_an_existing_folder(parent: Path, root_only: None) -> None:
    (parent / "db").mkdir()
    os.chown(parent / "db", 1, 1)
    server = start_embedded(parent / "db")
    assert psutil.Process(postmaster_pid(parent / "db")).uids().real == 1
    assert (parent / "db" / "guard.lock").stat().st_uid == 1
    server.close()


def test_roots_data_below_a_closed_home_moves_and_leaves_a_note(
    tmp_path: Path, parent: Path, root_only: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "STATE_ROOT", parent / "state")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    server = start_embedded(home / "app" / "db")
    noted = Path((home / "app" / "db" / NOTE).read_text().splitlines()[0])
    assert noted.parent == parent / "state"
    assert (noted / "cluster" / "PG_VERSION").exists()
    assert home.stat().st_mode & 0o777 == 0o700
    again = start_embedded(home / "app" / "db")
    assert query(again, "select 1") == 1
    server.close()
    again.close()


def test_programs_below_a_closed_home_are_copied_to_where_the_account_can_run_them(
    tmp_path: Path,
    parent_for_programs: Path,
    parent: Path,
    root_only: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(folder, "STATE_ROOT", parent_for_programs / "state")
    package = find_binaries().parents[1]
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(package / "pginstall", closed / package.name / "pginstall", ignore=LEFT_OUT)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    binaries = closed / package.name / "pginstall" / "bin"
    (binaries / "postgres").chmod(0o700)
    server = start_embedded(parent / "db", binaries=binaries)
    running = psutil.Process(postmaster_pid(parent / "db"))
    assert (parent_for_programs / "state") in Path(running.exe()).parents
    assert query(server, "select 1") == 1
    assert client_binary("psql", binaries).parent == binaries
    server.close()


def test_an_ordinary_user_runs_it_and_root_can_join(
    parent: Path,
    spawn_user: Spawn,
    ordinary_python: Callable[..., dict[str, Any]],
) -> None:
    (parent / "home").mkdir(mode=0o700)
    os.chown(parent / "home", 65534, 65534)
    data_folder = parent / "home" / "db"
    user = spawn_user(data_folder, **ordinary_python(data_folder))
    assert first_line(user).startswith("postgresql+psycopg2://")
    server = start_embedded(data_folder)
    assert query(server, "select 1") == 1
    user.kill()
    user.wait()
    assert query(server, "select 1") == 1
    server.close()
    until(lambda: is_down(data_folder))


def test_an_ordinary_user_is_told_about_a_folder_that_it_cannot_write(
    parent: Path,
    spawn_user: Spawn,
    ordinary_python: Callable[..., dict[str, Any]],
) -> None:
    (parent / "roots").mkdir(mode=0o755)
    for data_folder in (parent / "roots", parent / "roots" / "db"):
        user = spawn_user(data_folder, **ordinary_python(data_folder))
        _, said = user.communicate(timeout=30)
        assert "ConfigurationError" in said
        assert str(parent / "roots") in said


def _status(pid: int, name: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.partition(":")[2] for line in lines if line.startswith(f"{name}:"))
