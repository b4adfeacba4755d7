"""How long failures make the next attempt wait."""

from __future__ import annotations

import pytest

from atom_backend.domain import throttling
from atom_backend.domain.addresses import counted_as
from atom_backend.domain.throttling import FORGOTTEN_AFTER, Slowing, Tally

SLOWING = Slowing(free=3, longest=60.0)
POLICIES = [getattr(throttling, name) for name in dir(throttling) if name.isupper()]


@pytest.mark.parametrize(
    ("failures", "age", "wait"),
    [
        (0, 0.0, 0.0),
        (2, 0.0, 0.0),
        (3, 0.0, 1.0),
        (3, 0.25, 0.75),
        (3, 1.0, 0.0),
        (4, 0.0, 2.0),
        (5, 1.0, 3.0),
        (8, 0.0, 32.0),
        (9, 0.0, 60.0),
        (9, 59.0, 1.0),
        (10**9, 0.0, 60.0),
        (10**9, 60.0, 0.0),
        (10**9, FORGOTTEN_AFTER, 0.0),
    ],
)
def test_the_wait_doubles_up_to_its_bound(failures: int, age: float, wait: float) -> None:
    assert SLOWING.wait(Tally(failures, age)) == wait


def test_nobody_is_locked_out_for_longer_than_a_quarter_of_an_hour() -> None:
    slowings = [one for one in POLICIES if isinstance(one, Slowing)]
    assert len(slowings) == 5
    assert max(one.wait(Tally(10**6)) for one in slowings) == 900.0
    assert throttling.ACCOUNT.wait(Tally(10**6)) == 60.0


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("127.0.0.1", None),
        ("::1", None),
        ("nonsense", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_is_counted_with_those_that_one_subscriber_has(
    address: str | None, counted: str | None
) -> None:
    assert counted_as(address) == counted
