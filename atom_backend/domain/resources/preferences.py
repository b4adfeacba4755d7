"""Preferences: what a user likes to have otherwise than by default, each under a key of its own.

Invariant: a key that is known here has a default, and what is set under it fits its schema; any
other key in a namespace of its own is free.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from atom_backend.domain.json_schemas import JsonSchema
from atom_backend.domain.options import Option, Options
from atom_backend.domain.resources.fields import Anything, Field
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Others, Record, Rules, Settled, Values

MOST = 256
"""Of one account."""

_TRUTH = JsonSchema({"type": "boolean"})
_TIME = {
    "type": "string",
    "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    "description": "This should be a time of day, as in 22:30.",
}
_LANGUAGE = {
    "type": "string",
    "pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$",
    "description": "This should be a language tag, as in en or pt-BR.",
}

KNOWN = Options(
    Option(
        "ui.theme",
        "The colours of the front end.",
        "system",
        JsonSchema({"enum": ["system", "light", "dark"]}),
    ),
    Option(
        "ui.density",
        "How close together things stand.",
        "comfortable",
        JsonSchema({"enum": ["comfortable", "compact"]}),
    ),
    Option(
        "locale.language",
        "The language to speak: a language tag (BCP 47).",
        "en",
        JsonSchema(_LANGUAGE),
    ),
    Option(
        "locale.week_starts_on",
        "The first day of a week.",
        "monday",
        JsonSchema({"enum": ["monday", "saturday", "sunday"]}),
    ),
    Option(
        "locale.clock",
        "Whether a day has 24 hours or two times 12.",
        "24h",
        JsonSchema({"enum": ["24h", "12h"]}),
    ),
    Option("notifications.enabled", "Whether to notify at all.", True, _TRUTH),
    Option(
        "notifications.quiet_hours",
        "When not to notify: from and to on the clock, or null for never.",
        None,
        JsonSchema(
            {
                "type": ["object", "null"],
                "properties": {"from": _TIME, "to": _TIME},
                "required": ["from", "to"],
                "additionalProperties": False,
            }
        ),
    ),
    Option(
        "assistant.detail",
        "How much the assistant says.",
        "normal",
        JsonSchema({"enum": ["brief", "normal", "thorough"]}),
    ),
    closed=False,
)


class PreferenceRules(Rules):
    """Which keys there may be, and which values."""

    def settled(
        self, values: Values, before: Record | None, others: Others, item_id: UUID, now: datetime
    ) -> Settled:
        KNOWN.check(values["external_id"] or "", values["value"])
        return Settled(values)


PREFERENCES = Resource(
    name="preferences",
    one="preference",
    about="What a user likes to have otherwise than by default.",
    own=(Field("value", Anything(), "What is set under the key.", required=True),),
    keyed=True,
    most=MOST,
    rules=PreferenceRules(),
)
