"""Outages that follow upon each other: however many, no item is blamed for them.

Giving back what an outage interrupted may itself be interrupted, by PostgreSQL this time; a worker
may be away for so long that another takes its items over, and fares no better.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pytest

from atom_backend.errors import DatabaseUnavailable, DependencyError, VectorStoreUnavailable
from tests.deterministic import refuse_poison
from tests.faults.effects.judging import assert_made_good
from tests.faults.effects.operations import IN_POSTGRESQL, INDEXING, create, create_again, load, one
from tests.faults.effects.users import User
from tests.integration.coordinator.stage import BACKOFF, Stage
from tests.promises.stores import parked
from tests.watching import Announce, Moment

LOST_TOUCH: list[Moment] = [("before", "extend"), ("before", "postpone")]


def outages(moments: Sequence[Moment]) -> Announce:
    """Fails once at each of these moments; at one that is named twice, twice."""
    coming = list(moments)

    def announce(moment: Moment) -> None:
        if moment in coming:
            coming.remove(moment)
            raise _outage_of(moment[1])

    return announce


def _outage_of(effect: str) -> DependencyError:
    return DatabaseUnavailable() if effect in IN_POSTGRESQL else VectorStoreUnavailable()


def attempts(stage: Stage) -> set[int]:
    return {row.attempts for row in stage.sql("select attempts from index_entries")}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("first", [("before", "add_chunks"), ("after", "lease")], ids=" ".join)
@pytest.mark.parametrize("second", ["postpone", "give_back"])
def test_giving_back_may_fail_too(
    stage: Stage, user: User, first: Moment, second: str, when: str
) -> None:
    create(user)
    relay = stage.relay(announce=outages([first, ("before", "postpone"), (when, second)]))
    for _ in range(4):
        with suppress(DependencyError):
            relay.run_once()
        assert max(attempts(stage)) <= 1
        stage.let_time_pass()
    stage.converge(relay)
    assert_made_good(stage, user)


@pytest.mark.parametrize("when", ["before", "after"])
def test_parking_may_fail_and_is_done_later_to_the_right_item_alone(
    stage: Stage, user: User, when: str
) -> None:
    load(user)
    user.put("bad", "Some poison.")
    relay = stage.relay(refuse_poison, outages([(when, "park")]))
    with suppress(DependencyError):
        relay.run_once()
    stage.let_time_pass()
    stage.converge(relay)
    assert parked(stage.sql).keys() == {user.ids["bad"]}
    user.assert_kept()
    stage.assert_in_step()


def test_an_outage_at_every_effect_in_turn_parks_nothing(stage: Stage, user: User) -> None:
    one(user)
    stage.converge()
    create_again(user)
    moments = [(when, effect) for effect in INDEXING for when in ("before", "after")]
    assert len(moments) > 2 * BACKOFF.max_attempts
    for moment in moments:
        relay = stage.relay(announce=outages([moment, ("before", "postpone")]))
        for _ in range(2):
            with suppress(DependencyError):
                relay.run_once()
            stage.let_time_pass()
    assert_made_good(stage, user)


def test_workers_that_take_over_from_each_other_and_fare_no_better_park_nothing(
    stage: Stage, user: User
) -> None:
    create(user)
    turns = 3 * BACKOFF.max_attempts
    workers = [stage.relay(announce=outages(LOST_TOUCH * turns)) for _ in range(2)]
    for turn in range(turns):
        with pytest.raises(DatabaseUnavailable):
            workers[turn % 2].run_once()
        assert max(attempts(stage)) <= 2
        stage.let_time_pass()
    stage.converge()
    assert_made_good(stage, user)
