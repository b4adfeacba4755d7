"""Turns the bytes of a mail into text, whatever charset they claim to be in.

A mail cannot be sent again with a better charset, so it is never refused: it is read as well as
can be, and every doubt is said.
Invariant: the text can be stored (no NUL, no surrogate); it is without a doubt only where the
declared charset fits the bytes.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from atom_backend.domain.messaging.mail import Doubt
from atom_backend.errors import InvalidInput, UnsupportedMedia
from atom_backend.extraction import decoding

REPLACEMENT = "\ufffd"

# Charsets that senders mix up with their supersets, as browsers read them (WHATWG Encoding,
# section 4.2).
_SUPERSETS = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254"}
_SUPERSETS |= {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-11": "cp874", "tis-620": "cp874"}
_SUPERSETS |= {"shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs"}
# Python knows codecs that are no charsets (punycode, unicode_escape): only these are believed.
_CHARSETS = re.compile(
    r"ascii|utf-(7|8|8-sig|16|16-[bl]e|32|32-[bl]e)|iso8859-\d{1,2}|tis-620|cp\d{3,4}|koi8-[rtu]"
    r"|kz1048|mac-\w{3,9}|hp-roman8|big5(hkscs)?|gb2312|gbk|gb18030|hz|euc_\w{2,9}"
    r"|shift_jis\w{0,5}|johab|iso2022_\w{2,9}"
)
# Text in UTF-8 makes sense in these too, but nobody writes "Ã©".
_WESTERN = {"ascii", "iso8859-1", "iso8859-15", "cp1252"}
_C1 = re.compile(rb"[\x80-\x9f]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LABEL_CHARS = 40
_MAX_DAMAGE = 0.1
"""Of the characters beyond ASCII, how many may be unreadable before another charset is tried."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """``doubts`` pairs each doubt with its detail."""

    text: str
    doubts: tuple[tuple[Doubt, str], ...] = ()


def decode(content: bytes, label: str | None) -> Decoded:
    """``label`` is the declared charset, or None; a byte order mark is dropped. Never raises."""
    if not label and content.isascii():
        return _stored(content.decode("ascii"))
    codec = _codec(label) if label else "ascii"
    if codec is None:
        return _another(content, Doubt.CHARSET_UNKNOWN, f"no such charset: {_shown(label)}")
    if codec in _WESTERN and not content.isascii():
        return _western(content, codec, label)
    return _declared(content, codec, label)


def storable(text: str) -> str:
    """``text`` with U+FFFD for what PostgreSQL cannot keep."""
    return _UNSTORABLE.sub(REPLACEMENT, text)


def _codec(label: str | None) -> str | None:
    # An encoded word may end its charset with a language: "utf-8*en" (RFC 2231, section 5).
    plain = (label or "").partition("*")[0].strip(" \t\"'").lower()
    try:
        name = codecs.lookup(plain[:_LABEL_CHARS]).name
    except (LookupError, UnicodeError, ValueError):
        return None
    return name if _CHARSETS.fullmatch(name) else None


def _western(content: bytes, codec: str, label: str | None) -> Decoded:
    """Bytes beyond ASCII where a western charset is declared, or none."""
    doubt, detail = Doubt.CHARSET_WRONG, f"declared as {_shown(label)}"
    if not label:
        doubt, detail = Doubt.CHARSET_UNDECLARED, "no charset is declared"
    if codec == "ascii" or is_utf8(content):
        return _another(content, doubt, detail)
    if codec != "cp1252" and _C1.search(content):
        return _read(content, "cp1252", (doubt, f"{detail}, read as windows-1252"))
    return _read(content, _SUPERSETS.get(codec, codec))


def _declared(content: bytes, codec: str, label: str | None) -> Decoded:
    codec = _SUPERSETS.get(codec, codec)
    try:
        return _stored(content.decode(codec))
    except UnicodeDecodeError:
        text = content.decode(codec, "replace")
    beyond = sum(not character.isascii() for character in text)
    if text.count(REPLACEMENT) > _MAX_DAMAGE * beyond:
        found = _guessed(content)
        if found is not None:
            detail = f"declared as {_shown(label)}, told by its text"
            return _stored(found, (Doubt.CHARSET_WRONG, detail))
    return _read(content, codec)


def _another(content: bytes, doubt: Doubt, detail: str) -> Decoded:
    """The text in a charset that was not declared."""
    if is_utf8(content):
        return _stored(content.decode("utf-8"), (doubt, f"{detail}, read as UTF-8"))
    found = _guessed(content)
    if found is not None:
        return _stored(found, (doubt, f"{detail}, told by its text"))
    return _read(content, "cp1252", (doubt, f"{detail}, taken for windows-1252"))


def _guessed(content: bytes) -> str | None:
    """The text where only one charset makes sense of it."""
    try:
        return decoding.decode(content)
    except (InvalidInput, UnsupportedMedia):
        return None


def _read(content: bytes, codec: str, *doubts: tuple[Doubt, str]) -> Decoded:
    try:
        return _stored(content.decode(codec), *doubts)
    except UnicodeDecodeError:
        lost = (Doubt.CHARACTERS_LOST, f"some bytes mean nothing in {codec}")
        return _stored(content.decode(codec, "replace"), *doubts, lost)


def _stored(text: str, *doubts: tuple[Doubt, str]) -> Decoded:
    text = text.removeprefix("\ufeff")
    kept = storable(text)
    if kept != text:
        doubts = (*doubts, (Doubt.CHARACTERS_LOST, "it holds NUL or halves of surrogate pairs"))
    return Decoded(kept, doubts)


def is_utf8(content: bytes) -> bool:
    """Whether the bytes make sense in UTF-8, as those of hardly any other charset do."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _shown(label: str | None) -> str:
    """A declared charset as it may stand in a note."""
    return re.sub(r"[^\w.:+-]", "?", (label or "")[:_LABEL_CHARS], flags=re.ASCII)
