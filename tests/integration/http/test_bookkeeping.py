"""Accounts, transactions, transfers and sums over HTTP: what holds between them."""

from __future__ import annotations

import json
import random
import uuid
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from atom_backend.domain.finance import ledger, money
from tests.integration.http.conftest import Account

NOON = "2030-01-31T12:00:00Z"
NOBODYS = str(uuid.uuid4())


def an_account(account: Account, currency: str = "EUR", **fields: Any) -> str:
    answer = account.post("/v1/accounts", json={"name": "Purse", "currency": currency} | fields)
    assert answer.status_code == 201, answer.text
    identifier: str = answer.json["id"]
    return identifier


def a_transaction(account: Account, purse: str, amount: str, **fields: Any) -> Any:
    given = {"account_id": purse, "amount": amount, "posted_at": NOON} | fields
    answer = account.post("/v1/transactions", json=given)
    assert answer.status_code == 201, answer.text
    return answer.json


def a_transfer(account: Account, origin: str, to: str, amount: str, **fields: Any) -> Any:
    given = {"from_account_id": origin, "to_account_id": to, "amount": amount, "posted_at": NOON}
    return account.post("/v1/transactions/transfer", json=given | fields)


def balance(account: Account, purse: str) -> str:
    kept: str = account.get(f"/v1/accounts/{purse}").json["balance"]
    return kept


def problem(answer: Any) -> tuple[int, str]:
    """The status, and where the mistake is."""
    return answer.status_code, answer.json["errors"][0]["pointer"]


def test_a_balance_follows_its_transactions_and_changes_the_etag(account: Account) -> None:
    purse, other = an_account(account), an_account(account)
    address = f"/v1/accounts/{purse}"
    made = a_transaction(account, purse, "0.1")
    a_transaction(account, purse, "0.2")
    assert (balance(account, purse), account.get(address).headers["ETag"]) == ("0.30", '"3"')
    one = f"/v1/transactions/{made['id']}"
    account.patch(one, json={"amount": "-1000.05"})
    assert balance(account, purse) == "-999.85"
    account.patch(one, json={"account_id": other})
    assert (balance(account, purse), balance(account, other)) == ("0.20", "-1000.05")
    account.delete(one)
    assert balance(account, other) == "0.00"
    late = account.patch(address, json={"name": "Late"}, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    assert account.patch(address, json={"balance": "1.00"}).status_code == 422


def test_sums_of_the_largest_amounts_are_exact(account: Account) -> None:
    purse = an_account(account, "CLF")
    largest = "9" * 16 + ".9999"
    for _ in range(3):
        a_transaction(account, purse, largest)
    assert balance(account, purse) == str(Decimal(largest) * 3)


@pytest.mark.parametrize(
    "amount",
    [
        *("1e3", "NaN", "Infinity", "1,5", "1.005", "-0", "-0.00", "+1", " 1", "1 000", "٣", ""),
        *("1" + "0" * 30, 12.5, 1, True, None, [], "1\u0000", "0x10", "1_0", "\ud800"),
    ],
)
def test_what_is_no_exact_amount_is_refused(account: Account, amount: Any) -> None:
    purse = an_account(account)
    given = {"account_id": purse, "amount": amount, "posted_at": NOON}
    raw = json.dumps(given).encode()
    answer = account.post(
        "/v1/transactions", data=raw, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert "amount" in answer.text or answer.status_code == 400
    assert balance(account, purse) == "0.00"


@pytest.mark.parametrize(
    ("currency", "fine", "wrong"),
    [("JPY", "1500", "1501.0"), ("KWD", "1.005", "1.0005"), ("EUR", "1.5", "1.005")],
)
def test_an_amount_has_no_more_decimals_than_its_currency(
    account: Account, currency: str, fine: str, wrong: str
) -> None:
    purse = an_account(account, currency)
    made = a_transaction(account, purse, fine)
    assert Decimal(made["amount"]) == Decimal(fine)
    assert (made["currency"], balance(account, purse)) == (currency, made["amount"])
    again = account.patch(f"/v1/transactions/{made['id']}", json={"description": "Tea"})
    assert (again.status_code, again.json["amount"]) == (200, made["amount"])
    answer = account.patch(f"/v1/transactions/{made['id']}", json={"amount": wrong})
    assert problem(answer) == (422, "/amount")


@pytest.mark.parametrize("currency", ["XYZ", "eur", "XAU", "€", "E\u00dcR"])
def test_a_currency_that_does_not_exist_is_refused(account: Account, currency: str) -> None:
    answer = account.post("/v1/accounts", json={"name": "Purse", "currency": currency})
    assert problem(answer) == (422, "/currency")
    assert answer.json["code"] == "unknown_currency"


def test_an_account_with_transactions_keeps_its_currency_and_stays(account: Account) -> None:
    purse = an_account(account)
    address = f"/v1/accounts/{purse}"
    assert account.patch(address, json={"currency": "JPY"}).json["balance"] == "0"
    made = a_transaction(account, purse, "5")
    assert problem(account.patch(address, json={"currency": "EUR"})) == (422, "/currency")
    refused = account.delete(address)
    assert (refused.status_code, refused.json["code"]) == (409, "account_in_use")
    assert "one transaction" in refused.json["detail"]
    account.delete(f"/v1/transactions/{made['id']}")
    assert account.delete(address).status_code == 204


def test_nothing_is_booked_on_an_account_of_somebody_else(
    account: Account, stranger: Account
) -> None:
    theirs, mine = an_account(stranger), an_account(account)
    made = a_transaction(account, mine, "1")
    for purse in (theirs, NOBODYS):
        given = {"account_id": purse, "amount": "1", "posted_at": NOON}
        assert problem(account.post("/v1/transactions", json=given)) == (422, "/account_id")
        moved = account.patch(f"/v1/transactions/{made['id']}", json={"account_id": purse})
        assert problem(moved) == (422, "/account_id")
        assert problem(a_transfer(account, mine, purse, "1")) == (422, "/to_account_id")
        assert problem(a_transfer(account, purse, mine, "1")) == (422, "/from_account_id")
        sums = account.get(f"/v1/transactions/sums?account_id={purse}")
        assert sums.json == {"items": []}
    assert (balance(account, mine), balance(stranger, theirs)) == ("1.00", "0.00")


def test_a_transaction_does_not_move_to_another_currency(account: Account) -> None:
    made = a_transaction(account, an_account(account), "1")
    dollars = an_account(account, "USD")
    answer = account.patch(f"/v1/transactions/{made['id']}", json={"account_id": dollars})
    assert problem(answer) == (422, "/account_id")


@pytest.mark.parametrize("posted_at", ["1899-12-31T23:59:59Z", "9999-06-01T00:00:00Z"])
def test_a_day_that_is_a_slip_of_the_pen_is_refused(account: Account, posted_at: str) -> None:
    given = {"account_id": an_account(account), "amount": "1", "posted_at": posted_at}
    assert problem(account.post("/v1/transactions", json=given)) == (422, "/posted_at")


def test_lists_are_chosen_by_account_text_time_and_amount(account: Account) -> None:
    purse, other = an_account(account), an_account(account)
    rent = a_transaction(account, purse, "-700", category="rent", posted_at="2030-01-01T00:00:00Z")
    tea = a_transaction(account, purse, "-3.50", category="food", counterparty="Tea house")
    gift = a_transaction(account, other, "20")

    def listed(query: str) -> list[str]:
        answer = account.get(f"/v1/transactions?sort=amount&{query}")
        return [one["id"] for one in answer.json["items"]]

    assert listed("") == [rent["id"], tea["id"], gift["id"]]
    assert listed(f"account_id={other}") == [gift["id"]]
    assert listed("category=food") == listed("counterparty=Tea%20house") == [tea["id"]]
    assert listed("posted_before=2030-01-31T12:00:00Z") == [rent["id"]]
    assert listed("posted_after=2030-01-31T12:00:00Z") == [tea["id"], gift["id"]]
    assert listed("amount_from=-3.5&amount_below=20") == [tea["id"]]
    assert account.get("/v1/transactions?amount_from=1e3").status_code == 422
    first = account.get("/v1/transactions?sort=amount&limit=1").json["next_cursor"]
    assert listed(f"limit=1&cursor={first}") == [tea["id"]]


def test_both_sides_of_a_transfer_come_and_go_together(account: Account) -> None:
    giro, savings = an_account(account), an_account(account)
    made = a_transfer(account, giro, savings, "12.5", description="Rest")
    assert made.status_code == 201
    assert made.json["outgoing"]["amount"] == "-12.50"
    assert made.json["incoming"] | {"id": 0} == made.json["outgoing"] | {
        "id": 0,
        "account_id": savings,
        "amount": "12.50",
    }
    assert (balance(account, giro), balance(account, savings)) == ("-12.50", "12.50")
    listed = account.get(made.headers["Location"]).json["items"]
    assert {one["id"] for one in listed} == {made.json[n]["id"] for n in ("outgoing", "incoming")}
    one = f"/v1/transactions/{made.json['incoming']['id']}"
    for change in ({"amount": "13"}, {"account_id": giro}):
        assert problem(account.patch(one, json=change)) == (422, f"/{next(iter(change))}")
    assert account.patch(one, json={"category": "savings"}).json["category"] == "savings"
    assert account.patch(one, json={"transfer_id": None}).status_code == 422
    assert account.delete(one).status_code == 204
    assert account.get("/v1/transactions").json["items"] == []
    assert (balance(account, giro), balance(account, savings)) == ("0.00", "0.00")


def test_between_currencies_a_transfer_says_what_arrives(account: Account) -> None:
    euros, yen = an_account(account), an_account(account, "JPY")
    assert problem(a_transfer(account, euros, yen, "10")) == (422, "/to_amount")
    assert problem(a_transfer(account, euros, yen, "10", to_amount="0.5")) == (422, "/to_amount")
    assert a_transfer(account, euros, yen, "10", to_amount="1600").status_code == 201
    assert (balance(account, euros), balance(account, yen)) == ("-10.00", "1600")


def test_a_transfer_that_is_not_possible_changes_nothing(account: Account) -> None:
    giro, savings = an_account(account), an_account(account)
    for amount in ("0", "-1", "0.001", "1e3", 5):
        assert problem(a_transfer(account, giro, savings, amount)) == (422, "/amount")  # type: ignore[arg-type]
    assert problem(a_transfer(account, giro, giro, "1")) == (422, "/to_account_id")
    assert problem(a_transfer(account, giro, savings, "1", to_amount="2")) == (422, "/to_amount")
    assert account.get("/v1/transactions").json["items"] == []


def test_a_transfer_that_is_repeated_with_its_key_is_made_once(account: Account) -> None:
    giro, savings = an_account(account), an_account(account)
    given = {"from_account_id": giro, "to_account_id": savings, "amount": "1", "posted_at": NOON}
    sent = {"json": given, "headers": {"Idempotency-Key": '"once"'}}
    first, again = (account.post("/v1/transactions/transfer", **sent) for _ in range(2))
    assert (first.status_code, again.json) == (201, first.json)
    assert balance(account, savings) == "1.00"


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/New_York"])
def test_sums_are_exact_in_the_months_of_a_zone(account: Account, zone: str) -> None:
    purse, chance = an_account(account), random.Random(7)
    begin = datetime(2029, 12, 1, tzinfo=UTC)
    drafts = []
    for _ in range(60):
        posted_at = begin + timedelta(hours=chance.randint(0, 24 * 100))
        amount = Decimal(chance.randint(-(10**18), 10**18)).scaleb(-2)
        category = chance.choice([None, "food", "rent"])
        drafts.append(ledger.TransactionDraft(uuid.UUID(purse), amount, posted_at, category))
    lines = b"\n".join(
        json.dumps(
            {
                "account_id": purse,
                "amount": str(one.amount),
                "posted_at": one.posted_at.isoformat(),
                "category": one.category,
            }
        ).encode()
        for one in drafts
    )
    loaded = account.post(
        "/v1/transactions/batch", data=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    assert loaded.data.count(b'"status":201') == len(drafts)

    def sums(by: str) -> list[tuple[Any, ...]]:
        query = {"by": by, "time_zone": zone}
        items = account.get("/v1/transactions/sums", query_string=query).json["items"]
        assert {one["currency"] for one in items} == {"EUR"}
        names = ("month", "category", "count", "income", "expenses", "net")
        return [tuple(one[name] for name in names) for one in items]

    def told(chosen: Iterable[ledger.TransactionDraft]) -> tuple[Any, ...]:
        amounts = [one.amount for one in chosen]
        parts = [money.total(a for a in amounts if (a > 0) is gained) for gained in (True, False)]
        return (len(amounts), *(f"{each:.2f}" for each in (*parts, money.total(parts))))

    months = defaultdict(list)
    for one in drafts:
        months[f"{one.posted_at.astimezone(ZoneInfo(zone)):%Y-%m}"].append(one)
    assert sums("month") == [(month, None, *told(months[month])) for month in sorted(months)]
    assert sums("category") == [
        (None, category, *told(one for one in drafts if one.category == category))
        for category in ("food", "rent", None)
    ]
    both = sums("month,category")
    assert sum(one[2] for one in both) == len(drafts)
    assert len({one[:2] for one in both}) == len(both) > len(months)


def test_sums_keep_currencies_apart_and_leave_out_what_is_not_asked_for(account: Account) -> None:
    euros, yen, other = an_account(account), an_account(account, "JPY"), an_account(account)
    a_transaction(account, euros, "10", posted_at="2030-01-01T00:00:00Z")
    a_transaction(account, yen, "-500", posted_at="2030-01-02T00:00:00Z")
    a_transfer(account, euros, other, "4")

    def sums(query: str) -> list[tuple[str, int, str]]:
        items = account.get(f"/v1/transactions/sums?{query}").json["items"]
        return [(one["currency"], one["count"], one["net"]) for one in items]

    assert sums("") == [("EUR", 3, "10.00"), ("JPY", 1, "-500")]
    assert sums("transfers=false") == [("EUR", 1, "10.00"), ("JPY", 1, "-500")]
    assert sums(f"account_id={other}") == [("EUR", 1, "4.00")]
    day = "from=2030-01-02T00:00:00Z&to=2030-01-31T12:00:00Z"
    assert sums(day) == [("JPY", 1, "-500")]


@pytest.mark.parametrize(
    "query", ["by=day", "by=", "time_zone=Mars/Base", "time_zone=localtime", "from=x", "unheard=1"]
)
def test_a_question_for_sums_that_says_nothing_is_refused(account: Account, query: str) -> None:
    assert account.get(f"/v1/transactions/sums?{query}").status_code in (400, 422)
