"""Transactions commit, roll back, end in time, and turn every failure into one of our errors."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from atom_backend.clock import new_id
from atom_backend.domain.permissions import Role
from atom_backend.domain.principals import Principal
from atom_backend.domain.resources.documents import DOCUMENTS
from atom_backend.domain.resources.tasks import TASKS
from atom_backend.errors import (
    ConfigurationError,
    Conflict,
    DatabaseUnavailable,
    DependencyError,
    NotFound,
    StoredDataError,
    Unauthenticated,
)
from atom_backend.relational.embedded import EmbeddedServer
from atom_backend.relational.engine import create_engine, normalized_url
from atom_backend.relational.provision import DatabaseUrls
from atom_backend.relational.transactions import PostgresTransactions, TimeLimits
from tests.conftest import RunSql
from tests.integration.relational.racing import together
from tests.making import a_document, a_draft, a_user, changed

Open = Callable[..., PostgresTransactions]

BRIEF = TimeLimits(statement=0.2, lock=0.1, idle=0.2)
KILL_OTHERS = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
"""


@pytest.fixture
def owner(transactions: PostgresTransactions) -> Principal:
    return a_user(transactions)


@pytest.fixture
def open_transactions(database_url: str) -> Iterator[Open]:
    """Transactions on an engine with other limits than usual."""
    engines: list[sa.Engine] = []

    def make(
        url: str = database_url, *, limits: TimeLimits | None = None, **options: float
    ) -> PostgresTransactions:
        engines.append(create_engine(url, **options))  # type: ignore[arg-type]
        usual = TimeLimits() if limits is None else limits
        return PostgresTransactions(engines[-1], limits=usual, probe_limits=usual)

    yield make
    for engine in engines:
        engine.dispose()


def test_an_error_undoes_everything(transactions: PostgresTransactions, owner: Principal) -> None:
    document_id = new_id()

    def add_and_fail() -> None:
        with transactions.owner(owner) as work:
            work.records(DOCUMENTS).add(document_id, a_draft())
            work.records(DOCUMENTS).get(new_id())

    with pytest.raises(NotFound):
        add_and_fail()
    with pytest.raises(NotFound), transactions.owner(owner) as work:
        work.records(DOCUMENTS).get(document_id)


def test_an_acknowledged_write_is_there_for_everybody(
    transactions: PostgresTransactions, owner: Principal, open_transactions: Open
) -> None:
    document = a_document(transactions, owner)
    with open_transactions().owner(owner) as work:
        assert work.records(DOCUMENTS).get(document.id) == document


def test_a_probe_writes_and_reads_and_can_be_repeated(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    transactions.probe()
    (first,) = sql("select written_at from probes")
    transactions.probe()
    (second,) = sql("select written_at from probes")
    assert second.written_at > first.written_at


def test_one_process_is_elected_until_it_is_done(transactions: PostgresTransactions) -> None:
    with transactions.elected("repair") as first:
        with transactions.elected("repair") as second:
            assert (first, second) == (True, False)
        with transactions.elected("sweep") as other:
            assert other
    with transactions.elected("repair") as again:
        assert again


def test_an_elected_process_may_pause_longer_than_other_transactions(
    open_transactions: Open, sql: RunSql
) -> None:
    transactions = open_transactions(limits=BRIEF)
    with transactions.elected("repair"):
        sql("select pg_sleep(0.5)")
        with transactions.elected("repair") as second:
            assert not second


def test_two_changes_that_wait_for_each_other_end_with_a_retryable_error(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    pair = [a_document(transactions, owner).id, a_document(transactions, owner).id]
    both_hold_one = threading.Barrier(2)

    def change(number: int) -> str:
        try:
            with transactions.owner(owner) as work:
                work.records(DOCUMENTS).get(pair[number], for_update=True)
                both_hold_one.wait()
                work.records(DOCUMENTS).get(pair[1 - number], for_update=True)
        except DependencyError as error:
            return error.code if error.retryable else "final"
        return "done"

    assert sorted(together(change, 2)) == ["done", "transaction_conflict"]


def test_a_lock_that_is_not_freed_in_time_is_unavailable(
    transactions: PostgresTransactions, owner: Principal, open_transactions: Open
) -> None:
    document = a_document(transactions, owner)
    with transactions.owner(owner) as work:
        work.records(DOCUMENTS).get(document.id, for_update=True)
        with pytest.raises(DatabaseUnavailable), open_transactions(limits=BRIEF).owner(owner) as o:
            o.records(DOCUMENTS).get(document.id, for_update=True)


def test_a_statement_that_takes_too_long_is_unavailable(
    owner: Principal, open_transactions: Open, sql: RunSql
) -> None:
    sql("create policy slow on users as restrictive to atom_app using (pg_sleep(5) is not null)")
    with (
        pytest.raises(DatabaseUnavailable),
        open_transactions(limits=replace(BRIEF, lock=9)).owner(owner) as work,
    ):
        work.account.get()


def test_a_transaction_that_pauses_too_long_is_ended(
    owner: Principal, open_transactions: Open, sql: RunSql
) -> None:
    def pause() -> None:
        with open_transactions(limits=BRIEF).owner(owner) as work:
            work.account.get()
            sql("select pg_sleep(0.5)")
            work.account.get()

    with pytest.raises(DatabaseUnavailable):
        pause()


def test_a_pool_without_a_free_connection_is_unavailable(open_transactions: Open) -> None:
    transactions = open_transactions(max_connections=1, pool_timeout=0.05)
    with transactions.worker(), pytest.raises(DatabaseUnavailable), transactions.worker():
        pass
    transactions.probe()


def test_a_connection_lost_in_a_transaction_is_unavailable_and_nothing_is_written(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    document_id = new_id()

    def add_and_lose() -> None:
        with transactions.owner(owner) as work:
            work.records(DOCUMENTS).add(document_id, a_draft())
            sql(KILL_OTHERS)
            work.records(DOCUMENTS).get(document_id)

    with pytest.raises(DatabaseUnavailable):
        add_and_lose()
    with pytest.raises(NotFound), transactions.owner(owner) as work:
        work.records(DOCUMENTS).get(document_id)


def test_a_connection_lost_before_the_commit_is_unavailable(
    transactions: PostgresTransactions, owner: Principal, sql: RunSql
) -> None:
    def rename_and_lose() -> None:
        with transactions.owner(owner) as work:
            work.account.rename("never")
            sql(KILL_OTHERS)

    with pytest.raises(DatabaseUnavailable):
        rename_and_lose()
    with transactions.owner(owner) as work:
        assert work.account.get().display_name is None


def test_idle_connections_that_were_lost_are_replaced_unnoticed(
    transactions: PostgresTransactions, sql: RunSql
) -> None:
    transactions.probe()
    sql(KILL_OTHERS)
    transactions.probe()


def test_a_server_that_is_not_there_is_unavailable(open_transactions: Open, tmp_path: Path) -> None:
    for url in (f"postgres://x@/x?host={quote(str(tmp_path))}", "postgresql://x@127.0.0.1:1/x"):
        with pytest.raises(DatabaseUnavailable):
            open_transactions(url).probe()


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_a_server_that_never_answers_is_unavailable_after_the_connect_timeout(
    open_transactions: Open, deaf_port: int
) -> None:
    with pytest.raises(DatabaseUnavailable, match=r"within 0\.2 seconds"):
        open_transactions(f"postgresql://x@127.0.0.1:{deaf_port}/x", connect_timeout=0.2).probe()


@pytest.mark.parametrize("url", ["", "not a url", "mysql://x@y/z", "postgresql+asyncpg://x@y/z"])
def test_a_wrong_url_is_a_configuration_error_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        create_engine(url)
    assert url == "" or url not in str(refusal.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_every_usual_scheme_means_psycopg2(scheme: str) -> None:
    url = normalized_url(f"{scheme}://user:pass@host:5433/name?sslmode=require")
    assert url.drivername == "postgresql+psycopg2"
    assert (url.host, url.port, url.query["sslmode"]) == ("host", 5433, "require")


def test_a_missing_schema_is_a_configuration_error(
    open_transactions: Open, postgresql: EmbeddedServer, template: DatabaseUrls
) -> None:
    with pytest.raises(ConfigurationError, match="atom_refusal"):
        open_transactions(postgresql.url("atom_login")).probe()


UNLIKELY = {one.name: one.default for one in TASKS.fields} | {"title": "Tides", "status": "done"}
"""A task that is done since never, which its rules would not let happen."""


def test_a_broken_constraint_is_not_the_callers_fault(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    with pytest.raises(StoredDataError), transactions.owner(owner) as work:
        work.records(TASKS).add(new_id(), UNLIKELY)


def test_a_taken_identifier_is_a_conflict(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    document = a_document(transactions, owner)
    with pytest.raises(Conflict), transactions.owner(owner) as work:
        work.records(DOCUMENTS).add(document.id, a_draft())


def test_no_error_tells_the_values_of_a_statement(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    a_document(transactions, owner, external_id="secret-name")
    other = a_document(transactions, owner)
    with pytest.raises(StoredDataError) as refusal, transactions.owner(owner) as work:
        work.records(TASKS).add(new_id(), UNLIKELY | {"title": "secret title"})
    assert "secret" not in str(refusal.value)
    with pytest.raises(Conflict) as conflict, transactions.owner(owner) as work:
        changed(work, other.id, external_id="secret-name")
    assert "secret" not in str(conflict.value)


def test_an_owner_without_an_account_can_store_nothing(transactions: PostgresTransactions) -> None:
    nobody = Principal(new_id(), None, Role.USER)
    with pytest.raises(Unauthenticated), transactions.owner(nobody) as work:
        work.records(DOCUMENTS).add(new_id(), a_draft())


def test_sizes_name_every_table(transactions: PostgresTransactions, owner: Principal) -> None:
    with transactions.worker() as work:
        sizes = work.sizes()
    assert {"users", "documents", "index_entries", "sessions"} <= sizes.keys()


def test_sources_are_what_the_documents_say_now(
    transactions: PostgresTransactions, owner: Principal
) -> None:
    kept, gone = a_document(transactions, owner, "old"), a_document(transactions, owner)
    with transactions.worker() as worker:
        leases = worker.index.lease(new_id(), limit=9, seconds=60, suspects=False, max_attempts=6)
    with transactions.owner(owner) as work:
        changed(work, kept.id, tags=("t",))
        changed(work, kept.id, text="new", title="New")
        work.records(DOCUMENTS).remove(gone.id)
    with transactions.worker() as worker:
        sources = worker.sources([one.item_id for one in leases])
        assert worker.sources([]) == {}
    (source,) = sources.values()
    assert (source.item_id, source.owner_id, source.kind) == (
        kept.id,
        owner.user_id,
        leases[0].kind,
    )
    assert (source.title, source.text, source.revision) == ("New", "new", 3)
