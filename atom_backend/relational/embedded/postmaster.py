"""Telling whether the server of one cluster lives, and ending what is left of a dead one.

``postmaster.pid`` survives a kill, and its number may by now belong to anybody.
Invariant: a pid is believed, and a signal sent, only if that process is a live ``postgres`` whose
working directory is this very cluster (the server and all its children change into it).
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

PIDFILE = "postmaster.pid"
# Seconds until the next, rougher way of stopping: clean, without a checkpoint, by the kernel.
FAST_UNTIL = 20.0
IMMEDIATE_UNTIL = 25.0


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The live first process of a server; ``ready`` when it says that it takes connections."""

    pid: int
    ready: bool


def live_postmaster(cluster: Path) -> Postmaster | None:
    """The server of ``cluster``, None if there is none."""
    try:
        # pid, data directory, start time, port, socket folder, address, shared memory, state
        lines = (cluster / PIDFILE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    first = lines[0].strip() if lines else ""
    if not first.isdecimal() or not _serves(int(first), cluster):
        return None
    return Postmaster(int(first), ready=lines[-1].strip() == "ready")


def urge_to_end(cluster: Path, waited: float) -> None:
    """Signal what is left of a server whose guard is gone, the rougher the longer we ``waited``.

    Backends that outlive their postmaster (one that computes does not notice) are told to quit at
    once: their work is lost anyway.
    """
    postmaster = live_postmaster(cluster)
    if postmaster is not None and waited < IMMEDIATE_UNTIL:
        _send(postmaster.pid, signal.SIGINT if waited < FAST_UNTIL else signal.SIGQUIT)
        return
    rough = signal.SIGQUIT if postmaster is None and waited < FAST_UNTIL else signal.SIGKILL
    for pid in _processes_of(cluster):
        _send(pid, rough)


def clear_pidfile(cluster: Path) -> None:
    """Forget a dead server; only while the cluster's lock proves that none is alive.

    Left there, a pid that the same account uses again would make the server refuse to start.
    """
    (cluster / PIDFILE).unlink(missing_ok=True)


def _processes_of(cluster: Path) -> Iterator[int]:
    for process in psutil.process_iter():
        if _serves(process.pid, cluster):
            yield process.pid


def _serves(pid: int, cluster: Path) -> bool:
    try:
        process = psutil.Process(pid)
        if not process.name().startswith("postgres"):
            return False
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).samefile(cluster)
    except (psutil.Error, OSError):
        # Gone, a zombie without a folder, or of another account: not ours in any case.
        return False


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
