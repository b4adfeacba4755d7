"""What a subject is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.domain.messaging.messages import SUBJECT_CHARS
from atom_backend.domain.messaging.subjects import base_subject

MARKS = st.lists(
    st.sampled_from(["Re:", "FW:", "fwd [x]:", "[list]", "[Fwd:", "]", "(fwd)", " ", "plan", "["])
).map(" ".join)


@pytest.mark.parametrize(
    ("subject", "base"),
    [
        ("plan", "plan"),
        ("Re: plan", "plan"),
        ("RE : Fwd: fw:\tplan (fwd) (Fwd)", "plan"),
        ("Re[2]: plan", "plan"),
        ("[list] Re: [list] plan", "plan"),
        ("[one] [two] plan", "plan"),
        ("[Fwd: Re: plan]", "plan"),
        ("Re: [fwd: [fwd: plan (fwd)]]", "plan"),
        ("  the \r\n  plan  ", "the plan"),
        ("[list]", "[list]"),
        ("Re: [list]", "[list]"),
        ("Re:", ""),
        ("", ""),
        ("Regarding: plan", "Regarding: plan"),
        ("Reply to fwd", "Reply to fwd"),
        ("plan [draft]", "plan [draft]"),
    ],
)
def test_marks_of_replies_forwards_and_lists_go(subject: str, base: str) -> None:
    assert base_subject(subject) == base


@given(MARKS | st.text(max_size=50))
def test_the_base_of_a_base_is_itself(subject: str) -> None:
    assert base_subject(base_subject(subject)) == base_subject(subject)


@pytest.mark.parametrize("mark", ["Re:", "[x]", "[fwd:", "(fwd)", "[", " ", "a "])
def test_a_subject_of_a_million_marks_is_cut(mark: str) -> None:
    assert len(base_subject(mark * 1_000_000)) <= SUBJECT_CHARS
