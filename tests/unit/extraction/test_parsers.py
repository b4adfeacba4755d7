"""PDF, DOCX and HTML as text, parsed here in the test's own process."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZipFile

import pytest

from atom_backend.errors import InvalidInput, TooLarge, UnsupportedMedia
from atom_backend.extraction import docx, html, package, pdf
from tests.unit.extraction.samples import Parts, make_docx, make_pdf, make_zip, word_paragraph

MANY = 1_000_000
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]><x>&j;</x>"
)


def test_pages_of_a_pdf_are_separated_by_a_blank_line() -> None:
    parsed = pdf.read(make_pdf(["One", "Two"], [], ["Three"], title="My plan"), MANY)
    assert (parsed.text, parsed.title) == ("One\nTwo\n\nThree", "My plan")


def test_words_that_a_pdf_broke_at_a_line_end_are_whole_again() -> None:
    lines = ["an exam-", "ple in Schwarz-", "Weiss"]
    assert pdf.read(make_pdf(lines), MANY).text == "an example in Schwarz-Weiss"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (make_pdf(["secret"], encrypt=True), "encrypted_document"),
        (make_pdf([]), "no_text"),
        (b"%PDF-1.4\nnothing else", "malformed_document"),
    ],
)
def test_a_pdf_without_readable_text_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        pdf.read(content, MANY)
    assert refused.value.code == code


@pytest.mark.parametrize("max_chars", [4, 5, 7])
def test_too_much_text_in_a_pdf_is_refused(max_chars: int) -> None:
    with pytest.raises(TooLarge) as refused:
        pdf.read(make_pdf(["One"], ["Two"]), max_chars)
    assert refused.value.code == "text_too_large"


def test_a_word_document_becomes_markdown_with_its_heading_as_title() -> None:
    table = "<w:tbl><w:tr>{}{}</w:tr></w:tbl>".format(
        *(f"<w:tc>{word_paragraph(cell)}</w:tc>" for cell in ("left", "right"))
    )
    body = word_paragraph("Plan", "Title") + word_paragraph("A &amp; B &lt;c&gt;") + table
    parsed = docx.read(make_docx(body), MANY)
    assert parsed.title == "Plan"
    assert parsed.text.startswith("# Plan\n\nA & B <c>\n\n| left | right |")


def test_the_core_properties_name_a_word_document() -> None:
    content = make_docx(word_paragraph("Head", "Heading1"), title="The real title")
    assert docx.read(content, MANY).title == "The real title"


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({"xl/workbook.xml": "<x/>"}, "spreadsheet"),
        ({"ppt/presentation.xml": "<x/>"}, "presentation"),
        ({"META-INF/manifest.xml": "<x/>"}, "OpenDocument"),
        ({"readme.txt": "hello"}, "ZIP archive"),
    ],
)
def test_another_archive_is_named_and_refused(parts: Parts, what: str) -> None:
    with pytest.raises(UnsupportedMedia, match=what):
        docx.read(make_zip(parts), MANY)


@pytest.mark.parametrize(
    "part",
    ["word/document.xml", "word/styles.xml", "docProps/core.xml", "word/_rels/document.xml.rels"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp037"])
def test_no_entity_bomb_is_expanded(part: str, encoding: str) -> None:
    bomb = f'<?xml version="1.0" encoding="{encoding}"?>{BOMB}'.encode(encoding)
    with pytest.raises(InvalidInput) as refused:
        docx.read(make_docx(word_paragraph("x"), more={part: bomb}), MANY)
    assert refused.value.code == "malformed_document"


@pytest.mark.parametrize("part", ["word/styles.xml", "customXml/item1.xml"])
def test_even_a_harmless_document_type_is_refused(part: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        docx.read(make_docx(word_paragraph("x"), more={part: "<!DOCTYPE x><x/>"}), MANY)
    assert refused.value.code == "malformed_document"


def test_a_zip_bomb_is_refused_before_it_is_inflated() -> None:
    bomb = make_docx("", more={"word/media/big.bin": bytes(package.MAX_GROWTH + 2_000_000)})
    with pytest.raises(InvalidInput) as refused:
        docx.read(bomb, MANY)
    assert refused.value.code == "extraction_limit"


def test_a_zip_bomb_that_lies_about_its_size_gives_nothing() -> None:
    honest = make_docx(word_paragraph("x" * 100_000))
    size = ZipFile(BytesIO(honest)).getinfo("word/document.xml").file_size
    lie = honest.replace(size.to_bytes(4, "little"), (500).to_bytes(4, "little"))
    assert lie.count((500).to_bytes(4, "little")) == 2
    with pytest.raises(InvalidInput) as refused:
        docx.read(lie, MANY)
    assert refused.value.code == "malformed_document"


@pytest.mark.parametrize("content", [b"PK\x03\x04 and no more", make_docx("")[:-30]])
def test_half_an_archive_is_malformed(content: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        docx.read(content, MANY)
    assert refused.value.code == "malformed_document"


def test_html_is_read_without_scripts_styles_and_image_addresses() -> None:
    page = b"""<!doctype html><html><head><title>A &amp; B</title><style>p{color:red}</style>
    <script>alert("x")</script></head><body><h1>Caf&eacute;</h1><p>1 &lt; 2<br>next
    <img src="data:image/png;base64,AAAA" alt="a cat"></p><ul><li>one<li>two</ul>
    <iframe src="https://example.org/ad">ad</iframe></body></html>"""
    parsed = html.read(page, MANY)
    assert parsed.title == "A & B"
    assert parsed.text == "# Café\n\n1 < 2\nnext a cat\n\n- one\n- two"


def test_the_heading_names_a_page_without_title() -> None:
    assert html.read(b"<h2>Only <b>this</b></h2><p>x</p>", MANY).title == "Only this"


def test_html_that_is_nested_too_deep_is_refused_rather_than_cut() -> None:
    with pytest.raises(InvalidInput) as refused:
        html.read(b"<div>" * 5000 + b"deep" + b"</div>" * 5000, MANY)
    assert refused.value.code == "extraction_limit"


def test_a_page_that_only_a_script_fills_has_no_text() -> None:
    with pytest.raises(InvalidInput) as refused:
        html.read(b"<html><body><div id=root></div><script>render()</script></body>", MANY)
    assert refused.value.code == "no_text"
