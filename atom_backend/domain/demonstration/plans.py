"""Tasks, events and memories of the demonstration: what is to come, and what was learned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atom_backend.domain.demonstration.pieces import Days, Named, Piece, named


def plans(days: Days) -> Iterator[Piece]:
    """All three, in an order in which what is referred to comes first."""
    yield from named("memories", _memories(days))
    yield from named("tasks", _tasks(days))
    yield from named("events", _events(days))


def _memories(days: Days) -> dict[str, dict[str, Any]]:
    return {
        "nuts": {
            "text": "Is allergic to hazelnuts and walnuts; almonds are fine.",
            "kind": "health",
            "confidence": 1.0,
        },
        "thursdays": {
            "text": "Works from home on Thursdays.",
            "kind": "habit",
            "confidence": 0.8,
            "valid_from": days.at(-300),
        },
        "trains": {
            "text": "Prefers the train to flying, and the window seat facing forward.",
            "kind": "travel",
            "confidence": 0.9,
        },
        "sister": {
            "text": "The sister lives by the sea and has a birthday in the first week of June.",
            "kind": "family",
        },
        "rent": {
            "text": "The landlord answers letters, but hardly ever the telephone.",
            "kind": "home",
            "source_item_id": Named("documents", "demo/lease"),
            "confidence": 0.7,
        },
        "coffee": {"text": "Drinks coffee black, and none after four.", "kind": "kitchen"},
        "voice": {"text": "Sings second tenor in the choir.", "kind": "music"},
    }


def _tasks(days: Days) -> dict[str, dict[str, Any]]:
    return {
        "move": {
            "title": "Move the piano to the other room",
            "notes": "Four carriers and two belts. Ask the neighbours about the stairs.",
            "status": "in_progress",
            "due_at": days.at(9, "10:00"),
            "priority": 2,
            "tags": ("home", "music"),
        },
        "carriers": {
            "title": "Book the carriers",
            "due_at": days.at(2, "12:00"),
            "parent_id": Named("tasks", "demo/move"),
        },
        "stairs": {
            "title": "Measure the turn of the stairs",
            "status": "done",
            "parent_id": Named("tasks", "demo/move"),
        },
        "key": {
            "title": "Bring the house key down to the first floor",
            "notes": "Before the island. Show where the water is turned off.",
            "due_at": days.at(18, "18:00"),
            "tags": ("home", "travel"),
        },
        "rubbish": {
            "title": "Put the bins out",
            "due_at": days.at(1, "06:00"),
            "recurrence": "FREQ=WEEKLY",
            "tags": ("home",),
        },
        "settlement": {
            "title": "Check the heating bill of last year",
            "notes": "Compare the readings with the photographs in the folder.",
            "status": "blocked",
            "due_at": days.at(-3, "17:00"),
            "priority": 1,
            "tags": ("home",),
        },
        "gift": {"title": "Find a present for the sister", "due_at": days.at(20), "priority": 5},
        "tyres": {"title": "Pump up the tyres of the bicycle", "status": "done"},
    }


def _events(days: Days) -> dict[str, dict[str, Any]]:
    def event(title: str, starts: Any, ends: Any, **more: Any) -> dict[str, Any]:
        return {"title": title, "starts_at": starts, "ends_at": ends, "calendar": "home", **more}

    return {
        "dentist": event(
            "Dentist: check-up",
            days.at(5, "08:30"),
            days.at(5, "09:15"),
            location="The practice by the market, third floor",
            description="Bring the insurance card. The tooth on the lower left still hurts.",
        ),
        "rehearsal": event(
            "Choir rehearsal",
            days.last_week(1, "19:30"),
            days.last_week(1, "21:30"),
            location="School hall",
            recurrence="FREQ=WEEKLY",
        ),
        "visit": event(
            "The landlord looks at the damp wall",
            days.last_week(3, "16:00"),
            days.last_week(3, "16:45"),
            description="He says that the gutter leaks and will send a roofer before winter.",
        ),
        "holiday": event(
            "The island",
            days.at(21, "00:00"),
            days.at(32, "00:00"),
            all_day=True,
            description="Ferry at noon; the red tent.",
        ),
        "concert": event(
            "Summer concert",
            days.at(45, "19:00"),
            days.at(45, "21:00"),
            location="The church on the hill",
        ),
    }
