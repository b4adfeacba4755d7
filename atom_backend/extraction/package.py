"""Opens an Office package (a ZIP archive of XML parts) only when it is safe to inflate.

Invariant: of a package that ``open_word`` gives, all parts together grow by at most ``MAX_GROWTH``
bytes when inflated, and none declares a document type, so no XML entity can expand. Packages with
such a declaration are invalid anyway (ECMA-376, part 2, section 6.2.5).
"""

from __future__ import annotations

import re
from io import BytesIO
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from atom_backend.extraction import refusals

MAX_GROWTH = 128 * 1024 * 1024
MAX_PARTS = 10_000

_MAIN_PART = re.compile(r"word/document\d*\.xml")
_ENCRYPTED_FLAG = 0x1
_XML_PART = re.compile(r"\.(?:xml|rels)$", re.I)
_OTHER_FORMATS = {
    "xl/": "a spreadsheet (.xlsx)",
    "ppt/": "a presentation (.pptx)",
    "META-INF/": "an OpenDocument file, an e-book or a Java archive",
}


class _PrologueEnds(Exception):
    """The first element of the part was reached."""


def open_word(content: bytes) -> ZipFile:
    """Raises UnsupportedMedia for other archives, InvalidInput for damaged or dangerous ones."""
    try:
        archive = ZipFile(BytesIO(content))
    except BadZipFile as error:
        raise refusals.malformed("Word") from error
    _refuse_others(archive.namelist())
    _refuse_growth(archive.infolist(), len(content))
    for part in archive.infolist():
        if _XML_PART.search(part.filename):
            _refuse_document_type(archive.read(part))
    return archive


def _refuse_others(names: list[str]) -> None:
    if any(_MAIN_PART.fullmatch(name) for name in names):
        return
    for prefix, what in _OTHER_FORMATS.items():
        if any(name.startswith(prefix) for name in names):
            raise refusals.unsupported(what)
    raise refusals.unsupported("a ZIP archive")


def _refuse_growth(parts: list[ZipInfo], size: int) -> None:
    """``zipfile`` never yields more than a part declares, so what is declared can be believed."""
    if any(part.flag_bits & _ENCRYPTED_FLAG for part in parts):
        raise refusals.encrypted("Word")
    if sum(part.compress_size for part in parts) > size:
        raise refusals.malformed("Word")
    growth = sum(max(0, part.file_size - part.compress_size) for part in parts)
    if len(parts) > MAX_PARTS or growth > MAX_GROWTH:
        raise refusals.limit("more memory")


def _refuse_document_type(xml: bytes) -> None:
    """Reads no further than the first element; a part that is no XML is left to its reader."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = _stop
    try:
        parser.Parse(xml, True)
    except (_PrologueEnds, expat.ExpatError):
        return


def _refuse(*_: object) -> None:
    raise refusals.malformed("Word")


def _stop(*_: object) -> None:
    raise _PrologueEnds
