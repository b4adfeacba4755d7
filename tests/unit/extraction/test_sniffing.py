"""What a file is: by its bytes, whatever its name says."""

from __future__ import annotations

import pytest

from atom_backend.errors import InvalidInput, UnsupportedMedia
from atom_backend.extraction.media import DOCX, HTML, MARKDOWN, PDF, PLAIN_TEXT
from atom_backend.extraction.sniffing import sniff
from tests.unit.extraction.samples import make_docx, make_pdf


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (make_pdf(["a"]), PDF),
        (b"\n \n%PDF-1.7 cut off", PDF),
        (b"mail header\n" * 50 + make_pdf(["a"]), PDF),
        (b"Every PDF begins with %PDF-1.4 or so.", PLAIN_TEXT),
        (b"x" * 1024 + make_pdf(["a"]), PLAIN_TEXT),
        (make_docx(""), DOCX),
        (b"<!DOCTYPE html><p>x", HTML),
        (b"  \n<!-- made by hand -->\n<HTML lang=en>", HTML),
        (b'<?xml version="1.0"?><html xmlns="x">', HTML),
        (b'<div class="a">Hello</div>', HTML),
        ("<html>ü</html>".encode("utf-16"), HTML),
        (b'<?xml version="1.0"?><rss/>', PLAIN_TEXT),
        (b"<3 is a heart", PLAIN_TEXT),
        (b"a < b and <html> is a tag", PLAIN_TEXT),
        (b'<p align="center">logo</p>\n\n# Project\n', MARKDOWN),
        (b"# Heading\n\ntext", MARKDOWN),
        (b"see [the page](https://example.org)", MARKDOWN),
        (b"Heading\n=======\ntext", MARKDOWN),
        (b"#hashtag and 2 * 3", PLAIN_TEXT),
    ],
)
def test_the_bytes_decide(content: bytes, content_type: str) -> None:
    assert sniff(content, None).content_type == content_type


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.docx", "a.exe", "", None])
def test_no_name_makes_a_pdf_anything_else(name: str | None) -> None:
    assert sniff(make_pdf(["a"]), name).content_type == PDF


@pytest.mark.parametrize(
    ("name", "content_type"),
    [("a.md", MARKDOWN), ("a.MARKDOWN", MARKDOWN), ("a.txt", PLAIN_TEXT), ("a.pdf", PLAIN_TEXT)],
)
def test_a_name_settles_whether_prose_is_markdown(name: str, content_type: str) -> None:
    assert sniff(b"# run this first\n", name).content_type == content_type
    assert sniff(b"plain words", name).content_type == content_type


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"\x00",
        b"text with a NUL\x00",
        "text\x00".encode("utf-16"),
        b"{\\rtf1\\ansi Hello}",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
    ],
)
def test_what_is_no_document_is_refused_with_what_is_accepted(content: bytes) -> None:
    with pytest.raises(UnsupportedMedia, match=r"PDF, Word \(.docx\), HTML, Markdown"):
        sniff(content, "notes.txt")


def test_an_office_file_with_a_password_is_called_encrypted() -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(InvalidInput) as refused:
        sniff(ole, "a.docx")
    assert refused.value.code == "encrypted_document"


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_has_no_text(content: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        sniff(content, None)
    assert refused.value.code == "no_text"
