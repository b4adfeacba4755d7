"""Every effect of a worker fails once: before it took place, or after, its answer lost.

The worker lives on. Whatever it was that failed, both stores end exactly in step, and nobody's
item has come closer to being parked.
"""

from __future__ import annotations

from contextlib import suppress

import pytest

from atom_backend.errors import DatabaseUnavailable, DependencyError, VectorStoreUnavailable
from tests.faults.effects.judging import assert_made_good
from tests.faults.effects.operations import EFFECTS, IN_POSTGRESQL, Operation, case_name
from tests.faults.effects.users import User
from tests.integration.coordinator.stage import Stage
from tests.watching import FailingAt, Moment

_ATTEMPTS = "select coalesce(max(attempts), 0) as most from index_entries where state = 'leased'"


class Outage(FailingAt):
    """Fails one call; notes what the attempts of later leases are."""

    def __init__(self, stage: Stage, moment: Moment) -> None:
        unavailable = moment[1] in IN_POSTGRESQL
        super().__init__(moment, DatabaseUnavailable() if unavailable else VectorStoreUnavailable())
        self._stage = stage
        self.attempts: list[int] = []

    def __call__(self, moment: Moment) -> None:
        over = self.happened
        super().__call__(moment)
        if over and moment == ("after", "lease"):
            self.attempts += [row.most for row in self._stage.sql(_ATTEMPTS)]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("operation", "effect"), EFFECTS, ids=case_name)
def test_an_effect_that_fails_once_costs_nothing_but_time(
    stage: Stage, user: User, operation: Operation, effect: str, when: str
) -> None:
    operation.before(user)
    stage.converge()
    operation.act(user)
    outage = Outage(stage, (when, effect))
    relay = stage.relay(announce=outage)
    with suppress(DependencyError):
        relay.run_once()
    assert outage.happened
    stage.let_time_pass()
    stage.converge(relay)
    assert set(outage.attempts) <= {0, 1}
    assert_made_good(stage, user)
