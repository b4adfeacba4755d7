"""Reads the header fields of a mail: text, addresses, dates and names of files.

Invariant: what is given is one line without control characters; whatever could not be read is
noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email import utils
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final

from atom_backend.domain.limits import NAME_CHARS
from atom_backend.domain.messaging.mail import Doubt
from atom_backend.domain.messaging.messages import ADDRESS_CHARS, Address
from atom_backend.extraction.mails.charsets import decode, is_utf8
from atom_backend.extraction.mails.mime import Part, is_cut
from atom_backend.extraction.mails.notes import Notes

MAX_TEXT_CHARS: Final = 16_384
"""Of a field whose encoded words are decoded."""
MAX_FIELDS: Final = 100
"""Of one name; RFC 5322, section 3.6 allows one of most."""
_MAX_DATE_CHARS = 200
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
"""RFC 5322, section 3.3 begins with 1900; later than this is no clock's mistake any more."""

# RFC 2047, section 2; but real ones are longer than 75 characters and hold spaces. Words that
# stand side by side are one run, because a character may be split between them.
_WORD = r"=\?[^?\s]{1,64}\?[bBqQ]\?[ -~]{0,1000}?\?="
_WORDS = re.compile(rf"{_WORD}(?:\s{{0,80}}{_WORD})*")
# Nothing, the null path, or a group without members such as "undisclosed-recipients:;".
_NOBODY = re.compile(r"\s*(?:<\s*>|[^:<>@]*:\s*;?)?\s*")
# RFC 5322, section 3.4.1, or what mail is delivered to in spite of it.
_ADDRESS = re.compile(
    r"""(?:"[^"]{0,64}"|[^\s<>",;:()@]{1,256})@(?:\[[^\]\s]{0,255}\]|[^\s<>",;:()@\[\]]{1,255})"""
)
# Newer versions of Python drop all addresses of a field where one is odd, unless told not to.
_LENIENT: Final = {"strict": False} if hasattr(utils, "supports_strict_parsing") else {}
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def text(part: Part, name: str, notes: Notes) -> str:
    """The first field of that name, decoded; "" where there is none."""
    return next(texts(part, name, notes), "")


def texts(part: Part, name: str, notes: Notes) -> Iterator[str]:
    for value in _raw(part, name, notes):
        if len(value) > MAX_TEXT_CHARS:
            notes.add(Doubt.HEADER_CUT, name, f"longer than {MAX_TEXT_CHARS} characters")
        yield _line(_words_decoded(_unescaped(value[:MAX_TEXT_CHARS], name, notes), name, notes))


def addresses(part: Part, name: str, notes: Notes) -> list[Address]:
    """The addresses of all fields of that name; an empty group (RFC 5322, section 3.4) has none."""
    found: list[Address] = []
    for value in _raw(part, name, notes):
        # Encoded words are decoded after the commas are found: they may hold more of them.
        plain = _CONTROLS.sub(" ", _unescaped(value, name, notes))
        pairs = _address_pairs(plain)
        if pairs is None:
            notes.add(Doubt.ADDRESS_UNREADABLE, name, "not a list of addresses")
            pairs = [(plain[:MAX_TEXT_CHARS], "")]
        found.extend(_address(*pair, name, notes) for pair in pairs)
    return [one for one in found if one.name or one.address]


def date(part: Part, notes: Notes) -> datetime | None:
    """The time of the Date field with its offset, or None where it has none that can be read."""
    value = next(_raw(part, "date", notes), None)
    if value is None:
        notes.add(Doubt.DATE_MISSING, "date", "there is no Date field")
        return None
    plain = _line(_unescaped(value[:_MAX_DATE_CHARS], "date", notes))
    try:
        when = utils.parsedate_to_datetime(plain)
        if not _FIRST_YEAR <= when.year <= _LAST_YEAR:
            raise ValueError(when.year)
    except (ValueError, IndexError, TypeError, OverflowError):
        notes.add(Doubt.DATE_UNREADABLE, "date", "not a date of RFC 5322")
        return None
    if when.tzinfo is not None:
        return when
    if "-0000" not in plain:  # which says UTC, and nothing of where it was written (section 3.3)
        notes.add(Doubt.DATE_ZONE_UNKNOWN, "date", "taken for UTC")
    return when.replace(tzinfo=UTC)


def parameter(part: Part, name: str, field: str, notes: Notes) -> str | None:
    """A parameter of Content-Type or Content-Disposition (RFC 2231), decoded."""
    next(_raw(part, field, notes), None)  # for its notes
    value = part.get_param(name, header=field)
    if value is None:
        return None
    if isinstance(value, tuple):
        charset, _, escaped = value
        decoded = decode(escaped.encode("latin-1", "surrogateescape"), charset or None)
        notes.extend(field, decoded)
        return _line(decoded.text)
    # Many senders put encoded words here, which RFC 2047 forbids.
    return _line(_words_decoded(_unescaped(str(value), field, notes), field, notes))


def raw(part: Part, name: str, notes: Notes) -> str:
    """The first field of that name with its line breaks, for ids and keywords; or ""."""
    return _unescaped(next(_raw(part, name, notes), ""), name, notes)


def _raw(part: Part, name: str, notes: Notes) -> Iterator[str]:
    values = part.get_all(name, [])
    if len(values) > MAX_FIELDS:
        notes.add(Doubt.HEADER_CUT, name, f"more than {MAX_FIELDS} of these fields")
    for value in values[:MAX_FIELDS]:
        if is_cut(name, value):
            notes.add(Doubt.HEADER_CUT, name, "longer than is read")
        yield value


def _unescaped(value: str, name: str, notes: Notes) -> str:
    """Bytes beyond ASCII as text; UTF-8 among them is as it should be (RFC 6532)."""
    content = value.encode("ascii", "surrogateescape")
    decoded = decode(content, "utf-8" if is_utf8(content) else None)
    notes.extend(name, decoded)
    return decoded.text


def _words_decoded(value: str, name: str, notes: Notes) -> str:
    def run(found: re.Match[str]) -> str:
        try:
            chunks = decode_header(found[0])
        except HeaderParseError:
            notes.add(Doubt.HEADER_DAMAGED, name, "an encoded word is broken")
            return found[0]
        return "".join(_chunk(chunk, label, name, notes) for chunk, label in chunks)

    return _WORDS.sub(run, value)


def _chunk(chunk: bytes | str, label: str | None, name: str, notes: Notes) -> str:
    if isinstance(chunk, str):
        return chunk
    decoded = decode(chunk, label)
    notes.extend(name, decoded)
    return decoded.text


def _address_pairs(value: str) -> list[tuple[str, str]] | None:
    """Names with their addresses, or None where these cannot be told."""
    try:
        pairs = [pair for pair in utils.getaddresses([value], **_LENIENT) if any(pair)]
    except (IndexError, RecursionError):  # it recurses into comments and groups
        return None
    return pairs if pairs or _NOBODY.fullmatch(value) else None


def _address(name: str, address: str, field: str, notes: Notes) -> Address:
    name = _line(_words_decoded(name[:MAX_TEXT_CHARS], field, notes))
    address = _line(address)
    sound = not address or (len(address) <= ADDRESS_CHARS and _ADDRESS.fullmatch(address))
    if not sound:
        name, address = f"{name} {address}".strip(), ""
    if not sound or len(name) > NAME_CHARS:
        notes.add(Doubt.ADDRESS_UNREADABLE, field, "not an address, or too long a name")
    return Address(name[:NAME_CHARS], address)


def _line(value: str) -> str:
    return " ".join(_CONTROLS.sub(" ", value).split())
