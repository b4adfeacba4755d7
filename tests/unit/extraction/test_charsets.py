"""Bytes of a mail become text, and every doubt about it is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.domain.limits import unstorable
from atom_backend.domain.messaging.mail import Doubt
from atom_backend.extraction.mails.charsets import REPLACEMENT, decode, storable

RUSSIAN = "Привет, как дела? Сегодня хорошая погода, и мы идём гулять.\n"
# Long enough for its bytes to be taken for Japanese, were they not declared.
FRENCH = "Tous les êtres humains naissent libres et égaux en dignité et en droits. " * 20
WRONG, LOST = Doubt.CHARSET_WRONG, Doubt.CHARACTERS_LOST
UNDECLARED, UNKNOWN = Doubt.CHARSET_UNDECLARED, Doubt.CHARSET_UNKNOWN


def doubts(content: bytes, label: str | None) -> list[Doubt]:
    return [doubt for doubt, _ in decode(content, label).doubts]


@pytest.mark.parametrize(
    ("text", "label", "codec"),
    [
        ("plain", None, "ascii"),
        ("plain", "us-ascii", "ascii"),
        ("naïve 東京 \ufffd", "UTF-8", "utf-8"),
        ("naïve", " 'utf-8*en' ", "utf-8"),
        ("naïve", "ISO-8859-1", "iso-8859-1"),
        ("“naïve” €", "windows-1252", "cp1252"),
        ("zażółć", "iso-8859-2", "iso-8859-2"),
        (RUSSIAN, "koi8-r", "koi8-r"),
        ("漢字、東京", "iso-2022-jp", "iso2022_jp"),
        ("①漢字", "shift_jis", "cp932"),
        ("镕", "gb2312", "gbk"),
        ("naïve", "utf-16", "utf-16"),
        ("naïve", "utf-7", "utf-7"),
    ],
)
def test_what_is_rightly_declared_is_read_without_a_doubt(
    text: str, label: str | None, codec: str
) -> None:
    decoded = decode(text.encode(codec), label)
    assert (decoded.text, decoded.doubts) == (text, ())


@pytest.mark.parametrize(
    ("text", "codec", "label", "doubt"),
    [
        ("naïve", "utf-8", None, UNDECLARED),
        ("naïve", "utf-8", "us-ascii", WRONG),
        ("naïve", "utf-8", "iso-8859-1", WRONG),
        ("it’s", "cp1252", "iso-8859-1", WRONG),
        ("naïve", "utf-8", "x-unknown", UNKNOWN),
        ("na?ve", "ascii", "unicode_escape", UNKNOWN),
        ("caf\xe9", "cp1252", None, UNDECLARED),
        ("caf\xe9", "cp1252", "no\x00such", UNKNOWN),
        (RUSSIAN, "koi8-r", None, UNDECLARED),
        (RUSSIAN, "cp1251", "utf-8", WRONG),
    ],
)
def test_what_is_wrongly_declared_is_read_all_the_same_and_doubted(
    text: str, codec: str, label: str | None, doubt: Doubt
) -> None:
    decoded = decode(text.encode(codec), label)
    assert decoded.text == text
    assert [found for found, _ in decoded.doubts] == [doubt]


@pytest.mark.parametrize("text", [RUSSIAN, FRENCH])
def test_one_broken_byte_does_not_change_the_charset(text: str) -> None:
    decoded = decode(text.encode() + b"\xff", "utf-8")
    assert decoded.text == text + REPLACEMENT
    assert [doubt for doubt, _ in decoded.doubts] == [LOST]


def test_bytes_without_a_meaning_are_marked_where_they_stand() -> None:
    assert decode(b"a\x81\xe9", None).text == f"a{REPLACEMENT}é"
    assert doubts(b"a\x81\xe9", None) == [UNDECLARED, LOST]


@pytest.mark.parametrize("content", [b"a\x00", b"+2AA-x"])
def test_what_cannot_be_stored_is_marked(content: bytes) -> None:
    decoded = decode(content, "utf-7")
    assert REPLACEMENT in decoded.text
    assert [doubt for doubt, _ in decoded.doubts] == [LOST]


def test_a_byte_order_mark_is_no_character() -> None:
    assert decode(b"\xef\xbb\xbfa", "utf-8").text == "a"


def test_a_note_quotes_no_more_of_a_declared_charset_than_is_safe() -> None:
    ((_, detail),) = decode(b"\xe9", "<b>\n" + "x" * 1_000).doubts
    assert "<" not in detail
    assert "\n" not in detail
    assert len(detail) < 120


@given(st.binary(max_size=200), st.none() | st.text(max_size=10) | st.sampled_from(["utf-8", "hz"]))
def test_whatever_the_bytes_and_the_charset_the_text_can_be_stored(
    content: bytes, label: str | None
) -> None:
    assert unstorable(decode(content, label).text) is None


@given(st.text(st.characters()))
def test_only_what_cannot_be_stored_is_replaced(text: str) -> None:
    kept = storable(text)
    assert unstorable(kept) is None
    pairs = zip(text, kept, strict=True)
    assert all(old == new or unstorable(old) for old, new in pairs)
