"""PostgreSQL finds documents by words and by conditions, and reads no other owner's rows."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.items import Kind
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.search import SearchFilter
from atom_backend.relational.engine import create_engine
from atom_backend.relational.item_queries import found
from atom_backend.relational.transactions import PostgresTransactions
from tests.conftest import RunSql
from tests.making import a_document, a_draft, a_user

EVERYTHING = SearchFilter()


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


def search(
    transactions: PostgresTransactions,
    owner: Principal,
    query: str,
    conditions: SearchFilter = EVERYTHING,
    **page: int,
) -> list[UUID]:
    with transactions.owner(owner) as work:
        matches = work.items.search(
            query, frozenset(), conditions, **({"limit": 9, "offset": 0} | page)
        )
    return [match.item_id for match in matches]


def test_any_word_of_the_query_may_match_and_more_words_rank_higher(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    one = a_document(transactions, owner, "apples in the garden", title="a").id
    both = a_document(transactions, owner, "apples and pears in the garden", title="b").id
    a_document(transactions, owner, "nothing of the kind", title="c")
    assert search(transactions, owner, "pears apples") == [both, one]


def test_a_word_in_the_title_counts_more_than_in_the_text(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    in_text = a_document(transactions, owner, "the harbour lies still", title="Evening").id
    in_title = a_document(transactions, owner, "the evening lies still", title="Harbour").id
    assert search(transactions, owner, "harbour") == [in_title, in_text]


def test_a_match_brings_kind_text_and_a_score_between_0_and_1(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    document = a_document(transactions, owner, "the moon " * 400)
    with transactions.owner(owner) as work:
        (match,) = work.items.search("moon", frozenset(), EVERYTHING, limit=9, offset=0)
    assert (match.item_id, match.kind) == (document.id, Kind.DOCUMENT)
    assert match.text == "the moon " * 400
    assert 0 < match.score < 1


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Ärger mit dem Straßenamt", "STRASSENAMT ärger"),
        ("Москва весной", "москва"),
        ("a well-known fact", "well-known"),
        ("a known fact", "well-known"),
        ("see http://example.org/a?b=1&c=2", "http://example.org/a?b=1&c=2"),
        ("it's O'Reilly's", "o'reilly's"),
        ("C:\\temp is full", "c:\\temp & | ! <-> ( :* 'full"),
    ],
)
def test_words_of_every_shape_are_found(
    transactions: PostgresTransactions, owner: Principal, text: str, query: str
) -> None:
    document = a_document(transactions, owner, text)
    assert search(transactions, owner, query) == [document.id]


@pytest.mark.parametrize("query", ["", " ", "&|!", "'", "\\", "(", "<->"])
def test_a_query_without_words_finds_nothing(
    transactions: PostgresTransactions, owner: Principal, query: str
) -> None:
    a_document(transactions, owner)
    assert search(transactions, owner, query) == []


def test_results_can_be_taken_page_by_page(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    for _ in range(5):
        a_document(transactions, owner)
    whole = search(transactions, owner, "moon")
    pages = [search(transactions, owner, "moon", limit=2, offset=n) for n in (0, 2, 4)]
    assert [*pages[0], *pages[1], *pages[2]] == whole
    assert len(whole) == 5


CONDITIONS: dict[str, SearchFilter] = {
    "one tag": SearchFilter(tags=("red",)),
    "all tags": SearchFilter(tags=("red", "blue")),
    "source": SearchFilter(source="mail"),
    "metadata": SearchFilter(metadata={"from": {"name": "O'Hara"}}),
    "nothing": SearchFilter(tags=("red",), source="web"),
    "everything": EVERYTHING,
}
EXPECTED = {
    "one tag": {"both", "red"},
    "all tags": {"both"},
    "source": {"both"},
    "metadata": {"red"},
    "nothing": set(),
    "everything": {"both", "red", "plain"},
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_filter_means_the_same_to_search_matching_and_enrich(
    transactions: PostgresTransactions, owner: Principal, name: str
) -> None:
    ids = {
        "both": a_document(transactions, owner, tags=("blue", "red"), source="mail").id,
        "red": a_document(
            transactions, owner, tags=("red",), metadata={"from": {"name": "O'Hara", "n": 1}}
        ).id,
        "plain": a_document(transactions, owner, metadata={"from": "O'Hara"}).id,
    }
    a_document(transactions, a_user(transactions), tags=("blue", "red"), source="mail")
    expected = {ids[one] for one in EXPECTED[name]}
    with transactions.owner(owner) as work:
        matches = work.items.search("moon", frozenset(), CONDITIONS[name], limit=9, offset=0)
        assert {match.item_id for match in matches} == expected
        assert set(work.items.matching(CONDITIONS[name], limit=9)) == expected
        assert (
            set(work.items.enrich({Kind.DOCUMENT: list(ids.values())}, CONDITIONS[name]))
            == expected
        )


def test_a_time_range_includes_its_beginning_and_excludes_its_end(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    document = a_document(transactions, owner)
    moment, tick = document.created_at, timedelta(microseconds=1)

    def matches(**conditions: Any) -> bool:
        with transactions.owner(owner) as work:
            return bool(work.items.matching(SearchFilter(**conditions), limit=9))

    assert matches(created_after=moment)
    assert not matches(created_after=moment + tick)
    assert not matches(created_before=moment)
    assert matches(created_before=moment + tick)


def test_matching_stops_at_its_limit(transactions: PostgresTransactions, owner: Principal) -> None:
    for _ in range(3):
        a_document(transactions, owner)
    with transactions.owner(owner) as work:
        assert len(work.items.matching(EVERYTHING, limit=2)) == 2


def test_enrich_answers_for_what_exists_and_is_the_owners(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    mine = a_document(transactions, owner)
    foreign = a_document(transactions, a_user(transactions))
    with transactions.owner(owner) as work:
        assert work.items.enrich({Kind.DOCUMENT: [mine.id, foreign.id, new_id()]}, EVERYTHING) == {
            mine.id: mine
        }
        assert work.items.enrich({Kind.DOCUMENT: []}, EVERYTHING) == {}


def test_ten_megabytes_of_different_words_are_stored_and_found_by_their_beginning(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    rng = random.Random(1)
    words = (f"{rng.getrandbits(40):010x}" for _ in range(10_000_000 // 11))
    text = "beginning " + " ".join(words)
    with transactions.owner(owner) as work:
        document = work.records(DOCUMENTS).add(new_id(), a_draft(text, title="Unusual"))
        assert work.records(DOCUMENTS).get(document.id, whole=True).values["text"] == text
    assert search(transactions, owner, "beginning") == [document.id]
    assert search(transactions, owner, "unusual") == [document.id]


OWNERS, EACH = 20, 300


@pytest.fixture
def crowd(transactions: PostgresTransactions, sql: RunSql) -> list[Principal]:
    """Owners with some hundred documents each, all of them alike."""
    owners = [a_user(transactions) for _ in range(OWNERS)]
    sql(
        """
        with made as (
        insert into items (id, owner_id, kind, content_hash, title, text, tags, metadata)
        select gen_random_uuid(), owner, 'document', sha256('x'), 'note ' || n,
            'common word and ' || case when n % 100 = 0 then 'rare' else 'frequent' end,
            case when n % 100 = 0 then '{rare}'::text[] else '{usual}' end,
            jsonb_build_object('n', n)
        from unnest(cast(:owners as uuid[])) owner, generate_series(1, :each) n
        returning id, owner_id
        )
        insert into documents select id, owner_id, 'text/plain', 1 from made
        """,
        owners=[owner.user_id for owner in owners],
        each=EACH,
    )
    sql("vacuum analyze items")
    return owners


@pytest.mark.parametrize(
    ("question", "conditions", "matches"),
    [
        ("rare", EVERYTHING, 3),
        ("rare nowhere", EVERYTHING, 3),
        ("common", SearchFilter(tags=("rare",)), 3),
        ("common", EVERYTHING, EACH),
        (None, SearchFilter(tags=("rare",)), 3),
        (None, SearchFilter(metadata={"n": 7}), 1),
        (None, EVERYTHING, EACH),
    ],
)
def test_finding_reads_the_matching_rows_of_its_owner_and_no_others(
    crowd: list[Principal],
    database_url: str,
    question: str | None,
    conditions: SearchFilter,
    matches: int,
) -> None:
    finding = sa.select(found(conditions, question=question, limit=OWNERS * EACH))
    engine = create_engine(database_url, max_connections=0)
    with engine.connect() as connection:
        connection.execute(
            sa.text("select set_config('role', 'atom_app', true), set_config(:name, :id, true)"),
            {"name": "atom.owner_id", "id": str(crowd[7].user_id)},
        )
        assert len(connection.execute(finding).all()) == matches
        assert (connection.scalar(ROWS_READ) or 0) <= matches


ROWS_READ = sa.text("""
    select seq_tup_read + coalesce(idx_tup_fetch, 0)
    from pg_stat_xact_user_tables where relname = 'items'
""")
"""Rows of ``items`` that this transaction has fetched so far, by an index or by a scan."""
