"""A worker is killed while it seals the audit trail: the next one goes on where the chain ends."""

from __future__ import annotations

from signal import SIGKILL

import pytest

from atom_backend.coordinator.sealing import Sealing
from tests.faults.effects.operations import several
from tests.faults.effects.processes import Processes, Strike, killed
from tests.faults.effects.program import work
from tests.faults.effects.users import User
from tests.integration.coordinator.stage import Stage
from tests.integration.relational.sealing import head, verify

MOMENTS = [
    (when, effect)
    for effect in ("hold", "add", "move_mark")
    for when in ("before", "within", "after")
]


@pytest.mark.parametrize("moment", MOMENTS, ids="-".join)
def test_a_sealer_may_be_killed_at_any_point(
    stage: Stage, user: User, processes: Processes, moment: tuple[str, str]
) -> None:
    several(user)
    noted = head(stage.transactions)
    assert killed(processes.start(work, [Strike(moment, SIGKILL)]))
    assert verify(stage.transactions, noted).holds
    several(user)
    Sealing(stage.transactions, batch=2).run_once()
    unsealed = (
        "select count(*) from audit_entries where id not in (select entry_id from audit_seals)"
    )
    assert stage.sql(unsealed) == [(0,)]
    assert verify(stage.transactions, noted).holds
