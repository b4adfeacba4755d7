"""Preferences over REST: each has its key for an address.

Invariant: a default has no ETag, so that a write which asks for a revision finds none.
"""

from __future__ import annotations

from flask import Response

from atom_backend.domain.options import Setting
from atom_backend.domain.permissions import Scope
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.replies import json_reply, no_content, not_modified
from atom_backend.http.request_headers import IF_MATCH, IF_NONE_MATCH, etag
from atom_backend.http.resources.option_shapes import (
    OptionKey,
    OptionValue,
    PreferenceAnswer,
    PreferencePage,
)

routes = Routes("preferences", "What a user likes to have otherwise than by default.")

_ETAG = {"ETag": "The revision, where a value was set."}


@routes.add(
    "GET",
    "/v1/preferences",
    Answer(200, "All that hold.", PreferencePage),
    needs=Scope.RECORDS_READ,
)
def list_preferences(call: Call[None, None]) -> Response:
    """What was set, and the defaults of all else that is known."""
    found = call.services.preferences.listing(call.principal)
    return json_reply(PreferencePage(items=[PreferenceAnswer.of(one) for one in found]))


@routes.add(
    "GET",
    "/v1/preferences/{key}",
    Answer(200, "What holds under the key.", PreferenceAnswer, headers=_ETAG),
    Answer(304, "The caller holds this revision already.", headers=_ETAG),
    needs=Scope.RECORDS_READ,
    headers=(IF_NONE_MATCH,),
)
def read_preference(call: Call[None, None], key: OptionKey) -> Response:
    """What holds under a key, as in `ui.theme`.

    404 where nothing was set under a key that has no default.
    """
    setting = call.services.preferences.get(call.principal, key)
    held = not_modified(call, setting.stored.revision) if setting.stored else None
    return held or _reply(setting, 200)


@routes.add(
    "PUT",
    "/v1/preferences/{key}",
    Answer(200, "What holds now.", PreferenceAnswer, headers=_ETAG),
    Answer(201, "What holds now; nothing was set before.", PreferenceAnswer, headers=_ETAG),
    needs=Scope.RECORDS_WRITE,
    problems=(409,),
    headers=(IF_MATCH,),
)
def put_preference(call: Call[None, OptionValue], key: OptionKey) -> Response:
    """Set a value.

    Any key in a namespace is free; known ones take only what fits them. 409 `too_many` when as
    many are set as one account may have.
    """
    setting, new = call.services.preferences.put(
        call.principal, key, call.body.value, call.header(IF_MATCH)
    )
    return _reply(setting, 201 if new else 200)


@routes.add(
    "DELETE",
    "/v1/preferences/{key}",
    Answer(204, "The default holds again, if there is one."),
    needs=Scope.RECORDS_WRITE,
    headers=(IF_MATCH,),
)
def reset_preference(call: Call[None, None], key: OptionKey) -> Response:
    """Back to the default.

    404 where nothing was set under a key that has no default.
    """
    call.services.preferences.reset(call.principal, key, call.header(IF_MATCH))
    return no_content()


def _reply(setting: Setting, status: int) -> Response:
    tag = {"ETag": etag(setting.stored.revision)} if setting.stored else {}
    return json_reply(PreferenceAnswer.of(setting), status, **tag)
