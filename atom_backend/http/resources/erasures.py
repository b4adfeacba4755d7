"""How far the erasure of a deleted account is: asked without an account, for there is none."""

from __future__ import annotations

from uuid import UUID

from flask import Response
from pydantic import BaseModel

from atom_backend.domain.erasures import Erasure, ErasureState
from atom_backend.http.contract import Answer, PublicCall, Routes
from atom_backend.http.fields import Moment
from atom_backend.http.replies import json_reply

routes = Routes("erasures", "What is left of a deleted account.")


class ErasureAnswer(BaseModel):
    """An erasure. `items_left`: of `items_total`, those that the index may still hold.

    It is `done` when none is left. Everything else was gone at `requested_at`. `completed_at` is
    null until then.
    """

    id: UUID
    state: ErasureState
    items_total: int
    items_left: int
    requested_at: Moment
    completed_at: Moment | None

    @classmethod
    def of(cls, erasure: Erasure) -> ErasureAnswer:
        return cls(**{name: getattr(erasure, name) for name in cls.model_fields})


@routes.add(
    "GET",
    "/v1/erasures/{erasure_id}",
    Answer(200, "How far it is.", ErasureAnswer),
    problems=(404,),
)
def read_erasure(call: PublicCall[None, None], erasure_id: UUID) -> Response:
    """Whether everything of a deleted account is gone from both stores.

    Who knows the identifier may ask, without a token: it is random, and only the answer to the
    deletion has told it.
    """
    return json_reply(ErasureAnswer.of(call.services.erasures.get(erasure_id)))
