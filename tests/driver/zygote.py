"""A process that has imported the whole service and forks it: a killed process is soon replaced.

It reads one JSON command a line, ``{"arguments": [...], "log": path}``, and answers with the pid.
What runs in the fork is the command line itself (``worker``, ``gunicorn``); only the imports are
already done. Invariants: nothing is opened before the fork; nothing outlives the zygote, which
ends when its standard input does.
"""

from __future__ import annotations

import ctypes
import json
import os
import runpy
import signal
import sys
import traceback
import warnings
from pathlib import Path

# Imported for its sake alone: what the forks need, before they need it.
import gunicorn.app.wsgiapp
import gunicorn.workers.gthread
import lancedb
import onnxruntime
import tokenizers

import atom_backend.app
import atom_backend.bootstrap
import atom_backend.cli.worker
import atom_backend.http.application

PRELOADED = (
    gunicorn.app.wsgiapp,
    gunicorn.workers.gthread,
    lancedb,
    onnxruntime,
    tokenizers,
    atom_backend.app,
    atom_backend.bootstrap,
    atom_backend.cli.worker,
    atom_backend.http.application,
)

_PR_SET_PDEATHSIG = 1


def main() -> None:
    # The kernel reaps the forks; nobody asks how they ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # LanceDB warns of what it may have been doing while forked: it is imported, and nothing more.
    warnings.filterwarnings("ignore", "lancedb fork support", RuntimeWarning)
    for line in sys.stdin:
        command = json.loads(line)
        zygote = os.getpid()
        pid = os.fork()
        if pid == 0:
            _become(command["arguments"], Path(command["log"]), zygote)
        print(pid, flush=True)


def _become(arguments: list[str], log: Path, zygote: int) -> None:
    """Run ``python -m`` with these arguments, and end."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != zygote:
        os._exit(1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    _redirect(log)
    status = 1
    try:
        sys.argv = list(arguments)
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _redirect(log: Path) -> None:
    silence = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(silence, 0)
    os.dup2(written, 1)
    os.dup2(written, 2)


if __name__ == "__main__":
    main()
