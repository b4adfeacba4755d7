"""Integrations: the services that an assistant is connected to for its user, and how far it is.

Invariants: settings fit the schema of their service and hold no secret; one integration for each
service and account there; one in error says what went wrong.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from atom_backend.domain.integration_settings import secret_problems, settings_problems
from atom_backend.domain.resources.fields import Choice, Field, Json, Moment, Text
from atom_backend.domain.resources.listing import Filter, Match
from atom_backend.domain.resources.resource import Resource
from atom_backend.domain.resources.rules import Others, Record, Rules, Settled, Values, refused
from atom_backend.errors import FieldProblem, InvalidInput

CONNECTED, PAUSED, ERROR, DISCONNECTED = "connected", "paused", "error", "disconnected"
_CHECKED_TOGETHER = ("service", "settings", "metadata")


class IntegrationRules(Rules):
    """What settings may be, and that an error has a reason."""

    def settled(
        self, values: Values, before: Record | None, others: Others, item_id: UUID, now: datetime
    ) -> Settled:
        # What was stored under an older schema may stay until it is written anew.
        if before is None or any(values[n] != before.values[n] for n in _CHECKED_TOGETHER):
            _require_fitting(values)
        if values["state"] == ERROR and values["last_error"] is None:
            raise refused("last_error", "An integration in error says what went wrong.")
        return Settled(values)


def _require_fitting(values: Values) -> None:
    problems: list[FieldProblem] = [
        *settings_problems(values["service"], values["settings"]),
        *secret_problems(values["metadata"], ("metadata",)),
    ]
    if problems:
        raise InvalidInput("These settings cannot be kept for this service.", problems=problems)


INTEGRATIONS = Resource(
    name="integrations",
    one="integration",
    about="Services that the assistant is connected to.",
    own=(
        Field(
            "service",
            Text(64, pattern=r"^[a-z0-9]+(?:[._-][a-z0-9]+)*$"),
            "Which service, as in imap or caldav.",
            required=True,
        ),
        Field("account", Text(320), "Which account there.", default="default"),
        Field("settings", Json(), "How it is used. No secrets: they are kept apart.", default={}),
        Field(
            "state",
            Choice((CONNECTED, PAUSED, ERROR, DISCONNECTED)),
            "How it is.",
            default=CONNECTED,
        ),
        Field("last_error", Text(10_000), "What went wrong last."),
        Field("last_sync_at", Moment(), "When it was last in step."),
        Field("cursor", Text(10_000), "Where the next synchronisation begins, in its own words."),
    ),
    unique=("service", "account"),
    filters=(
        Filter("service", "service", Match.EQUAL, "Of this service."),
        Filter("state", "state", Match.EQUAL, "How it is."),
        Filter("synced_before", "last_sync_at", Match.UNTIL, "Last in step earlier."),
    ),
    sorts=("service", "last_sync_at"),
    rules=IntegrationRules(),
)
