"""The judges of I2, I3, I5, I7 and I8 find what was planted in real stores."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import lancedb
import pytest

from tests.deterministic import indexer, refuse_poison
from tests.integration.coordinator.stage import Stage
from tests.invariants import CHUNKS, PROCESSED
from tests.making import a_document
from tests.promises.history import Arrival, History, Outcome, Write
from tests.promises.kept import broken_writes, stored
from tests.promises.secrets import columns, files, leaks
from tests.promises.stores import out_of_order, overwritten, parked, still_waiting

CANARY = "canary of the coal mine"


def numbers(violations: list[str]) -> set[str]:
    return {violation.partition(":")[0] for violation in violations}


def a_write(number: int, item: UUID, revision: int, text: str, **more: object) -> Write:
    values = {"number": number, "owner": "ann", "begun": 2.0 * number, "ended": 2.0 * number + 1}
    fields = {"title": "Tides", "text": text, "note": ""}
    named = {"item": item, "revision": revision, "fields": fields}
    return Write(**{**values, **named, **more})  # type: ignore[arg-type]


def test_an_older_text_in_lancedb_is_found_although_postgresql_is_right(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner, "The older word zbadax.")
    history = History([a_write(1, document.id, 1, "The older word zbadax.")])
    stage.converge()
    assert overwritten(history, stage.lance) == []
    newer = "The newer word zbodox."
    stage.documents.change(stage.owner, document.id, {"text": newer})
    history.add(a_write(2, document.id, 2, newer))
    assert numbers(overwritten(history, stage.lance)) == {"I8"}
    stage.converge()
    assert overwritten(history, stage.lance) == []


def test_a_text_whose_answer_was_lost_is_excused(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner, "The older word zbadax.")
    stage.documents.change(stage.owner, document.id, {"text": "The word zbodox."})
    stage.converge()
    history = History([a_write(1, document.id, 1, "The older word zbadax.")])
    lost = a_write(2, document.id, 2, "The word zbodox.", outcome=Outcome.UNKNOWN)
    assert numbers(overwritten(History([*history.of(Write), lost]), stage.lance)) == set()


def test_what_postgresql_holds_is_read_as_it_was_written(stage: Stage) -> None:
    document = a_document(
        stage.transactions, stage.owner, "The word zbadax.", metadata={"note": "zbidix"}
    )
    fields = {"title": "Tides", "text": "The word zbadax.", "note": "zbidix"}
    write = a_write(1, document.id, 1, "", fields=fields)
    who = Arrival(number=0, owner="ann", begun=0, ended=1, user_id=stage.owner.user_id)
    assert broken_writes(History([who, write]), stored(stage.sql)) == []


@pytest.mark.parametrize(
    ("promise", "table", "which"),
    [("I2", CHUNKS, "true"), ("I2", PROCESSED, "true")],
)
def test_a_loss_in_lancedb_breaks_its_promise(
    stage: Stage, promise: str, table: str, which: str
) -> None:
    a_document(stage.transactions, stage.owner)
    stage.converge()
    assert out_of_order(stage.sql, stage.lance, spec=indexer().spec) == []
    lancedb.connect(stage.lance).open_table(table).delete(which)
    assert numbers(out_of_order(stage.sql, stage.lance)) == {promise}


def test_rows_without_an_item_break_their_promise(stage: Stage) -> None:
    a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.sql("delete from items")
    assert numbers(out_of_order(stage.sql, stage.lance)) == {"I3", "I5"}


def test_what_waits_and_what_is_parked_in_silence_breaks_its_promise(stage: Stage) -> None:
    a_document(stage.transactions, stage.owner)
    assert numbers(still_waiting(stage.sql)) == {"I5"}
    stage.converge()
    assert still_waiting(stage.sql) == []
    stage.sql("alter table index_entries drop constraint index_entries_parked")
    stage.sql("update index_entries set state = 'parked', reason = ''")
    assert numbers(still_waiting(stage.sql)) == {"I5"}


def test_a_tombstone_that_stays_breaks_its_promise(stage: Stage) -> None:
    document = a_document(stage.transactions, stage.owner)
    stage.converge()
    stage.documents.remove(stage.owner, document.id)
    stage.sql("update index_entries set state = 'parked', reason = 'whatever'")
    assert numbers(still_waiting(stage.sql)) == {"I5"}


def test_what_is_parked_says_why(stage: Stage) -> None:
    guilty = a_document(stage.transactions, stage.owner, "This is poison.")
    stage.converge(stage.relay(refuse_poison))
    assert list(parked(stage.sql)) == [guilty.id]
    assert still_waiting(stage.sql) == []


@pytest.mark.parametrize(
    "plant",
    [
        "update users set display_name = :canary",
        "update sessions set agent = 'with ' || :canary || ' inside'",
        "update items set metadata = jsonb_build_object('key', cast(:canary as text))",
        "update credentials set password_hash = encode(convert_to(:canary, 'UTF8'), 'hex')",
        "insert into idempotency_keys select id, 'k', '\\x00', 200, '{}',"
        " convert_to(:canary, 'UTF8') from users",
    ],
)
def test_a_secret_in_any_column_is_found(stage: Stage, plant: str) -> None:
    a_document(stage.transactions, stage.owner)
    stage.sql("insert into sessions (id, user_id) select id, id from users")
    secrets = {"the password": CANARY}
    assert leaks(secrets, columns(stage.sql)) == []
    stage.sql(plant, canary=CANARY)
    assert numbers(leaks(secrets, columns(stage.sql))) == {"I7"}


def test_a_secret_in_any_file_is_found_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "web.log").write_bytes(b"\xff\x00 it said " + CANARY.encode() + b"\n")
    (found,) = leaks({"the password": CANARY}, files(tmp_path))
    assert "web.log" in found
    assert CANARY not in found
