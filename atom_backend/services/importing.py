"""Importing a folder, a JSONL file or a mail file: what there is, and storing one thing of it.

Invariant: every candidate has a name that is the same at the next run, and becomes the external
identifier, as a mail's own id does; so an import can be interrupted and repeated at will.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.resources.rules import Values
from atom_backend.errors import InvalidInput
from atom_backend.services.mail_files import SUFFIXES, MailCandidate, mails_of
from atom_backend.services.mailing import Mailing, MailOptions
from atom_backend.services.records import RecordService
from atom_backend.services.uploads import Uploads

_TITLE_CHARS = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document to import; ``read`` makes its values when its turn comes."""

    name: str
    read: Callable[[Uploads], Values]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a candidate: ``new``, ``replaced`` or ``unchanged``, and whether its reading
    left doubts."""

    outcome: str
    doubtful: bool = False


class Importing:
    """Finds candidates and stores them, one transaction each."""

    def __init__(self, records: RecordService, uploads: Uploads, mailing: Mailing) -> None:
        self._records = records
        self._uploads = uploads
        self._mailing = mailing

    def candidates(self, path: Path, source: str) -> list[Candidate | MailCandidate]:
        """Everything in a folder (dot files left out), in a JSONL file, or one single file."""
        if path.is_dir():
            files = sorted(one for one in path.rglob("*") if one.is_file())
            named = ((file, file.relative_to(path)) for file in files)
            return [
                candidate
                for file, name in named
                if not any(part.startswith(".") for part in name.parts)
                for candidate in self._in_file(file, str(name), source)
            ]
        if path.suffix.lower() in {".jsonl", ".ndjson"}:
            return list(_lines(path, source))
        return list(self._in_file(path, path.name, source))

    def addressed(self, principal: Principal, options: MailOptions) -> MailOptions:
        """What is to hold for all mails, with the address of the account among the owner's."""
        return self._mailing.addressed(principal, options)

    def store(
        self, principal: Principal, candidate: Candidate | MailCandidate, options: MailOptions
    ) -> Stored:
        """``options`` as ``addressed`` gave them. Raises RequestError."""
        if isinstance(candidate, MailCandidate):
            mail = candidate.read(self._mailing)
            imported = self._mailing.store(principal, mail, options)
            return Stored(imported.outcome, bool(imported.notes))
        given = {"external_id": candidate.name, **candidate.read(self._uploads)}
        return Stored(self._records.put(principal, DOCUMENTS, given).outcome)

    def _in_file(self, file: Path, name: str, source: str) -> Iterable[Candidate | MailCandidate]:
        if file.suffix.lower() in SUFFIXES:
            return mails_of(file, name, self._mailing)
        return [_file(file, name, source)]


def _file(file: Path, name: str, source: str) -> Candidate:
    def read(uploads: Uploads) -> Values:
        return uploads.read(_content(file), file.name, {"source": source})

    return Candidate(name, read)


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", code="unreadable_file") from None


def _lines(path: Path, source: str) -> Iterator[Candidate]:
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            yield _line(line, f"{path.name}:{number}", source)


def _line(line: bytes, name: str, source: str) -> Candidate:
    return Candidate(name, lambda _: _values(_parsed(line), name, source, len(line)))


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"not JSON: {error}", code="malformed_line") from None
    if not isinstance(value, dict):
        raise InvalidInput("not a JSON object", code="malformed_line")
    return value


def _values(value: dict[str, Any], name: str, source: str, size: int) -> Values:
    text = _string(value, "text")
    if text is None:
        raise InvalidInput('"text" is missing', code="malformed_line")
    tags, metadata = value.get("tags", []), value.get("metadata", {})
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise InvalidInput('"tags" must be a list of strings', code="malformed_line")
    if not isinstance(metadata, dict):
        raise InvalidInput('"metadata" must be an object', code="malformed_line")
    return {
        "title": _string(value, "title") or _first_line(text),
        "text": text,
        "content_type": _string(value, "content_type") or "text/plain",
        "byte_size": size,
        "source": _string(value, "source") or source,
        "external_id": _string(value, "external_id") or _string(value, "_id") or name,
        "tags": tuple(tags),
        "metadata": metadata,
    }


def _string(value: dict[str, Any], key: str) -> str | None:
    found = value.get(key)
    if found is not None and not isinstance(found, str):
        raise InvalidInput(f'"{key}" must be a string', code="malformed_line")
    return found


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")[:_TITLE_CHARS]
