"""Mail files sent over HTTP: each mail is answered, nothing twice, nothing guessed in silence."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest

from atom_backend.domain.messaging.threads import substitute_id
from tests.integration.http.conftest import Account

SEPARATOR = b"From somebody Mon Jan  1 08:00:00 2030\n"


def mail(
    number: int, *, answers: int | None = None, body: bytes = b"Hello", **fields: str
) -> bytes:
    usual = {
        "From": "Ann <ann@example.org>",
        "To": "ben@example.org",
        "Date": f"Mon, 1 Jan 2030 08:{number:02}:00 +0100",
        "Message-ID": f"<{number}@example.org>",
        "Subject": f"Number {number}",
    }
    if answers is not None:
        usual["In-Reply-To"] = f"<{answers}@example.org>"
    given = {**usual, **{name.replace("_", "-"): text for name, text in fields.items()}}
    head = "".join(f"{name}: {text}\n" for name, text in given.items() if text)
    return head.encode() + b"\n" + body + b"\n"


def mbox(*mails: bytes) -> bytes:
    return b"\n".join(SEPARATOR + one for one in mails)


def send(account: Account, content: bytes, kind: str = "message/rfc822", query: str = "") -> Any:
    answer = account.post(f"/v1/messages/import?{query}", data=content, content_type=kind)
    assert (answer.status_code, answer.mimetype) == (200, "application/x-ndjson"), answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def outcomes(lines: Sequence[Any]) -> list[str]:
    return [line["outcome"] for line in lines]


def stored(account: Account, line: Any) -> Any:
    return account.get(f"/v1/messages/{line['message']['id']}").json


def test_an_mbox_becomes_messages_in_their_conversations(account: Account) -> None:
    sent = mbox(mail(2, answers=1), mail(1, body=b"\n>From here on."), mail(3))
    lines = send(account, sent, "application/mbox", "source=archive&tag=old&tag=post")
    assert outcomes(lines) == ["created"] * 3
    assert [(line["number"], line["status"]) for line in lines] == [(1, 201), (2, 201), (3, 201)]
    reply, first, other = (stored(account, line) for line in lines)
    assert reply["conversation_id"] == first["conversation_id"] != other["conversation_id"]
    assert first["body"] == "From here on."
    assert (first["source"], first["tags"]) == ("archive", ["old", "post"])
    assert (first["kind"], first["sender"]["address"]) == ("email", "ann@example.org")
    assert first["sent_at"] == "2030-01-01T07:01:00.000000Z"
    again = send(account, sent, "application/mbox", "source=archive&tag=old&tag=post")
    assert outcomes(again) == ["unchanged"] * 3
    assert [one["message"] for one in again] == [one["message"] for one in send(account, sent)]


def test_what_a_file_is_its_content_decides(account: Account) -> None:
    assert outcomes(send(account, mbox(mail(1), mail(2)))) == ["created"] * 2
    assert outcomes(send(account, mail(1))) == ["unchanged"]
    form = {
        "file": [
            (io.BytesIO(mbox(mail(2), mail(3))), "a.txt"),
            (io.BytesIO(mail(4)), "b.eml"),
            (io.BytesIO(b""), "c.eml"),
            (io.BytesIO(mail(5) + b"\n" + mbox(mail(6))), "d.mbox"),
        ]
    }
    lines = send_form(account, form)
    assert outcomes(lines) == [
        *("unchanged", "created"),
        *("created", "refused"),
        *("created", "created"),
    ]
    assert [line["file"] for line in lines] == ["a.txt"] * 2 + ["b.eml", "c.eml"] + ["d.mbox"] * 2
    assert [one["doubt"] for one in lines[4]["doubts"]] == ["border_unsure"]


def send_form(account: Account, form: dict[str, Any]) -> Any:
    answer = account.post("/v1/messages/import", data=form, content_type="multipart/form-data")
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_what_the_owner_did_with_a_message_survives_its_next_import(account: Account) -> None:
    (line,) = send(account, mail(1), query="tag=new")
    address = f"/v1/messages/{line['message']['id']}"
    account.post(f"{address}/mark-read")
    patched = account.patch(address, json={"tags": ["mine"], "metadata": {"a": 1}}).json
    assert outcomes(send(account, mail(1))) == ["unchanged"]
    assert account.get(address).json == patched
    assert outcomes(send(account, mail(1, body=b"With the footer of a list"))) == ["replaced"]
    replaced = account.get(address).json
    assert replaced["body"] == "With the footer of a list"
    kept = ("read_at", "tags", "metadata", "conversation_id")
    assert [replaced[name] for name in kept] == [patched[name] for name in kept]


def test_a_mail_that_claims_the_id_of_another_does_not_replace_it(account: Account) -> None:
    (first,) = send(account, mail(1))
    (forged,) = send(account, mail(1, From="Eve <eve@example.org>"))
    assert (forged["outcome"], forged["message"]["message_id"]) == ("created", "1@example.org")
    assert stored(account, first)["sender"]["name"] == "Ann"
    assert outcomes(send(account, mail(1)) + send(account, mail(1, From="eve@example.org"))) == [
        "unchanged",
        "replaced",
    ]


def test_a_mail_without_an_id_is_known_by_its_bytes(account: Account) -> None:
    sent = mail(1, Message_ID="")
    (line,) = send(account, sent)
    assert line["message"]["message_id"] == substitute_id(sent)
    assert [one["doubt"] for one in line["doubts"]] == ["message_id_missing"]
    assert outcomes(send(account, sent)) == ["unchanged"]
    assert outcomes(send(account, mail(1, Message_ID="", body=b"Other"))) == ["created"]


def test_a_doubtful_charset_is_said_in_the_answer_and_in_the_message(account: Account) -> None:
    sent = mail(1, body="Grüße aus Köln".encode("latin-1"), Date="yesterday", From="")
    (line,) = send(account, sent)
    doubts = {one["doubt"] for one in line["doubts"]}
    assert doubts == {"charset_undeclared", "date_unreadable", "address_missing"}
    message = stored(account, line)
    assert message["doubts"] == line["doubts"]
    assert (message["body"], message["sent_at"]) == ("Grüße aus Köln", None)


def test_a_direction_is_told_by_the_addresses_of_the_account(account: Account) -> None:
    sent = mbox(
        mail(1, To=account.email),
        mail(2, From=account.email),
        mail(3),
        mail(4, To="me@example.org"),
    )
    lines = send(account, sent, query="address=ME@example.org&read=true")
    messages = [stored(account, line) for line in lines]
    assert [one["direction"] for one in messages] == ["in", "out", "unknown", "in"]
    assert all(one["read_at"] is not None for one in messages)


ATTACHED = (
    b"""From: ann@example.org
Message-ID: <files@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

See the files.
--b
Content-Type: text/html; name="seas.html"
Content-Disposition: attachment; filename="seas.html"

<h1>Seas</h1><p>The herring lives in the sea.</p>
--b
Content-Type: application/octet-stream
Content-Disposition: attachment; filename="noise.bin"
Content-Transfer-Encoding: base64

"""
    + base64.b64encode(bytes(range(256)))
    + b"\n--b--\n"
)


def test_attachments_become_documents_that_are_referred_to(account: Account) -> None:
    (bare,) = send(account, ATTACHED)
    assert bare["attachments"] == []
    page, noise = stored(account, bare)["attachments"]
    assert (page["name"], page["media_type"], page["document_id"]) == (
        "seas.html",
        "text/html",
        None,
    )
    assert (noise["size"], len(noise["sha256"])) == (256, 64)
    (line,) = send(account, ATTACHED, query="attachments=documents")
    made, refused = line["attachments"]
    assert (line["outcome"], refused["document_id"]) == ("replaced", None)
    assert refused["error"]["code"] == "unsupported_media_type"
    page, _ = stored(account, line)["attachments"]
    assert page["document_id"] == made["document_id"] is not None
    document = account.get(f"/v1/documents/{made['document_id']}").json
    assert (document["title"], document["metadata"]) == (
        "Seas",
        {"attached_to": line["message"]["external_id"]},
    )
    for query in ("attachments=documents", ""):
        assert outcomes(send(account, ATTACHED, query=query)) == ["unchanged"]


def test_a_bad_mail_fails_alone(account: Account) -> None:
    bombs = [
        b"\x00\xff" * 5_000,
        b"no header, no mail",
        b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n" * 60_000,
    ]
    form = {"file": [(io.BytesIO(one), f"{n}.eml") for n, one in enumerate([*bombs, mail(1)])]}
    lines = send_form(account, form)
    assert outcomes(lines) == ["refused"] * 3 + ["created"]
    for line in lines[:3]:
        assert (line["status"], line["error"]["code"]) == (422, "malformed_message")


@pytest.mark.parametrize(
    "sent",
    [
        mail(1, Subject="a\x00b \ufffd", body=b"\x00\xed\xa0\x80"),
        mail(1, Subject="x" * 5_000, References="<" + "> <".join("x" * 600 + "@y" * 400) + ">"),
        mail(1, Subject="=?utf-8?b?7aCA?=", From="=?x?q?=00?= <a\x00@b>"),
        mail(1, Message_ID=f"<{'m' * 510}@x>", In_Reply_To="<1@example.org>"),
        mail(1, To=", ".join(f"a{n}@example.org" for n in range(3_000))),
        mail(1, Content_Type="text/html; charset=utf-8", body=b"<div>" * 20_000 + b"deep"),
        mail(1, Content_Type="text/plain; charset=no-such", body=b"\xff\xfe\x00"),
        mail(1, Date="Mon, 99 Foo 99999 99:99:99 +9999"),
        mail(1, References="<1@example.org> <1@example.org>"),
        b"Subject: \n\n",
    ],
)
def test_a_hostile_mail_is_kept_with_its_doubts(account: Account, sent: bytes) -> None:
    (line,) = send(account, sent)
    assert line["outcome"] == "created", line
    assert stored(account, line)["id"] == line["message"]["id"]
    assert outcomes(send(account, sent)) == ["unchanged"]


def test_two_owners_import_the_same_mail_each_for_themselves(
    account: Account, stranger: Account
) -> None:
    (mine,), (theirs,) = send(account, mail(1)), send(stranger, mail(1))
    assert (mine["outcome"], theirs["outcome"]) == ("created", "created")
    assert mine["message"]["conversation_id"] != theirs["message"]["conversation_id"]
    assert stranger.get(f"/v1/messages/{mine['message']['id']}").status_code == 404


@pytest.mark.parametrize(
    ("query", "content_type", "status"),
    [
        ("attachments=all", "message/rfc822", 422),
        ("read=1", "message/rfc822", 422),
        ("tag=a&tag=a", "message/rfc822", 422),
        ("unheard=1", "message/rfc822", 400),
        ("", "application/json", 415),
        ("", "multipart/form-data", 400),
    ],
)
def test_a_request_that_cannot_be_understood_is_refused(
    account: Account, query: str, content_type: str, status: int
) -> None:
    path = f"/v1/messages/import?{query}"
    answer = account.post(path, data=mail(1), content_type=content_type)
    assert answer.status_code == status, answer.text
    assert account.get("/v1/messages").json["items"] == []
