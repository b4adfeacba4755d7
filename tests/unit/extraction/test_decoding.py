"""Bytes of text files become text, or are refused; never a text that nobody wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.errors import InvalidInput, UnsupportedMedia
from atom_backend.extraction.decoding import decode

WESTERN = (
    "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de "
    "raison et de conscience et doivent agir les uns envers les autres dans un esprit fraternel.\n"
)
RUSSIAN = "Привет, как дела? Сегодня хорошая погода, и мы идём гулять.\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
def test_every_unicode_encoding_reads_back_without_its_mark(codec: str, text: str) -> None:
    if not text.startswith("\ufeff"):
        assert decode(text.encode(codec)) == text


def test_big_endian_text_with_a_mark_is_read() -> None:
    assert decode(b"\xfe\xff" + "grün".encode("utf-16-be")) == "grün"


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (WESTERN, "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        ("It’s a “quoted” text with an em—dash and nothing else.\n", "cp1252"),
        ("こんにちは、世界。今日は天気がいいですね。散歩に行きましょう。\n" * 10, "cp932"),
    ],
)
def test_other_encodings_are_told_by_their_text(text: str, codec: str) -> None:
    plain = "A line that says nothing about the encoding.\n" * 5000
    assert decode((plain + text).encode(codec)) == plain + text


def test_html_is_read_in_the_encoding_that_it_declares() -> None:
    page = '<html><head><meta charset="iso-8859-2"></head><p>zażółć</p>'
    assert decode(page.encode("iso-8859-2")) == page


def test_latin_1_in_html_means_windows_1252() -> None:
    page = '<meta http-equiv=Content-Type content="text/html; charset=ISO-8859-1"><p>“€”</p>'
    assert decode(page.encode("cp1252")) == page


@pytest.mark.parametrize("codec", ["punycode", "unicode_escape", "rot13", "utf-7", "no-such"])
def test_no_odd_codec_can_be_asked_for_by_a_file(codec: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        decode(b'<meta charset="' + codec.encode() + b'">\\u0000 caf\xe9')
    assert refused.value.code == "undecodable_text"


@pytest.mark.parametrize(
    "content",
    [
        b"caf\xe9",  # é in one code page, й, ι or ي in others
        "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności".encode("cp1250"),
        b"\xef\xbb\xbfcaf\xe9",
        b"\xff\xfe\x00\xd8a\x00",  # half a surrogate pair
        b"\xff\xfea",
        b"\xed\xa0\x80\xed\xa0\x80",  # surrogates written as UTF-8
    ],
)
def test_an_encoding_that_cannot_be_told_is_refused_with_advice(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="save it as UTF-8") as refused:
        decode(content)
    assert refused.value.code == "undecodable_text"


@given(st.binary(max_size=400))
def test_whatever_the_bytes_only_clean_text_comes_out(content: bytes) -> None:
    try:
        text = decode(content)
    except (InvalidInput, UnsupportedMedia):
        return
    assert "\x00" not in text
    text.encode("utf-8")
