"""What the driver writes down can be read and judged again."""

from __future__ import annotations

from tests.promises.history import (
    Arrival,
    Event,
    Farewell,
    History,
    Reading,
    Removal,
    Search,
    Write,
    as_line,
    read_lines,
)
from tests.unit.promises.telling import Told, hit

KINDS: list[type[Event]] = [Arrival, Farewell, Write, Removal, Reading, Search]


def test_a_history_survives_being_written_and_read() -> None:
    told = Told()
    number = told.write("letter", external_id="a")
    told.doubt("letter", item=None)
    told.read("letter", None)
    told.search(hit("letter", number), word="zbadax", degraded=("lancedb",))
    told.remove("letter")
    told.leave()
    lines = [as_line(event) for kind in KINDS for event in told.history.of(kind)]
    read = History(read_lines([*lines, '{"event": "note", "fault": "kill worker"}']))
    assert len(read) == len(told.history) == 8
    for kind in KINDS:
        assert read.of(kind) == told.history.of(kind)
