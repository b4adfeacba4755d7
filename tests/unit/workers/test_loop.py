"""The worker's loop, at its edges: what it does next, how long it waits, and what may end it.

The stores' real behaviour under the loop is tested elsewhere; here PostgreSQL is one number, the
relay a list of reports, and time moves only when somebody waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import cast

import pytest

from atom_backend.coordinator.relay import Relay, RelayReport
from atom_backend.domain.ports import Transactions
from atom_backend.errors import AtomError, DatabaseUnavailable, VectorStoreUnavailable
from atom_backend.workers.loop import Worker

IDLE = RelayReport()
BUSY = RelayReport(leased=3, settled=3, full=True)
LITTLE = RelayReport(leased=3, settled=3)
OUTAGE = RelayReport(leased=3, postponed=3, outage="lancedb_unavailable")
HALF_AN_OUTAGE = RelayReport(
    leased=3, removed=1, postponed=2, outage="embedder_unavailable", full=True
)

Step = RelayReport | Exception


class Surroundings(Event):
    """Everything around one worker; as an event, it tells the worker to stop at its last step.

    ``waits`` lists the waits in their order: for "work", which ends early when work is announced,
    or "out" an outage or the time in which more may come, which do not.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        super().__init__()
        self.steps = list(steps)
        self.waits: list[tuple[str, float]] = []
        self.turns = 0
        self.time = 1_000.0
        self.due_in: float | None = None
        self.specs: list[str] = []
        self.spec_changed = 0
        self.down: AtomError | None = None
        self.deaf: Exception | None = None

    def run_once(self) -> RelayReport:
        """The relay."""
        self.turns += 1
        step = self.steps[self.turns - 1]
        if self.turns == len(self.steps):
            self.set()
        if isinstance(step, Exception):
            raise step
        return step

    @contextmanager
    def worker(self) -> Iterator[Surroundings]:
        """PostgreSQL."""
        if self.down is not None:
            raise self.down
        yield self

    @property
    def index(self) -> Surroundings:
        return self

    def require_spec(self, spec: str) -> int:
        self.specs.append(spec)
        return self.spec_changed

    def seconds_until_due(self) -> float | None:
        return self.due_in

    def wait(self, timeout: float | None = None) -> bool:
        """The event, on which is waited out what no announcement shortens."""
        return self.passed("out", timeout)

    def passed(self, reason: str, seconds: float | None) -> bool:
        assert seconds is not None
        self.waits.append((reason, seconds))
        self.time += seconds
        return False


class Announcements:
    """The wakeup of the same surroundings."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def wait(self, seconds: float) -> bool:
        if self._around.deaf is not None:
            raise self._around.deaf
        return self._around.passed("work", seconds)

    def close(self) -> None:
        """Nothing is held."""


def worker_in(around: Surroundings, spec: Callable[[], str] = lambda: "chunker|model|8") -> Worker:
    return Worker(cast(Transactions, around), cast(Relay, around), Announcements(around), spec=spec)


def run(*steps: Step) -> Surroundings:
    """A worker's whole life, one step a turn; the steps' end is when it is told to stop."""
    around = Surroundings(steps)
    worker_in(around).run(around)
    return around


def test_there_is_no_waiting_while_there_is_as_much_work_as_a_pass_takes() -> None:
    around = run(BUSY, BUSY, BUSY, IDLE)
    assert around.turns == 4
    assert around.waits == []


def test_after_a_pass_that_was_not_full_more_is_gathered() -> None:
    assert run(LITTLE, LITTLE, BUSY, IDLE).waits == [("out", 0.1), ("out", 0.1)]


def test_the_worker_waits_for_an_announcement_when_nothing_is_due() -> None:
    assert run(IDLE, BUSY, IDLE, IDLE).waits == [("work", 5.0), ("work", 5.0)]


@pytest.mark.parametrize(
    ("due_in", "pause"), [(None, 5.0), (900.0, 5.0), (1.5, 1.5), (0.0, 0.05), (-3.0, 0.05)]
)
def test_the_wait_ends_when_the_next_entry_is_due(due_in: float | None, pause: float) -> None:
    around = Surroundings([IDLE])
    around.due_in = due_in
    assert worker_in(around).turn() == pause


def test_a_worker_that_was_told_to_stop_neither_turns_nor_waits() -> None:
    around = Surroundings([IDLE])
    around.set()
    worker_in(around).run(around)
    assert (around.turns, around.waits) == (0, [])


def test_a_stop_during_a_turn_skips_the_wait_after_it() -> None:
    assert run(IDLE).waits == []


@pytest.mark.parametrize("step", [OUTAGE, DatabaseUnavailable(), VectorStoreUnavailable()], ids=str)
def test_the_pause_grows_while_an_outage_lasts(step: Step) -> None:
    around = run(*[step] * 8)
    assert around.waits == [("out", s) for s in (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0)]


def test_an_outage_that_lasts_for_days_does_not_overflow_the_pause() -> None:
    assert run(*[DatabaseUnavailable()] * 3_000).waits[-1] == ("out", 15.0)


def test_after_an_outage_the_worker_is_as_quick_as_before() -> None:
    around = run(OUTAGE, OUTAGE, OUTAGE, BUSY, IDLE, OUTAGE)
    assert around.waits == [("out", 1.0), ("out", 2.0), ("out", 4.0), ("work", 5.0), ("out", 1.0)]


def test_an_outage_of_one_part_does_not_hold_up_what_needs_only_the_other() -> None:
    assert run(HALF_AN_OUTAGE, HALF_AN_OUTAGE, IDLE).waits == []


@pytest.mark.parametrize(
    "error", [ValueError("a defect"), RuntimeError("another"), MemoryError(), AtomError("ours")]
)
def test_a_pass_that_raises_never_ends_the_loop(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    around = run(error, error, BUSY, IDLE)
    assert around.turns == 4
    assert around.waits == [("out", 1.0), ("out", 2.0)]
    assert [record.levelno for record in caplog.records if record.exc_info] == [logging.ERROR] * 2


def test_an_outage_is_a_warning_that_names_its_reason_and_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    run(OUTAGE, DatabaseUnavailable())
    warnings = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert [one.levelno for one in warnings] == [logging.WARNING] * 2
    assert "lancedb_unavailable" in warnings[0].getMessage()
    assert "PostgreSQL does not answer" in warnings[1].getMessage()


@pytest.mark.parametrize("error", [DatabaseUnavailable(), OSError("the connection broke")])
def test_a_wakeup_that_fails_neither_ends_the_loop_nor_makes_it_spin(error: Exception) -> None:
    around = Surroundings([IDLE] * 4)
    around.deaf = error
    worker_in(around).run(around)
    assert around.turns == 4
    assert around.waits == [("out", 1.0), ("out", 2.0), ("out", 4.0)]


def test_the_spec_is_required_once_a_start_and_before_the_first_lease() -> None:
    around = Surroundings([BUSY, BUSY, OUTAGE, IDLE])
    seen: list[int] = []

    def spec() -> str:
        seen.append(around.turns)
        return "chunker|model|8"

    worker_in(around, spec=spec).run(around)
    assert around.specs == ["chunker|model|8"]
    assert seen == [0]


def test_the_spec_is_required_again_until_it_was_once() -> None:
    around = Surroundings([IDLE, IDLE])
    around.down = DatabaseUnavailable()
    worker = worker_in(around)
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            worker.turn()
    assert around.turns == 0
    around.down = None
    worker.turn()
    worker.turn()
    assert len(around.specs) == 1


def test_items_of_another_spec_are_mentioned_and_no_items_are_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    around = Surroundings([IDLE])
    around.spec_changed = 12
    worker_in(around).run(around)
    run(IDLE)
    assert [one.getMessage() for one in caplog.records if "spec" in one.getMessage()] == [
        "12 items were indexed under another spec and are due again"
    ]


def test_what_a_pass_did_is_logged_as_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    run(BUSY, IDLE)
    assert caplog.messages == ["Leased 3, settled 3, removed 0."]
