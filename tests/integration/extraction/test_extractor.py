"""The extractor as the service uses it: any bytes in, text or an error that says what to change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atom_backend.domain.extracted import Extracted
from atom_backend.errors import InvalidInput, RequestError, TooLarge, UnsupportedMedia
from atom_backend.extraction.extractor import SubprocessExtractor
from atom_backend.extraction.media import DOCX, HTML, MARKDOWN, PDF, PLAIN_TEXT
from tests.unit.extraction.samples import make_docx, make_pdf, make_zip, word_paragraph

SAMPLES = (
    make_pdf(["One", "Two"], ["Three"], title="Plan"),
    make_docx(word_paragraph("Hello", "Heading1") + word_paragraph("world"), title="Plan"),
    b"<!doctype html><title>Plan</title><h1>Hello</h1><table><tr><td>world</table>",
    b"# Hello\r\n\r\nworld \xc3\xa9",
)


@pytest.fixture(scope="module")
def extractor() -> Iterator[SubprocessExtractor]:
    with SubprocessExtractor(cpu_seconds=10, wall_seconds=30.0) as running:
        yield running


@pytest.mark.parametrize(
    ("content", "name", "expected"),
    [
        (SAMPLES[0], "x.txt", Extracted("One\nTwo\n\nThree", PDF, "Plan")),
        (SAMPLES[1], None, Extracted("# Hello\n\nworld", DOCX, "Plan")),
        (b"<html><p>caf\xc3\xa9 &lt;3", "a/b.htm", Extracted("café <3", HTML, "b")),
        (SAMPLES[3], None, Extracted("# Hello\n\nworld é", MARKDOWN, "Hello")),
        (
            b"\xef\xbb\xbf a\r\n\tb \n\n\n\n",
            "n.txt",
            Extracted(" a\n\tb \n\n\n\n", PLAIN_TEXT, "n"),
        ),
    ],
)
def test_every_kind_of_file_is_read(
    extractor: SubprocessExtractor, content: bytes, name: str | None, expected: Extracted
) -> None:
    assert extractor.extract(content, name=name) == expected


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (make_pdf(["x"], encrypt=True), InvalidInput, "encrypted_document"),
        (make_pdf([]), InvalidInput, "no_text"),
        (b"%PDF-1.7 nothing", InvalidInput, "malformed_document"),
        (b"PK\x03\x04 nothing", InvalidInput, "malformed_document"),
        (make_docx("<w:p><w:r>"), InvalidInput, "malformed_document"),
        (make_docx("", more={"_rels/.rels": b"\xff"}), InvalidInput, "malformed_document"),
        (make_zip({"xl/workbook.xml": ""}), UnsupportedMedia, "unsupported_media_type"),
        (b"\x7fELF\x00", UnsupportedMedia, "unsupported_media_type"),
    ],
)
def test_every_refusal_has_its_code_and_does_not_quote_the_file(
    extractor: SubprocessExtractor, content: bytes, kind: type[RequestError], code: str
) -> None:
    with pytest.raises(kind) as refused:
        extractor.extract(content)
    assert refused.value.code == code
    assert "nothing" not in refused.value.message


@pytest.mark.parametrize("content", SAMPLES)
def test_too_much_text_is_refused_for_every_kind(content: bytes) -> None:
    with SubprocessExtractor(max_text_chars=3) as small, pytest.raises(TooLarge) as refused:
        small.extract(content)
    assert refused.value.code == "text_too_large"


def _text_or_refusal(extractor: SubprocessExtractor, content: bytes, name: str | None) -> None:
    try:
        extracted = extractor.extract(content, name=name)
    except (InvalidInput, UnsupportedMedia, TooLarge):
        return
    for text in (extracted.text, extracted.title or "-"):
        assert text.strip()
        assert "\x00" not in text
        text.encode("utf-8")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    start=st.sampled_from([b"", b"%PDF-1.4\n", b"PK\x03\x04", b"<html>", b"\xff\xfe", b"# "]),
    rest=st.binary(max_size=300),
    name=st.none() | st.text(max_size=20),
)
def test_any_bytes_give_text_or_a_refusal(
    extractor: SubprocessExtractor, start: bytes, rest: bytes, name: str | None
) -> None:
    _text_or_refusal(extractor, start + rest, name)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sample=st.sampled_from(SAMPLES),
    edits=st.lists(st.tuples(st.floats(0, 0.999), st.binary(max_size=4)), max_size=6),
    keep=st.floats(0.1, 1),
)
def test_damaged_files_give_text_or_a_refusal(
    extractor: SubprocessExtractor, sample: bytes, edits: list[tuple[float, bytes]], keep: float
) -> None:
    content = bytearray(sample[: int(len(sample) * keep)])
    for where, patch in edits:
        at = int(where * len(content))
        content[at : at + len(patch)] = patch
    _text_or_refusal(extractor, bytes(content), None)
