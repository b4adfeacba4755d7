"""Child processes that live and die with their supervisor.

Invariant: a child that ends is started again, after a pause that grows while it keeps ending,
unless a setting is wrong; no child outlives the supervisor, even one that is killed (the kernel
tells the children).
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from atom_backend.errors import ConfigurationError

CONFIGURATION_EXIT = 78
"""EX_CONFIG of sysexits.h: starting again would not help."""

logger = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1
_STEADY_SECONDS = 10.0
_LONGEST_PAUSE = 30.0


@dataclass
class Child:
    """One supervised process."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    _process: subprocess.Popen[bytes] | None = None
    _started_at: float = field(default=0.0)
    _start_again_at: float = field(default=0.0)
    _pause: float = field(default=0.5)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def keep_running(self) -> None:
        """Start it, or start it again once its pause is over."""
        if self.running:
            return
        if self._process is not None:
            self._note_end(self._process.returncode)
        if time.monotonic() >= self._start_again_at:
            self._start()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Whether it ended in time."""
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _start(self) -> None:
        parent = os.getpid()
        self._process = subprocess.Popen(
            self.arguments,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            # Ctrl-C reaches the terminal's whole process group; only the supervisor shall hear it.
            start_new_session=True,
            # Safe: the supervisor has one thread.
            preexec_fn=lambda: _die_with(parent),  # noqa: PLW1509
        )
        self._started_at = time.monotonic()

    def _note_end(self, code: int) -> None:
        if code == CONFIGURATION_EXIT:
            raise ConfigurationError(f"The {self.name} cannot start; what it said above says why.")
        lived = time.monotonic() - self._started_at
        self._pause = 0.5 if lived > _STEADY_SECONDS else min(self._pause * 2, _LONGEST_PAUSE)
        self._start_again_at = time.monotonic() + self._pause
        self._process = None
        logger.warning(
            "%s ended with status %s; starting it again in %.1f s", self.name, code, self._pause
        )


def stop_all(children: Sequence[Child], seconds: float) -> None:
    """Ask all to stop at once, and kill those that do not within ``seconds``."""
    deadline = time.monotonic() + seconds
    for child in children:
        child.stop()
    for child in children:
        if not child.wait(max(0.1, deadline - time.monotonic())):
            logger.warning("%s did not stop in time and is killed", child.name)
            child.stop(signal.SIGKILL)
            child.wait(5.0)


def _die_with(parent: int) -> None:
    """Ask the kernel for SIGTERM when the supervisor dies (prctl(2)); Linux only."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        # It died between the fork and the call above, which therefore came too late.
        os.kill(os.getpid(), signal.SIGTERM)
