"""What the reading child takes from itself before it reads anything.

Limits keep a hostile file from starving the machine; they are no wall against code that a parser
was tricked into running.
Invariant: no limit of the surrounding system is ever raised.
"""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import sys
from pathlib import Path

_MAX_OPEN_FILES = 64
_PR_SET_PDEATHSIG = 1  # prctl(2)


def confine(memory_bytes: int) -> None:
    """At most so much address space, few open files, nothing written to any file, no core dump."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
    if sys.platform == "linux":  # elsewhere this limit cannot be set, or means something else
        _lower(resource.RLIMIT_AS, memory_bytes)


def die_with(parent_pid: int) -> None:
    """Be killed when the parent's thread that started this process ends (Linux, prctl(2)).

    Elsewhere the end of standard input has to do. A parent that was gone before the call is
    noticed by the process that stands in its place.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(0)


def allow_cpu(seconds: int) -> None:
    """Be ended by SIGXCPU after so much more processor time from now on."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = math.ceil(usage.ru_utime + usage.ru_stime)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = spent + seconds
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def peak_memory_bytes() -> int:
    """The most physical memory that this process has held.

    Linux hands ``ru_maxrss`` down from the parent, which may be large; ``VmHWM`` begins anew.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _lower(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(which, (value, value))
