"""Whether installed files are still those that their packages brought (PEP 376: RECORD)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution
from pathlib import Path


def altered(packages: Iterable[Distribution]) -> Iterator[str]:
    """Files that are gone, or have another hash than their package says."""
    for package in packages:
        for file in package.files or ():
            if file.hash is None or file.suffix == ".pyc":
                continue
            place = Path(str(package.locate_file(file)))
            if not place.is_file():
                yield f"{package.name}: {file} is gone"
            elif _digest(place, file.hash.mode) != file.hash.value:
                yield f"{package.name}: {file} was changed"


def _digest(place: Path, algorithm: str) -> str:
    with place.open("rb") as content:
        digest = hashlib.file_digest(content, algorithm).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
