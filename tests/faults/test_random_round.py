"""A short round of the random driver: real processes, random operations, random faults.

``scripts/faults`` runs long ones. Each run of the tests has the same seed, so that a failure here
can be looked for again; what it finds depends on the moments, which no seed decides.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from tests.driver.attack import attack
from tests.promises.history import Search, Write

SEED = 20
OPERATIONS, KILLS, OTHERS = 120, 14, 8


@pytest.mark.timeout(600)
def test_a_round_of_random_faults_breaks_no_promise() -> None:
    with tempfile.TemporaryDirectory(prefix="atom-round-") as made:
        Path(made).chmod(0o755)
        with closing(attack(Path(made), SEED, rate=12.0)) as attacks:
            result = attacks.round(OPERATIONS, KILLS, OTHERS)
            report = attacks.report
    assert result.violations == []
    history = report.recorder.history
    assert sum(write.acknowledged for write in history.of(Write)) > OPERATIONS / 3
    assert history.of(Search)
    assert report.faults.sigkills > KILLS / 2
