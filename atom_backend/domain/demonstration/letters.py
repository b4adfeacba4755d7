"""Messages of the demonstration: mails in threads, lines of a chat, a notification."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from atom_backend.domain.demonstration.pieces import Days, Piece, named

_ME = {"name": "Me", "address": "me@example.org"}
_PEOPLE = {
    role.lower(): {"name": f"The {role}", "address": f"{role.replace(' ', '.')}@example.org"}
    for role in ("landlord", "sister", "choir director", "neighbour", "carrier")
}


def letters(days: Days) -> Iterator[Piece]:
    """The messages."""
    return named("messages", {**_piano(days), **_wall(days), **_others(days)})


def _piano(days: Days) -> dict[str, dict[str, Any]]:
    """A thread of last week."""
    first = _mail(
        "piano-1",
        "carrier",
        "in",
        days.last_week(1, "10:12"),
        subject="Moving the piano",
        body=(
            "For an upright of 230 kg up one room and around a corner we come with four "
            "people. It costs 260 EUR and takes an hour. We could do it on any weekday but "
            "Monday."
        ),
    )
    second = _mail(
        "piano-2",
        "carrier",
        "out",
        days.last_week(2, "08:40"),
        subject="Re: Moving the piano",
        body=(
            "Thank you, that sounds fair. The stairs turn once and are 92 cm wide. Would the "
            "Thursday after next suit you, in the morning?"
        ),
        answers="piano-1",
    )
    third = _mail(
        "piano-3",
        "carrier",
        "in",
        days.last_week(2, "15:03"),
        subject="Re: Moving the piano",
        body=(
            "Thursday at ten is noted. Please take the lamp down before, and tell the "
            "neighbours that the stairs are ours for an hour."
        ),
        answers="piano-2",
    )
    return {"piano-1": first, "piano-2": second, "piano-3": third}


def _wall(days: Days) -> dict[str, dict[str, Any]]:
    return {
        "wall-1": _mail(
            "wall-1",
            "landlord",
            "out",
            days.at(-40, "18:20"),
            subject="Damp wall in the bedroom",
            body=(
                "There is a dark patch under the bedroom window, as large as two hands, and "
                "it grows after rain. Could you have a look? I can send photographs."
            ),
        ),
        "wall-2": _mail(
            "wall-2",
            "landlord",
            "in",
            days.at(-36, "11:05"),
            subject="Re: Damp wall in the bedroom",
            body=(
                "I have your letter and the photographs. Most likely it is the gutter. I "
                "shall come by as soon as my back allows it."
            ),
            answers="wall-1",
        ),
    }


def _others(days: Days) -> dict[str, dict[str, Any]]:
    return {
        "concert": _mail(
            "concert",
            "choir director",
            "in",
            days.at(-20, "21:44"),
            subject="Programme of the summer concert",
            body=(
                "Dear all, we open with the madrigals and sing the requiem after the break. "
                "Tenors, please learn bars 40 to 72 by heart; you have no one to hide behind."
            ),
        ),
        "plants": _mail(
            "plants",
            "neighbour",
            "in",
            days.at(-16, "09:30"),
            subject="Your plants in the summer",
            body=(
                "I can water your tomatoes and the fern while you are away, if you take my "
                "parcels in the week after. Leave the can on the balcony."
            ),
        ),
        "chat": {
            "kind": "chat",
            "sender": _PEOPLE["sister"],
            "direction": "in",
            "sent_at": days.last_week(4, "20:15"),
            "message_id": "chat.demo@example.org",
            "body": "Shall we take the early ferry? The later one is full of school classes.",
        },
        "parcel": {
            "kind": "notification",
            "sender": {"name": "The parcel service", "address": "parcels@example.org"},
            "direction": "in",
            "sent_at": days.at(0, "00:05"),
            "message_id": "parcel.demo@example.org",
            "subject": "Your parcel is with a neighbour",
            "body": "We could not reach you and left your parcel on the first floor.",
        },
    }


def _mail(
    name: str,
    with_whom: str,
    direction: str,
    sent_at: datetime,
    *,
    subject: str,
    body: str,
    answers: str | None = None,
) -> dict[str, Any]:
    other, incoming = _PEOPLE[with_whom], direction == "in"
    return {
        "kind": "email",
        "sender": other if incoming else _ME,
        "recipients": ({"role": "to", **(_ME if incoming else other)},),
        "direction": direction,
        "sent_at": sent_at,
        "message_id": f"{name}.demo@example.org",
        "in_reply_to": f"{answers}.demo@example.org" if answers else None,
        "subject": subject,
        "body": body,
    }
