"""When a token is served, refreshed or refused; and what may be said of a grant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from atom_backend.clock import new_id
from atom_backend.domain.oauth_grants import Grant, GrantState, Step, next_step, settled_meanwhile

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENDED = GrantState.REAUTHORIZATION_REQUIRED


def a_grant(
    *,
    lasting: float | None = 3600,
    refreshable: bool = True,
    failed: float | None = None,
    state: GrantState = GrantState.ACTIVE,
) -> Grant:
    """Issued at noon; ``lasting`` and ``failed`` are seconds from then."""
    return Grant(
        id=new_id(),
        owner_id=new_id(),
        provider="example",
        account=None,
        scopes=("mail.read",),
        issued_at=NOON,
        expires_at=None if lasting is None else NOON + timedelta(seconds=lasting),
        state=state,
        reason=None,
        last_refreshed_at=None,
        last_used_at=None,
        failed_at=None if failed is None else NOON + timedelta(seconds=failed),
        created_at=NOON,
        updated_at=NOON,
        access_token=b"sealed access",
        refresh_token=b"sealed refresh" if refreshable else None,
    )


@pytest.mark.parametrize(
    ("grant", "after", "tried", "step"),
    [
        pytest.param(a_grant(), 0, False, Step.SERVE, id="fresh"),
        pytest.param(a_grant(), 3539, False, Step.SERVE, id="before the last minute"),
        pytest.param(a_grant(), 3540, False, Step.REFRESH, id="in the last minute"),
        pytest.param(a_grant(), 9999, False, Step.REFRESH, id="long expired"),
        pytest.param(a_grant(lasting=100), 89, False, Step.SERVE, id="short life"),
        pytest.param(a_grant(lasting=100), 90, False, Step.REFRESH, id="last tenth of it"),
        pytest.param(a_grant(lasting=None), 1e9, False, Step.SERVE, id="expiry not said"),
        pytest.param(a_grant(lasting=-9), 0, False, Step.REFRESH, id="stored when expired"),
        pytest.param(a_grant(), 3550, True, Step.SERVE, id="tried, not yet expired"),
        pytest.param(a_grant(), 3600, True, Step.GIVE_UP, id="tried and expired"),
        pytest.param(a_grant(refreshable=False), 3599, False, Step.SERVE, id="cannot, still good"),
        pytest.param(a_grant(refreshable=False), 3600, False, Step.REAUTHORIZE, id="cannot, over"),
        pytest.param(a_grant(failed=3550), 3554, False, Step.SERVE, id="failed just now"),
        pytest.param(a_grant(failed=3600), 3604, False, Step.GIVE_UP, id="failed, expired"),
        pytest.param(a_grant(failed=3600), 3605, False, Step.REFRESH, id="failed a while ago"),
        pytest.param(a_grant(state=ENDED), 0, False, Step.REAUTHORIZE, id="ended"),
        pytest.param(a_grant(state=ENDED), 9999, True, Step.REAUTHORIZE, id="ended, tried"),
    ],
)
def test_what_is_done_for_somebody_who_asks(
    grant: Grant, after: float, tried: bool, step: Step
) -> None:
    assert next_step(grant, NOON + timedelta(seconds=after), tried=tried) is step


def test_expiries_at_the_borders_of_time_are_understood() -> None:
    for moment in (datetime.min, datetime.max):
        grant = replace(a_grant(), expires_at=moment.replace(tzinfo=UTC))
        assert next_step(grant, NOON) in (Step.SERVE, Step.REFRESH)


@pytest.mark.parametrize(
    ("change", "settled"),
    [
        ({}, False),
        ({"last_used_at": NOON}, False),
        ({"access_token": b"sealed anew"}, False),
        ({"issued_at": NOON + timedelta(seconds=1)}, True),
        ({"failed_at": NOON}, True),
        ({"state": ENDED}, True),
    ],
)
def test_what_another_did_meanwhile_is_not_done_again(
    change: dict[str, object], settled: bool
) -> None:
    seen = a_grant()
    assert settled_meanwhile(seen, replace(seen, **change)) is settled  # type: ignore[arg-type]


def test_a_grant_does_not_show_even_its_sealed_tokens() -> None:
    assert "sealed" not in repr(a_grant())
