"""Calendar files taken in and given out over HTTP."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.http.agenda import BERLIN, MARCH, an_event, page
from tests.integration.http.conftest import Account


def ics(*events: str, name: str | None = None) -> bytes:
    head = [f"X-WR-CALNAME:{name}"] if name else []
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *head, *events, "END:VCALENDAR", ""]
    return "\r\n".join(lines).encode()


def vevent(uid: str | None, *lines: str, title: str = "Tea") -> str:
    named = [f"UID:{uid}"] if uid else []
    start = [] if any(one.startswith("DTSTART") for one in lines) else ["DTSTART:20260302T090000"]
    return "\r\n".join(["BEGIN:VEVENT", *named, *start, f"SUMMARY:{title}", *lines, "END:VEVENT"])


def imported(account: Account, content: bytes, **query: str) -> list[Any]:
    answer = account.post(
        "/v1/events/import", data=content, content_type="text/calendar", query_string=query
    )
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def outcomes(account: Account, content: bytes, **query: str) -> list[str]:
    return [one["outcome"] for one in imported(account, content, **query)]


def test_an_import_says_of_every_part_what_became_of_it(account: Account) -> None:
    first, todo, bad = imported(
        account,
        ics(
            vevent("1", "X-COLOR:red"),
            "BEGIN:VTODO\r\nUID:2\r\nEND:VTODO",
            vevent("3", "RRULE:FREQ=SOMETIMES"),
            name="Work",
        ),
        **BERLIN,
    )
    assert (first["outcome"], first["line"], first["uid"]) == ("created", 4, "1")
    assert first["notes"] == ["not kept: X-COLOR"]
    stored = account.get(f"/v1/events/{first['id']}").json
    assert (stored["calendar"], stored["uid"], stored["floating"]) == ("Work", "1", True)
    assert stored["starts_at"] == "2026-03-02T09:00:00.000000+01:00"
    assert (todo["component"], todo["outcome"], todo["line"]) == ("VTODO", "refused", 10)
    assert (bad["component"], bad["outcome"], bad["line"]) == ("VEVENT", "refused", 13)
    assert "FREQ" in bad["reason"]
    assert len(page(account)["items"]) == 1


def test_a_file_that_is_sent_again_changes_what_changed(account: Account) -> None:
    one, two = vevent("1"), vevent("2")
    assert outcomes(account, ics(one, two)) == ["created", "created"]
    (first, _) = page(account, sort="created_at")["items"]
    tagged = {"tags": ["mine"], "metadata": {"a": 1}, "source": "phone"}
    account.patch(f"/v1/events/{first['id']}", json=tagged)
    assert outcomes(account, ics(one, two)) == ["unchanged", "unchanged"]
    again = imported(account, ics(vevent("1", title="Coffee"), two))
    assert [part["outcome"] for part in again] == ["replaced", "unchanged"]
    changed = account.get(f"/v1/events/{first['id']}").json
    assert (again[0]["id"], changed["title"]) == (first["id"], "Coffee")
    assert {name: changed[name] for name in tagged} == tagged


def test_one_uid_in_two_calendars_is_two_events(account: Account) -> None:
    file = ics(vevent("1"), name="Work")
    assert outcomes(account, file) == ["created"]
    assert outcomes(account, file, calendar="Home") == ["created"]
    assert outcomes(account, file) == ["unchanged"]
    found = page(account, uid="1")["items"]
    assert {one["calendar"] for one in found} == {"Work", "Home"}
    assert {one["external_id"] for one in found} == {"Work/1", "Home/1"}


def test_an_event_without_a_uid_is_known_by_what_it_says(account: Account) -> None:
    file = ics(vevent(None), vevent(None, title="Coffee"))
    assert outcomes(account, file) == ["created", "created"]
    assert outcomes(account, file) == ["unchanged", "unchanged"]
    assert outcomes(account, exported(account).encode()) == ["unchanged", "unchanged"]
    assert "UID" in imported(account, file)[0]["notes"][0]


def test_an_unchanged_import_is_not_indexed_again(
    account: Account, index: Callable[[], None]
) -> None:
    imported(account, ics(vevent("1", "LOCATION:Pier")))
    index()
    imported(account, ics(vevent("1", "LOCATION:Pier")))
    imported(account, ics(vevent("1", "LOCATION:Pier", "DTSTART:20260303T090000")))
    (stored,) = page(account)["items"]
    assert (stored["index_state"], stored["revision"]) == ("indexed", 2)


def test_a_calendar_may_be_the_file_of_a_form(account: Account) -> None:
    answer = account.post(
        "/v1/events/import?calendar=Work",
        data={"file": (io.BytesIO(ics(vevent("1"))), "work.ics")},
        content_type="multipart/form-data",
    )
    assert json.loads(answer.text)["outcome"] == "created"
    assert page(account)["items"][0]["calendar"] == "Work"


@pytest.mark.parametrize(
    ("content", "query", "status"),
    [
        (b"", {}, 415),
        (b"\x00" * 100, {}, 415),
        (b"BEGIN:VCARD\r\nEND:VCARD\r\n", {}, 415),
        (b"BEGIN:VCALENDAR\r\nSUMMARY:\xff\xfe\x9d\r\nEND:VCALENDAR", {}, 422),
        (ics(vevent("1")), {"time_zone": "Mars/Olympus"}, 422),
        (ics(vevent("1")), {"time_zone": "../etc/passwd"}, 422),
        (ics(vevent("1")), {"calendar": ""}, 422),
        (ics(vevent("1")), {"zone": "UTC"}, 400),
        (b"x" * 300_000, {}, 413),
    ],
)
def test_what_is_no_calendar_is_refused_as_a_whole(
    account: Account, content: bytes, query: dict[str, str], status: int
) -> None:
    answer = account.post(
        "/v1/events/import", data=content, content_type="text/calendar", query_string=query
    )
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    if "time_zone" in query:
        assert answer.json["errors"][0]["pointer"] == "/time_zone"
    assert page(account)["items"] == []


@pytest.mark.parametrize(
    "part",
    [
        vevent("1", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
        vevent("1", "DTSTART:99991231T235959Z", "DURATION:P9999W"),
        vevent("1", "DTEND:19000101T000000Z"),
        vevent("x" * 600),
        vevent("1", title="x" * 1_001),
        vevent("1", "ATTENDEE:mailto:" + "x" * 600),
        "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260302T090000Z",
    ],
)
def test_a_hostile_event_is_refused_by_itself(account: Account, part: str) -> None:
    found = imported(account, ics(part, vevent("good")))
    assert [(one.get("uid"), one["outcome"]) for one in found] == [
        (None, "refused"),
        ("good", "created"),
    ]
    assert found[0]["reason"]


def exported(account: Account, **query: str) -> str:
    answer = account.get("/v1/events/export", query_string=query)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar"), answer.text
    text: str = answer.text
    return text


def test_what_was_exported_is_imported_as_it_was(account: Account, stranger: Account) -> None:
    an_event(
        account,
        *("Tea", "2026-03-27T09:00:00", "2026-03-27T10:00:00"),
        **BERLIN,
        calendar="Work",
        recurrence="FREQ=DAILY;COUNT=6",
        exceptions=["2026-03-28T09:00:00"],
        overrides=[{"original_start": "2026-03-29T09:00:00", "title": "Late tea"}],
        attendees=[{"address": "ada@example.org", "name": 'Ada; "the" first', "role": "chair"}],
        description="BEGIN:VEVENT\nEND:VCALENDAR",
    )
    an_event(account, "Feast", "2026-03-01", "2026-03-02", **BERLIN, all_day=True)
    an_event(account, "Here", "2026-03-01T09:00:00", "2026-03-01T10:00:00", floating=True, **BERLIN)
    file = exported(account)
    assert (file.count("BEGIN:VCALENDAR"), file.count("X-WR-CALNAME")) == (2, 1)
    assert outcomes(stranger, file.encode(), **BERLIN) == ["created"] * 3
    own = {"id", "external_id", "uid", "created_at", "updated_at"}
    first, second = (
        sorted(
            (
                {name: value for name, value in one.items() if name not in own}
                for one in page(whose)["items"]
            ),
            key=lambda one: str(one["title"]),
        )
        for whose in (account, stranger)
    )
    assert first == second
    again = exported(stranger)
    assert sorted(one for one in again.split("\r\n") if "DTSTAMP" not in one) == sorted(
        one for one in file.split("\r\n") if "DTSTAMP" not in one
    )


def test_an_export_can_be_kept_to_a_calendar_or_to_a_time(
    account: Account, stranger: Account
) -> None:
    an_event(account, "A", "2026-03-01T09:00:00", "2026-03-01T10:00:00", calendar="Work")
    an_event(account, "B", "2026-05-01T09:00:00", "2026-05-01T10:00:00", calendar="Home")
    rule = {"recurrence": "FREQ=YEARLY"}
    an_event(account, "C", "2020-03-05T09:00:00", "2020-03-05T10:00:00", calendar="Home", **rule)
    an_event(account, "D", "2026-03-01T09:00:00", "2026-03-01T10:00:00")

    def titles(**query: str) -> str:
        lines = exported(account, **query).split("\r\n")
        return "".join(sorted(one[8:] for one in lines if one.startswith("SUMMARY:")))

    assert titles() == "ABCD"
    assert titles(calendar="Home") == "BC"
    assert titles(**MARCH) == "ACD"
    assert titles(**{"from": "2026-03-06T00:00:00Z", "to": "2027-03-01T00:00:00Z"}) == "B"
    assert titles(calendar="Nowhere") == ""
    assert "SUMMARY" not in exported(stranger)
