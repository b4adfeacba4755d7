"""JSON lines are read one at a time, with memory bounded by one line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.errors import MalformedRequest
from atom_backend.http.lines import NDJSON
from atom_backend.http.read_ahead import IN_MEMORY
from tests.unit.http.tiny import GOOD, ThingLines, client

PATIENCE = 30.0


def answers(body: bytes) -> list[str]:
    answer = client().post("/lines", data=body, headers={**GOOD, "Content-Type": NDJSON})
    assert (answer.status_code, answer.content_type) == (200, NDJSON)
    lines: list[str] = answer.text.splitlines()
    return lines


def test_every_line_is_answered_under_its_number() -> None:
    body = b'{"name":"a"}\n\n  \r\n{"name":"b"}\r\nnonsense\n{"name":"c"}'
    assert answers(body) == ["1:a", "4:b", "5:malformed_request", "6:c"]


def test_a_line_that_is_too_long_fails_alone() -> None:
    long = b'{"name":"' + b"x" * 16_000 + b'"}'
    assert answers(long + b"\n" + b'{"name":"b"}\n' + long) == ["1:too_large", "2:b", "3:too_large"]


def test_the_whole_may_be_larger_than_any_limit() -> None:
    assert len(answers(b'{"name":"a"}\n' * 2000)) == 2000


def test_a_failure_in_the_middle_ends_the_answer_with_a_problem() -> None:
    said = answers(b'{"name":"a"}\n{"name":"explode"}\n{"name":"b"}\n')
    assert said[0] == "1:a"
    assert said[1].startswith("end:500:")
    assert "secret" not in said[1]
    assert len(said) == 2


class Drip:
    """A stream that gives one block at a time; ``gate`` holds back all but the first."""

    def __init__(self, blocks: list[bytes], gate: Event | None = None) -> None:
        self.blocks = blocks
        self.gate = gate
        self.taken = 0
        self.emptied = Event()

    def read(self, size: int = -1, /) -> bytes:
        if self.gate is not None and self.taken:
            self.gate.wait(PATIENCE)
        if self.taken == len(self.blocks):
            self.emptied.set()
            return b""
        self.taken += 1
        return self.blocks[self.taken - 1]


def test_a_line_is_handed_out_before_the_next_block_has_come() -> None:
    gate = Event()
    lines = iter(ThingLines(Drip([b'{"name":"a"}\n', b'{"name":"b"}\n'], gate), 100))
    assert next(lines).read().name == "a"
    gate.set()
    assert [line.read().name for line in lines] == ["b"]


def test_a_client_may_send_everything_before_it_reads_anything() -> None:
    many = 3 * IN_MEMORY // len(b'{"name":"a"}\n' * 64)
    drip = Drip([b'{"name":"a"}\n' * 64] * many)
    lines = iter(ThingLines(drip, 100))
    next(lines)
    assert drip.emptied.wait(PATIENCE)
    assert sum(1 for _ in lines) == many * 64 - 1


def test_a_connection_closed_under_our_hands_does_not_keep_the_reader_waiting() -> None:
    closed = io.BytesIO(b"x")
    closed.close()
    with pytest.raises(MalformedRequest, match="broke off"):
        list(ThingLines(closed, 100))


def test_a_stream_cut_short_never_gives_its_last_line() -> None:
    body = b'{"name":"a"}\n{"name":"b"}'
    environ = {
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": "90",
    }
    headers = {**GOOD, "Content-Type": NDJSON}
    answer = client().post("/lines", headers=headers, environ_overrides=environ)
    assert [line.split(":")[:2] for line in answer.text.splitlines()] == [
        ["1", "a"],
        ["end", "400"],
    ]


def test_a_connection_that_breaks_off_is_the_callers_misfortune(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionResetError("secret words")

    environ = {"wsgi.input": Broken(), "wsgi.input_terminated": True}
    for path, content_type in (("/lines", NDJSON), ("/things", "application/json")):
        headers = {**GOOD, "Content-Type": content_type}
        answer = client().post(path, headers=headers, environ_overrides=environ)
        assert "The connection broke off" in answer.text
    assert "secret words" not in caplog.text


@given(
    lines=st.lists(st.binary(max_size=12).map(lambda raw: raw.replace(b"\n", b"")), max_size=8),
    cuts=st.lists(st.integers(1, 9), min_size=1),
)
def test_lines_do_not_depend_on_how_the_stream_is_cut(lines: list[bytes], cuts: list[int]) -> None:
    body = b"\n".join(lines)
    found = {one.number: one.raw for one in ThingLines(Drip(list(pieces(body, cuts))), 8)}
    assert found == {
        number: raw if len(raw) <= 8 else None
        for number, raw in enumerate(lines, start=1)
        if raw.strip() or len(raw) > 8
    }


def pieces(body: bytes, cuts: list[int]) -> Iterator[bytes]:
    stream, place = io.BytesIO(body), 0
    while piece := stream.read(cuts[place % len(cuts)]):
        yield piece
        place += 1
