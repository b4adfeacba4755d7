"""Reads a Word document as Markdown, by way of mammoth's HTML.

Images are never opened; headers, footers and comments are not part of the text.
Invariant: mammoth only ever sees a package that ``package.open_word`` let through.
"""

from __future__ import annotations

from io import BytesIO
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError
from xml.parsers.expat.errors import XML_ERROR_NO_MEMORY, codes
from zipfile import BadZipFile, ZipFile

import mammoth

from atom_backend.extraction import refusals
from atom_backend.extraction.html import to_markdown
from atom_backend.extraction.package import open_word
from atom_backend.extraction.parsed import Parsed, checked
from atom_backend.extraction.titles import first_heading, sensible

_CORE_PROPERTIES = "docProps/core.xml"
_CORE_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_EXPAT_NO_MEMORY = codes[XML_ERROR_NO_MEMORY]
_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => h2:fresh
"""


def read(content: bytes, max_chars: int) -> Parsed:
    """Raises UnsupportedMedia, InvalidInput and TooLarge ``text_too_large``."""
    try:
        with open_word(content) as package:
            title = _core_title(package)
        source = mammoth.convert_to_html(
            BytesIO(content),
            style_map=_STYLES,
            include_embedded_style_map=False,
            convert_image=mammoth.images.img_element(lambda _: {"src": ""}),
        ).value
    except (BadZipFile, ExpatError, ElementTree.ParseError) as error:
        if getattr(error, "code", None) == _EXPAT_NO_MEMORY:
            raise MemoryError from error
        raise refusals.malformed("Word") from error
    text = to_markdown(source)
    title = title or first_heading(text)
    return checked(text, title, max_chars=max_chars, empty="its pages are empty or only images")


def _core_title(package: ZipFile) -> str | None:
    """The title of the core properties (ECMA-376, part 2, section 8.3)."""
    if _CORE_PROPERTIES not in package.namelist():
        return None
    found = ElementTree.fromstring(package.read(_CORE_PROPERTIES)).find(_CORE_TITLE)
    return sensible(found.text) if found is not None else None
