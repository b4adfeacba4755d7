"""Messages over REST where they differ from other resources.

Invariant: addresses are compared without regard to case, as the messages' rules keep them.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel

from atom_backend.domain.resources.listing import Condition, NotAll
from atom_backend.http.resources.record_face import Face


class MessageFace(Face):
    """The handlers of messages."""

    def _conditions(self, query: BaseModel) -> tuple[Condition | NotAll, ...]:
        return tuple(
            replace(one, value=one.value.casefold())
            if isinstance(one, Condition) and one.field == "sender_address"
            else one
            for one in super()._conditions(query)
        )
