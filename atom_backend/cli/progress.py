"""A progress bar on standard error, shown only where that is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

from atom_backend.domain.drift import Progress


@contextmanager
def progress_bar(what: str, unit: str) -> Iterator[Progress]:
    """To be told how many units are done, and of how many; both may grow."""
    with tqdm(desc=what, unit=unit, unit_scale=True, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
