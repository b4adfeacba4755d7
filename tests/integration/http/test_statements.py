"""Bank statements over HTTP: what is open is asked, what is clear is stored, and stored once."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.integration.http.conftest import Account
from tests.integration.http.test_bookkeeping import NOBODYS, an_account, balance

CLEAR = """Date,Payee,Description,Amount
2030-01-31,Tea house,Two cups,-7.00
2030-01-31,Tea house,Two cups,-7.00
2030-01-30,Employer,January,2100.50
"""
OPEN = "Date;Payee;Amount\n01/02/2030;Tea house;-7,00\n03/04/2030;Rent;-700,00\n"


def send(account: Account, purse: str, act: str, content: str | bytes, **form: str) -> Any:
    """By hand: the test client would keep a large form in a file that it never closes."""
    raw = content if isinstance(content, bytes) else content.encode()
    parts = [f'; name="{name}"\r\n\r\n{value}'.encode() for name, value in form.items()]
    parts.append(b'; name="file"; filename="statement.csv"\r\n\r\n' + raw)
    body = b"".join(b"--x\r\nContent-Disposition: form-data" + one + b"\r\n" for one in parts)
    return account.post(
        f"/v1/accounts/{purse}/statements/{act}",
        data=body + b"--x--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )


def preview(account: Account, purse: str, content: str, **form: Any) -> Any:
    answer = send(account, purse, "preview", content, **form)
    assert answer.status_code == 200, answer.text
    return answer.json


def load(account: Account, purse: str, content: str, mapping: Any = None, **form: Any) -> Any:
    chosen = mapping or preview(account, purse, content, **form)["mapping"]
    answer = send(account, purse, "import", content, mapping=json.dumps(chosen), **form)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_preview_stores_nothing_and_shows_what_an_import_stores(account: Account) -> None:
    purse = an_account(account)
    seen = preview(account, purse, CLEAR, time_zone="Europe/Berlin")
    assert (seen["questions"], seen["rows"]) == ([], 3)
    assert seen["cells"][0] == ["2030-01-31", "Tea house", "Two cups", "-7.00"]
    assert account.get("/v1/transactions").json["items"] == []
    done = load(account, purse, CLEAR, seen["mapping"], time_zone="Europe/Berlin")
    assert done == {"rows": 3, "added": 3, "known": 0, "refused": 0, "refused_rows": []}
    stored = account.get("/v1/transactions?sort=created_at").json["items"]
    for sample, one in zip(seen["sample"], stored, strict=True):
        assert sample.items() <= one.items()
        assert (one["account_id"], one["source"], one["currency"]) == (purse, "statement", "EUR")
    assert stored[0]["posted_at"] == "2030-01-31T11:00:00.000000Z"
    assert balance(account, purse) == "2086.50"


def test_the_same_statement_adds_nothing_and_an_overlapping_one_what_is_new(
    account: Account,
) -> None:
    purse = an_account(account)
    assert load(account, purse, CLEAR)["added"] == 3, "two equal rows of a day are two"
    (gift, *_) = account.get("/v1/transactions?amount_from=0").json["items"]
    account.patch(f"/v1/transactions/{gift['id']}", json={"category": "salary"})
    assert load(account, purse, CLEAR) | {"refused_rows": 0} == {
        "rows": 3,
        "added": 0,
        "known": 3,
        "refused": 0,
        "refused_rows": 0,
    }
    assert account.get(f"/v1/transactions/{gift['id']}").json["category"] == "salary"
    later = CLEAR + "2030-02-01,Tea house,Two cups,-7.00\n"
    assert load(account, purse, later)["added"] == 1
    assert balance(account, purse) == "2079.50"
    again = account.get(f"/v1/accounts/{purse}").headers["ETag"]
    load(account, purse, later)
    assert account.get(f"/v1/accounts/{purse}").headers["ETag"] == again


def test_what_a_bank_calls_a_row_names_it_within_one_account_only(account: Account) -> None:
    text = "Date,Amount,Transaction ID\n2030-01-31,1.00,7\n2030-01-31,1.00," + "8" * 512 + "\n"
    for purse in (an_account(account), an_account(account)):
        assert load(account, purse, text)["added"] == 2
        assert load(account, purse, text)["known"] == 2
        assert balance(account, purse) == "2.00"


def test_what_is_not_clear_is_asked_and_answered(account: Account) -> None:
    purse = an_account(account)
    seen = preview(account, purse, OPEN)
    assert [one["about"] for one in seen["questions"]] == ["date_format"]
    assert seen["sample"] == []
    refused = send(account, purse, "import", OPEN, mapping=json.dumps(seen["mapping"]))
    assert (refused.status_code, refused.json["code"]) == (422, "incomplete_mapping")
    assert refused.json["errors"][0]["pointer"] == "/date_format"
    answered = seen["mapping"] | {"date_format": "DD/MM/YYYY"}
    again = preview(account, purse, OPEN, mapping=json.dumps(answered))
    assert again["questions"] == []
    assert load(account, purse, OPEN, again["mapping"])["added"] == 2
    months = account.get("/v1/transactions/sums?by=month").json["items"]
    assert [one["month"] for one in months] == ["2030-02", "2030-04"]


def test_rows_that_cannot_be_read_are_named_and_the_others_stored(account: Account) -> None:
    purse = an_account(account)
    text = CLEAR + "2030-02-30,Nobody,No such day,1.00\n2030-02-01,Nobody,Too exact,0.001\n"
    done = load(account, purse, text)
    assert (done["added"], done["refused"]) == (3, 2)
    assert [one["line"] for one in done["refused_rows"]] == [5, 6]
    assert "date" in done["refused_rows"][0]["reason"]


@pytest.mark.parametrize("act", ["preview", "import"])
def test_only_the_owners_accounts_take_statements(
    account: Account, stranger: Account, act: str
) -> None:
    mapping = json.dumps(preview(account, an_account(account), CLEAR)["mapping"])
    for purse in (an_account(stranger), NOBODYS, str(uuid.UUID(int=0))):
        answer = send(account, purse, act, CLEAR, mapping=mapping)
        assert answer.status_code == 404
    assert stranger.get("/v1/transactions").json["items"] == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"\x00\x01\x02\xff" * 100, 422),
        (b"%PDF-1.7 and so on", 422),
        (b"Date,Amount\n" + b"2030-01-31,1.00\n" * 50_001, 413),
        (b"Date,Amount\n2030-01-31,1.00\n" + b'"x\n' * 110_000, 413),
        (b"Date,Amount\n2030-01-31,1.00\n" + b"x" * (4 * 1024 * 1024), 413),
        (b"Date,Amount\n2030-01-31," + b"9" * 30 + b"\n", 422),
    ],
)
def test_a_file_that_is_no_statement_is_refused(
    account: Account, content: bytes, status: int
) -> None:
    answer = send(account, an_account(account), "preview", content)
    assert answer.status_code == status, answer.text
    assert answer.json["detail"]


@pytest.mark.parametrize(
    "form",
    [
        {"time_zone": "Mars/Base"},
        {"mapping": "{"},
        {"mapping": "[]"},
        {"mapping": '{"encoding": "ebcdic"}'},
        {"mapping": '{"columns": {"date": 61}}'},
        {"mapping": '{"columns": {"date": "0"}}'},
        {"mapping": '{"columns": {"nothing": 0}}'},
        {"mapping": '{"header": ' + json.dumps(["x"] * 61) + "}"},
        {"mapping": '{"unheard": 1}'},
        {"mapping": '{"header": ["Date", "Amount"], "columns": {"date": 5, "amount": 1}}'},
        {"unheard": "1"},
    ],
)
def test_a_mapping_or_zone_that_says_nothing_is_refused(
    account: Account, form: dict[str, str]
) -> None:
    assert send(account, an_account(account), "preview", CLEAR, **form).status_code in (400, 422)
