"""What can happen to the folder that LanceDB lies in, while the service runs.

Each is a context: the fault holds inside and is gone afterwards. They work for every account:
where a fault can be had only as root, or only as somebody else, there is another way to it.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from tests.faults.environment.site import Site

_SMALLEST_WRITE = 100


@contextmanager
def moved_away(site: Site) -> Iterator[None]:
    """Somebody has renamed it."""
    aside = site.lance.rename(site.lance.with_name("aside"))
    try:
        yield
    finally:
        aside.rename(site.lance)


@contextmanager
def unmounted(site: Site) -> Iterator[None]:
    """The mount point is there, and empty; it must stay so."""
    with moved_away(site):
        site.lance.mkdir()
        try:
            yield
        finally:
            site.lance.rmdir()


@contextmanager
def read_only(site: Site) -> Iterator[None]:
    """Nothing in it can be written any more."""
    if os.geteuid():
        with _permissions_withdrawn(site.lance):
            yield
    else:
        with _mounted_read_only(site.lance):
            yield


@contextmanager
def full(site: Site) -> Iterator[None]:
    """No process of the service can write more than a few bytes into any file."""
    with ExitStack() as stack:
        for program in (site.deployment.web, site.deployment.worker):
            process = psutil.Process(program.pid)
            for one in (process, *process.children(recursive=True)):
                stack.enter_context(_limited(one.pid))
        yield


@contextmanager
def hanging(site: Site) -> Iterator[None]:
    """Whoever reads a chunk waits: the files are pipes that nobody writes to."""
    files = list((site.lance / "document_chunks.lance" / "data").iterdir())
    aside = {file: file.rename(site.lance / f"{file.name}.aside") for file in files}
    for file in files:
        os.mkfifo(file)
    try:
        yield
    finally:
        for file, sound in aside.items():
            # Readers that wait are let go by a writer; those to come find the file again.
            pipe = os.open(file, os.O_RDWR | os.O_NONBLOCK)
            sound.replace(file)
            os.close(pipe)


@contextmanager
def _permissions_withdrawn(folder: Path) -> Iterator[None]:
    every = [folder, *folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in every}
    for path in every:
        path.chmod(modes[path] & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@contextmanager
def _mounted_read_only(folder: Path) -> Iterator[None]:
    """Root writes whatever the permissions say."""
    if shutil.which("mount") is None or not _done("mount", "--bind", str(folder), str(folder)):
        pytest.skip("this root may not mount, and permissions do not bind it")
    try:
        assert _done("mount", "-o", "remount,bind,ro", str(folder))
        yield
    finally:
        assert _done("umount", "--lazy", str(folder))


@contextmanager
def _limited(process: int) -> Iterator[None]:
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (_SMALLEST_WRITE, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)


def _done(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
