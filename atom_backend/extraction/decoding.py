"""Turns the bytes of a text file into text, or refuses.

A wrong guess would be stored and never noticed, a refusal can be mended by saving as UTF-8:
bytes that are not UTF-8 are read only where no other reading of them is as good.
Invariant: the text holds no control characters but those of ordinary text files (BEL to CR, ESC).
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import CharsetMatch, from_bytes

from atom_backend.extraction import refusals

# UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY_BYTE = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_BINARY_CHAR = re.compile("[\x00-\x06\x0e-\x1a\x1c-\x1f]")

_DECLARED = re.compile(
    rb"<(?:meta|\?xml)\b[^>]{0,200}?\b(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)", re.I
)
_DECLARABLE = re.compile(
    r"windows-(125\d|874)|iso-8859-\d{1,2}|us-ascii|koi8-[ru]|macintosh"
    r"|shift_jis|euc-(jp|kr)|gb2312|gbk|gb18030|big5"
)

_GUESSABLE = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
]
_SAMPLE_BYTES = 32_768
_MAX_MESS = 0.1
_MIN_LEAD = 0.1
_SURE = 0.7
_ENOUGH_BYTES = 16
_WESTERN = {"French", "German", "Spanish", "English", "Italian", "Portuguese", "Swedish"}


def decode(content: bytes) -> str:
    """The text of ``content`` without its byte order mark; line ends are left as they are.

    Raises UnsupportedMedia for binary content, InvalidInput ``undecodable_text`` otherwise.
    """
    for mark, codec in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _without_binary(_strict(content[len(mark) :], codec))
    if _BINARY_BYTE.search(content):
        raise refusals.unsupported("not text")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _strict(content, _declared_codec(content) or _guessed_codec(content))


def _strict(content: bytes, codec: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        raise refusals.undecodable() from error


def _without_binary(text: str) -> str:
    if _BINARY_CHAR.search(text):
        raise refusals.unsupported("not text")
    return text


def _declared_codec(content: bytes) -> str | None:
    """The codec that the start of an HTML file names; Latin-1 means Windows-1252 (WHATWG)."""
    declared = _DECLARED.search(content, 0, 4096)
    label = declared[1].decode("ascii", "replace").lower() if declared else ""
    if not _DECLARABLE.fullmatch(label):
        return None
    label = {"iso-8859-1": "cp1252", "us-ascii": "cp1252", "windows-874": "cp874"}.get(label, label)
    try:
        return codecs.lookup(label).name
    except LookupError:
        return None


def _guessed_codec(content: bytes) -> str:
    sample = _telling(content)
    matches = from_bytes(sample, cp_isolation=_GUESSABLE, enable_fallback=False)
    readable = [match for match in matches if match.percent_chaos <= 100 * _MAX_MESS]
    readable.sort(key=lambda match: match.coherence, reverse=True)
    if not readable:
        raise refusals.undecodable()
    best, *rest = readable
    rivals = [match for match in rest if match.coherence > best.coherence - _MIN_LEAD]
    if not rivals and (best.coherence > 0 or _non_ascii_count(sample) >= _ENOUGH_BYTES):
        return best.encoding
    if rivals and _is_western(best, rivals):
        return "cp1252"
    raise refusals.undecodable()


def _is_western(best: CharsetMatch, rivals: list[CharsetMatch]) -> bool:
    """Long Western text, which Central Europe's code page reads just as smoothly."""
    codecs_left = {best.encoding, *(match.encoding for match in rivals)}
    return (
        {"cp1252"} <= codecs_left <= {"cp1252", "cp1250", "cp1254"}
        and best.coherence >= _SURE
        and best.language in _WESTERN
    )


def _non_ascii_count(sample: bytes) -> int:
    return sum(byte >= 0x80 for byte in sample)


def _telling(content: bytes) -> bytes:
    """The lines that are not ASCII, up to a limit: the others say nothing about the encoding."""
    sample = b""
    for line in content.splitlines(keepends=True):
        if not line.isascii():
            sample += line
        if len(sample) >= _SAMPLE_BYTES:
            break
    return sample[:_SAMPLE_BYTES]
