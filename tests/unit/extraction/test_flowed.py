"""Paragraphs that were broken for sending are whole again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.extraction.mails.flowed import unflowed

LINES = st.lists(st.text("ab >", max_size=8), max_size=8).map("\n".join)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("one \ntwo\nthree", "one two\nthree"),
        ("> one \n> two\nthree", "> one two\nthree"),
        (">> one \n> two \nthree", ">> one \n> two \nthree"),
        (">one \n>two", "> one two"),
        ("one \n-- \nAnn", "one \n-- \nAnn"),
        ("> -- \n> Ann", "> -- \n> Ann"),
        (" >not a quote\n From Ann", ">not a quote\nFrom Ann"),
        ("\none \n\ntwo", "\none \ntwo"),
        ("one ", "one "),
        ("", ""),
    ],
)
def test_a_line_that_ends_with_a_space_goes_on(sent: str, meant: str) -> None:
    assert unflowed(sent) == meant


def test_the_space_that_marks_a_flowed_line_goes_where_that_is_declared() -> None:
    assert unflowed("東京 \n都 \n", delsp=True) == "東京都\n".rstrip("\n")
    assert unflowed("two  \nwords", delsp=True) == "two words"


@given(LINES)
def test_no_word_is_lost_or_joined(sent: str) -> None:
    assert unflowed(sent).replace(">", " ").split() == sent.replace(">", " ").split()


def test_a_line_of_a_million_marks_stays_one_line() -> None:
    assert len(unflowed(">" * 1_000_000 + " a")) < 1_000
