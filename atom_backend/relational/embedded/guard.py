"""The guard: a small process that makes the cluster, runs the server, and stops it in the end.

It is run as a script by its path, with the standard library alone, so that it starts in
milliseconds and needs no module that its account cannot read. It reads one JSON ``Plan`` from
standard input, gives up root's rights, leaves its starter, and from then on:

- while the server runs, it tries now and then to take ``users.lock`` for itself; it succeeds when
  the last user is gone, and then it stops the server;
- if it dies, the kernel signals its child: the server stops cleanly, an initdb is killed.

Invariant: the descriptors of ``guard.lock`` (never passed on) and ``cluster.lock`` (inherited by
every child) stay open as long as the processes that they speak for.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict

PR_SET_PDEATHSIG = 1  # linux/prctl.h
PAUSE = 0.1
# What stops a server, and how many seconds each is given: fast, immediate, by the kernel.
STOP_SERVER = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
STOP_INITDB = ((signal.SIGKILL, 10.0),)
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Plan(TypedDict):
    """What the starter has decided; paths are absolute."""

    lend_to: tuple[int, int] | None
    home: str
    users_lock: str
    cluster_descriptor: int
    startup_log: str
    initdb: list[str]
    unfinished_cluster: str
    cluster: str
    settings: str
    server: list[str]


class Unused(Exception):
    """The last user is gone."""


def main() -> None:
    plan: Plan = json.load(sys.stdin)
    if plan["lend_to"] is not None:
        drop_rights(*plan["lend_to"])
    os.umask(0o077)
    users = os.open(plan["users_lock"], os.O_RDWR | os.O_NOFOLLOW)
    speak_into(plan["startup_log"])
    if os.fork():
        # The starter waits for this process only, so that it is left with no child.
        os._exit(0)
    os.setsid()
    # users.lock, once taken, is freed by exit only: who waits for it finds the server ended.
    with contextlib.suppress(Unused):
        if not Path(plan["cluster"]).exists():
            make_cluster(plan, users)
        run(plan, plan["server"], users, STOP_SERVER)


def drop_rights(uid: int, gid: int) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def speak_into(log: str) -> None:
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    for stream in (1, 2):
        os.dup2(written, stream)


def make_cluster(plan: Plan, users: int) -> None:
    """Make it aside and rename it, so that ``cluster`` exists only when it is complete."""
    unfinished = Path(plan["unfinished_cluster"])
    if unfinished.exists():
        shutil.rmtree(unfinished)
    status = run(plan, plan["initdb"], users, STOP_INITDB)
    if status != 0:
        sys.exit(f"initdb ended with status {status}")
    with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write(plan["settings"])
        conf.flush()
        os.fsync(conf.fileno())
    unfinished.rename(plan["cluster"])
    folder = os.open(plan["home"], os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def run(
    plan: Plan, command: list[str], users: int, stop: Sequence[tuple[signal.Signals, float]]
) -> int:
    """The exit status of ``command``; raises ``Unused`` after stopping it for want of users."""
    child = subprocess.Popen(
        command,
        cwd=plan["home"],
        stdin=subprocess.DEVNULL,
        pass_fds=(plan["cluster_descriptor"],),
        # Safe: this process has one thread.
        preexec_fn=die_with(os.getpid(), stop[0][0]),  # noqa: PLW1509
    )
    while (status := child.poll()) is None:
        if is_alone(users):
            end(child, stop)
            raise Unused
        time.sleep(PAUSE)
    return status


def die_with(guard: int, number: signal.Signals) -> Callable[[], None]:
    """Have the kernel send ``number`` to the new child when this process dies."""

    def ask_kernel() -> None:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, number)
            # Too late if the guard died between fork and prctl.
            if os.getppid() != guard:
                os._exit(1)

    return ask_kernel


def is_alone(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def end(child: subprocess.Popen[bytes], stop: Sequence[tuple[signal.Signals, float]]) -> None:
    for number, patience in stop:
        child.send_signal(number)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return


if __name__ == "__main__":
    main()
