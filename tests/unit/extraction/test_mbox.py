"""An mbox file, whoever wrote it, is cut into the messages that it holds."""

from __future__ import annotations

from io import BytesIO, RawIOBase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.domain.messaging.mail import MboxMessage
from atom_backend.extraction.mails.mbox import MAX_LINE_BYTES, messages

FROM = b"From ann@example.org Sun Nov 22 08:00:00 2026\n"
HEAD = b"Subject: x\n\n"
LINES = st.sampled_from(
    [b"a\n", b"\n", b"From b\n", b">From c\n", b">>From d\n", b"From: e\n", FROM]
)


def cut(content: bytes, **options: Any) -> list[MboxMessage]:
    return list(messages(BytesIO(content), **options))


def contents(content: bytes) -> list[bytes]:
    return [message.content for message in cut(content)]


def box(*bodies: bytes) -> bytes:
    """An mbox as mboxrd writes it."""
    return b"".join(FROM + HEAD + quoted(body) + b"\n" for body in bodies)


def quoted(body: bytes) -> bytes:
    lines = body.splitlines(keepends=True)
    return b"".join(
        b">" + line if line.lstrip(b">").startswith(b"From ") else line for line in lines
    )


def test_messages_come_with_their_number_and_place() -> None:
    first, second = cut(box(b"one\n", b"two\n"))
    assert (first.number, first.offset, first.content) == (1, 0, HEAD + b"one\n")
    assert (second.number, second.offset) == (2, len(FROM + HEAD + b"one\n\n"))
    assert second.content == HEAD + b"two\n"
    assert not any((first.cut, first.damaged, second.cut, second.damaged))


@given(st.lists(st.lists(LINES, max_size=6).map(b"".join), max_size=4))
def test_what_mboxrd_wrote_is_read_back_whatever_it_was(bodies: list[bytes]) -> None:
    assert contents(box(*bodies)) == [HEAD + body for body in bodies]


def test_line_ends_of_windows_are_kept() -> None:
    written = box(b"one\n", b"two\n").replace(b"\n", b"\r\n")
    assert contents(written) == [b"Subject: x\r\n\r\none\r\n", b"Subject: x\r\n\r\ntwo\r\n"]


def test_the_last_message_needs_no_line_end() -> None:
    assert contents(box(b"one\n") + FROM + HEAD + b"two") == [HEAD + b"one\n", HEAD + b"two"]


def test_only_one_blank_line_is_taken_from_a_message() -> None:
    assert contents(box(b"one\n\n\n", b"\n")) == [HEAD + b"one\n\n\n", HEAD + b"\n"]


@pytest.mark.parametrize(
    "line",
    [
        b"From here on\n",
        b"From me: at 10:00 in 2026\n",
        b"From 1 to 2\nNote: this\n",
        b"From " + b"x" * 600 + b" 10:00 2026\nSubject: x\n",
        b"From:ann\n",
        b"from ann 10:00 2026\nSubject: x\n",
    ],
)
def test_a_line_of_the_text_that_was_not_escaped_separates_nothing(line: bytes) -> None:
    assert contents(FROM + HEAD + b"one\n\n" + line) == [HEAD + b"one\n\n" + line]


@pytest.mark.parametrize(
    "separator",
    [
        b"From - Sat Jan  1 00:00:00 2000\n",
        b"From 123456789@xxx Sun Nov 22 08:00:00 +0000 2026\n",
        b"From ann@x Sun Nov 22 08:00 CET 2026 remote from y\r\n",
    ],
)
def test_separators_of_all_programs_are_sound(separator: bytes) -> None:
    _, second = cut(box(b"one\n") + separator + HEAD)
    assert (second.content, second.damaged) == (HEAD.removesuffix(b"\n"), False)


@pytest.mark.parametrize(
    "second",
    [b"\nFrom ann@x\n", b"\nFrom ???\r\n", FROM, b"\nFrom nobody\n"],
    ids=["no date", "junk", "no blank line", "nobody"],
)
def test_a_damaged_separator_separates_before_a_header_and_is_marked(second: bytes) -> None:
    found = cut(FROM + HEAD + b"one\n" + second + HEAD + b"two\n")
    assert [message.content for message in found] == [HEAD + b"one\n", HEAD + b"two\n"]
    assert [message.damaged for message in found] == [False, True]


@pytest.mark.parametrize("start", [b"junk\n", HEAD + b"one\n", b"x" * 100_000 + b"\n"])
def test_what_stands_before_the_first_separator_is_a_message_of_doubt(start: bytes) -> None:
    first, second = cut(start + b"\n" + box(b"two\n"))
    assert (first.number, first.offset, first.damaged) == (1, 0, True)
    assert first.content == start
    assert (second.number, second.content, second.damaged) == (2, HEAD + b"two\n", False)


@pytest.mark.parametrize("start", [b"\n\r\n", b"\xef\xbb\xbf"])
def test_blank_lines_and_a_byte_order_mark_before_it_are_passed_over(start: bytes) -> None:
    (only,) = cut(start + box(b"one\n"))
    assert (only.content, only.damaged) == (HEAD + b"one\n", False)


def test_a_file_that_begins_with_a_separator_is_an_mbox_whatever_follows() -> None:
    (only,) = cut(FROM + b"\nno header\n")
    assert (only.content, only.damaged) == (b"\nno header\n", False)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\r\n"])
def test_an_empty_file_has_no_messages(content: bytes) -> None:
    assert cut(content) == []


def test_a_message_that_is_too_large_is_cut_and_the_next_one_is_not() -> None:
    first, second = cut(box(b"x" * 100_000 + b"\n", b"two\n"), max_bytes=1_000)
    assert (len(first.content), first.cut) == (1_000, True)
    assert first.content.startswith(HEAD)
    assert (second.content, second.cut) == (HEAD + b"two\n", False)


def test_a_message_of_just_the_largest_size_is_not_cut() -> None:
    body = HEAD + b"one\n"
    assert [one.cut for one in cut(FROM + body, max_bytes=len(body))] == [False]
    assert [one.cut for one in cut(FROM + body, max_bytes=len(body) - 1)] == [True]


def test_a_from_inside_a_long_line_is_neither_a_separator_nor_an_escape() -> None:
    body = b"x" * (MAX_LINE_BYTES - 1) + b"\n" + b"y" * MAX_LINE_BYTES + b">From z\n"
    assert contents(FROM + HEAD + body + b"\n") == [HEAD + body]


class Endless(RawIOBase):
    """A file without an end, which knows how much of it was asked for."""

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def readline(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert 0 < size <= MAX_LINE_BYTES
        self.given += 1
        return FROM if self.given % 10 == 1 else b"Subject: x\n"


def test_a_file_is_read_no_further_than_the_messages_that_are_wanted() -> None:
    stream = Endless()
    found = messages(stream)  # type: ignore[arg-type]
    assert [next(found).number for _ in range(3)] == [1, 2, 3]
    assert stream.given < 40


@given(st.lists(LINES | st.sampled_from([b"x", b"\r\n", b"From "]), max_size=20).map(b"".join))
def test_every_line_that_is_no_separator_is_in_one_message_in_its_order(content: bytes) -> None:
    kept = [line for one in cut(content) for line in one.content.split(b"\n")]
    plain = (b"a", b"From: e", b"x")
    assert [one for one in kept if one in plain] == [
        line for line in content.split(b"\n") if line in plain
    ]
