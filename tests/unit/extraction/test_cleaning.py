"""Text that a parser composed is made storable and pleasant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.extraction.cleaning import tidy, unix_lines


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\r\nb\rc\fd\x0be\u2028f", "a\nb\nc\nd\ne\nf"),
        ("hy\u00adphen\u00ad\nated", "hyphenated"),
        ("a\x00b\x07c\x92d", "a b c d"),
        ("a\ud800b\ufffec\ufeffd", "abcd"),
        ("\n\n a \t\n\n\n\nb \n", "a\n\nb"),
        ("keep\ttabs  and   spaces é ñ e\u0301", "keep\ttabs  and   spaces é ñ e\u0301"),
    ],
)
def test_marks_of_parsers_go_and_words_stay(raw: str, clean: str) -> None:
    assert tidy(raw) == clean


@given(st.text(st.characters(), max_size=200))
def test_nothing_that_postgresql_refuses_comes_out(raw: str) -> None:
    clean = tidy(raw)
    clean.encode("utf-8")
    assert not {"\x00", "\r", "\f", "\u00ad"} & set(clean)
    assert tidy(clean) == clean


def test_lines_of_a_million_spaces_are_cleaned_in_one_pass() -> None:
    assert len(tidy("a" + " " * 1_000_000 + "b")) == 1_000_002


def test_written_text_keeps_everything_but_crlf() -> None:
    assert unix_lines(" a\r\n\tb\u00ad\f \rc ") == " a\n\tb\u00ad\f \rc "
