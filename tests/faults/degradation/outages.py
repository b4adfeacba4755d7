"""Taking a store away, and giving it back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.environment.site import Site


@contextmanager
def without_postgresql(site: Site, effect: str = "refuse") -> Iterator[None]:
    """``effect`` is the name of what the proxies do: ``refuse``, ``stall`` or ``deafen``."""
    for network in site.networks:
        getattr(network, effect)()
    try:
        yield
    finally:
        for network in site.networks:
            network.heal()


@contextmanager
def without_lancedb(site: Site) -> Iterator[None]:
    hidden = site.lance.rename(site.lance.with_name("hidden"))
    try:
        yield
    finally:
        # A write that was under way when the folder went made it anew, and was refused after that.
        shutil.rmtree(site.lance, ignore_errors=True)
        hidden.rename(site.lance)


@contextmanager
def hanging_lancedb(site: Site) -> Iterator[None]:
    """The chunks' data files are pipes that nobody writes to: who opens one waits for ever."""
    files = list(site.lance.glob("document_chunks*.lance/data/*"))
    aside = {file: file.rename(site.lance.parent / file.name) for file in files}
    for file in files:
        os.mkfifo(file)
    try:
        yield
    finally:
        for file, kept in aside.items():
            writer = os.open(file, os.O_RDWR | os.O_NONBLOCK)
            kept.rename(file)
            os.close(writer)  # whoever waits for the pipe gets an end of file
