"""Counts by facet, beside counting by hand: exact, and of the owner's items that are chosen."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.facets import MOST_VALUES, Counts, Facet, FacetValue
from atom_backend.domain.items import Kind
from atom_backend.domain.principals import Principal
from atom_backend.domain.search import SearchFilter
from atom_backend.relational.engine import create_engine
from atom_backend.relational.item_queries import counted
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.integration.relational.test_finding import ROWS_READ
from tests.making import a_document, a_user

Acting = Callable[[Principal], AbstractContextManager[sa.Connection]]

EVERY_FACET = frozenset(Facet)
BEGINNING = datetime(2023, 11, 28, tzinfo=UTC)
MIDDLE = BEGINNING + timedelta(days=60)


@dataclass(frozen=True)
class One:
    """An item, as far as conditions and facets look at it."""

    kind: Kind
    tags: tuple[str, ...]
    source: str | None
    metadata: dict[str, int]
    created_at: datetime
    happens_at: datetime | None

    @property
    def month(self) -> str:
        return f"{self.happens_at or self.created_at:%Y-%m}"


CHOICES: list[tuple[frozenset[Kind], SearchFilter, Callable[[One], bool]]] = [
    (frozenset(), SearchFilter(), lambda _: True),
    (frozenset({Kind.TASK}), SearchFilter(), lambda one: one.kind is Kind.TASK),
    (frozenset(), SearchFilter(tags=("a", "b")), lambda one: {"a", "b"} <= {*one.tags}),
    (frozenset(), SearchFilter(source="mail"), lambda one: one.source == "mail"),
    (frozenset(), SearchFilter(metadata={"n": 1}), lambda one: one.metadata == {"n": 1}),
    (frozenset(), SearchFilter(created_after=MIDDLE), lambda one: one.created_at >= MIDDLE),
    (frozenset(), SearchFilter(created_before=MIDDLE), lambda one: one.created_at < MIDDLE),
    (
        frozenset({Kind.TASK, Kind.MEMORY}),
        SearchFilter(happens_after=MIDDLE, happens_before=MIDDLE + timedelta(30), tags=("a",)),
        lambda one: (
            one.kind is not Kind.DOCUMENT
            and one.happens_at is not None
            and MIDDLE <= one.happens_at < MIDDLE + timedelta(30)
            and "a" in one.tags
        ),
    ),
    (frozenset(), SearchFilter(source="nobody"), lambda _: False),
]


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


@pytest.fixture
def acting(database_url: str) -> Iterator[Acting]:
    """A connection that does an owner's work."""
    engine = create_engine(database_url, max_connections=0)

    @contextmanager
    def act(owner: Principal) -> Iterator[sa.Connection]:
        become = "select set_config('role', 'atom_app', true), set_config(:name, :id, true)"
        with engine.connect() as connection:
            named = {"name": "atom.owner_id", "id": str(owner.user_id)}
            connection.execute(sa.text(become), named)
            yield connection

    yield act
    engine.dispose()


def count(
    transactions: PostgresTransactions,
    owner: Principal,
    kinds: frozenset[Kind] = frozenset(),
    conditions: SearchFilter = SearchFilter(),  # noqa: B008
    facets: Iterable[Facet] = EVERY_FACET,
) -> Counts:
    with transactions.owner(owner) as work:
        return work.items.count(frozenset(facets), kinds, conditions)


def an_item(random: Random) -> One:
    def moment() -> datetime:
        return BEGINNING + timedelta(seconds=random.randrange(120 * 86_400))

    return One(
        kind=random.choice([Kind.DOCUMENT, Kind.TASK, Kind.MEMORY]),
        tags=tuple(random.sample(["a", "b", "c", "Ä", "東京"], random.randrange(4))),
        source=random.choice([None, "mail", "web"]),
        metadata={"n": random.randrange(3)},
        created_at=moment(),
        happens_at=random.choice([None, moment()]),
    )


def store(sql: RunSql, owner: Principal, several: Iterable[One]) -> None:
    for one in several:
        sql(
            "insert into items (id, owner_id, kind, content_hash, title, text, source, tags,"
            " metadata, created_at, happens_at) values (:id, :owner, :kind, sha256('x'), 'x', 'x',"
            " :source, :tags, cast(:metadata as jsonb), :created_at, :happens_at)",
            id=new_id(),
            owner=owner.user_id,
            kind=one.kind.value,
            source=one.source,
            tags=list(one.tags),
            metadata=json.dumps(one.metadata),
            created_at=one.created_at,
            happens_at=one.happens_at,
        )


def by_hand(items: Iterable[One]) -> dict[Facet, list[tuple[str, int]]]:
    """By falling counts, then by value; months from the newest on."""
    chosen = list(items)

    def frequent(values: Iterable[str]) -> list[tuple[str, int]]:
        return sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))

    return {
        Facet.KIND: frequent(one.kind.value for one in chosen),
        Facet.TAG: frequent(tag for one in chosen for tag in one.tags),
        Facet.MONTH: sorted(Counter(one.month for one in chosen).items(), reverse=True),
    }


def test_every_count_is_what_counting_by_hand_gives(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    random = Random(4)
    mine = [an_item(random) for _ in range(120)]
    store(sql, owner, mine)
    store(sql, a_user(transactions), [an_item(random) for _ in range(40)])
    for kinds, conditions, satisfied in CHOICES:
        counts = count(transactions, owner, kinds, conditions)
        assert {
            facet: [(one.value, one.count) for one in said.values] for facet, said in counts.items()
        } == by_hand(filter(satisfied, mine)), conditions
        assert {said.further for said in counts.values()} == {0}


def test_only_what_was_asked_for_is_counted(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    a_document(transactions, owner, tags=("sea",))
    counts = count(transactions, owner, facets=[Facet.TAG])
    assert {facet: said.values for facet, said in counts.items()} == {
        Facet.TAG: (FacetValue("sea", 1),)
    }


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        ("2024-01-31T23:59:59.999999Z", "2024-01"),
        ("2024-02-01T00:30:00+01:00", "2024-01"),
        ("2024-01-31T23:30:00-01:00", "2024-02"),
        ("0001-01-01T00:00:00Z", "0001-01"),
        ("9999-12-31T23:59:59Z", "9999-12"),
    ],
)
def test_a_month_is_that_of_universal_time_wherever_the_session_is(
    transactions: PostgresTransactions, owner: Principal, acting: Acting, moment: str, month: str
) -> None:
    a_document(transactions, owner)
    with acting(owner) as connection:
        connection.execute(sa.text("set local timezone to 'Asia/Tokyo'"))
        connection.execute(
            sa.text("update items set happens_at = cast(:moment as timestamptz)"),
            {"moment": moment},
        )
        (row,) = connection.execute(sa.select(counted([Facet.MONTH], (), SearchFilter())))
        assert (row.value, row.number) == (month, 1)


def test_values_beyond_the_most_are_counted_and_not_shown(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    rare = [f"tag {number:03}" for number in range(MOST_VALUES + 3)]
    for tags in (rare, ["often"], ["often"]):
        document = a_document(transactions, owner)
        sql("update items set tags = :tags where id = :id", tags=tags, id=document.id)
    said = count(transactions, owner)[Facet.TAG]
    assert said.further == 4
    assert [one.value for one in said.values] == ["often", *rare[: MOST_VALUES - 1]]
    assert said.values[0].count == 2


OWNERS, EACH = 10, 200


@pytest.fixture
def crowd(transactions: PostgresTransactions, sql: RunSql) -> list[Principal]:
    """Owners with some hundred items each, all of them alike."""
    owners = [a_user(transactions) for _ in range(OWNERS)]
    sql(
        """
        insert into items (id, owner_id, kind, content_hash, title, text, tags, metadata)
        select gen_random_uuid(), owner, case when n % 50 = 0 then 'task' else 'document' end,
            sha256('x'), 'x', 'x', case when n % 100 = 0 then '{rare}'::text[] else '{usual}' end,
            jsonb_build_object('n', n)
        from unnest(cast(:owners as uuid[])) owner, generate_series(1, :each) n
        """,
        owners=[owner.user_id for owner in owners],
        each=EACH,
    )
    sql("vacuum analyze items")
    return owners


@pytest.mark.parametrize(
    ("kinds", "conditions", "matches"),
    [
        ((), SearchFilter(), EACH),
        ((), SearchFilter(tags=("rare",)), 2),
        ((Kind.TASK,), SearchFilter(), 4),
        ((), SearchFilter(metadata={"n": 7}), 1),
    ],
)
def test_counting_reads_the_rows_that_it_counts_and_no_others(
    crowd: list[Principal],
    acting: Acting,
    kinds: tuple[Kind, ...],
    conditions: SearchFilter,
    matches: int,
) -> None:
    with acting(crowd[3]) as connection:
        rows = connection.execute(sa.select(counted([Facet.KIND], kinds, conditions))).all()
        assert sum(row.number for row in rows) == matches
        assert (connection.scalar(ROWS_READ) or 0) <= matches
