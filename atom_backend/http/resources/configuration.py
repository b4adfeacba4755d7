"""The service's configuration over REST, for administrators.

Invariant: as in ``preferences``: a default has no ETag.
"""

from __future__ import annotations

from flask import Response

from atom_backend.domain.options import Setting
from atom_backend.domain.permissions import Scope
from atom_backend.http.contract import Answer, Call, Routes
from atom_backend.http.replies import json_reply, no_content, not_modified
from atom_backend.http.request_headers import IF_MATCH, IF_NONE_MATCH, etag
from atom_backend.http.resources.option_shapes import (
    ConfigurationAnswer,
    ConfigurationPage,
    OptionKey,
    OptionValue,
)

routes = Routes("configuration", "What holds for the whole service; for administrators.")

_ETAG = {"ETag": "The revision, where a value was set."}


@routes.add(
    "GET",
    "/v1/admin/configuration",
    Answer(200, "All keys, and what holds.", ConfigurationPage),
    needs=Scope.ADMIN_READ,
)
def list_configuration(call: Call[None, None]) -> Response:
    """All that can be configured while the service runs."""
    found = call.services.configuration.listing(call.principal)
    return json_reply(ConfigurationPage(items=[ConfigurationAnswer.of(one) for one in found]))


@routes.add(
    "GET",
    "/v1/admin/configuration/{key}",
    Answer(200, "What holds under the key.", ConfigurationAnswer, headers=_ETAG),
    Answer(304, "The caller holds this revision already.", headers=_ETAG),
    needs=Scope.ADMIN_READ,
    headers=(IF_NONE_MATCH,),
)
def read_configuration(call: Call[None, None], key: OptionKey) -> Response:
    """What holds under a key."""
    setting = call.services.configuration.get(call.principal, key)
    held = not_modified(call, setting.stored.revision) if setting.stored else None
    return held or _reply(setting)


@routes.add(
    "PUT",
    "/v1/admin/configuration/{key}",
    Answer(200, "What holds now, in all processes.", ConfigurationAnswer, headers=_ETAG),
    needs=Scope.ADMIN_WRITE,
    headers=(IF_MATCH,),
)
def put_configuration(call: Call[None, OptionValue], key: OptionKey) -> Response:
    """Set a value that fits the key."""
    setting = call.services.configuration.put(
        call.principal, key, call.body.value, call.header(IF_MATCH)
    )
    return _reply(setting)


@routes.add(
    "DELETE",
    "/v1/admin/configuration/{key}",
    Answer(204, "The default holds again."),
    needs=Scope.ADMIN_WRITE,
    headers=(IF_MATCH,),
)
def reset_configuration(call: Call[None, None], key: OptionKey) -> Response:
    """Back to the default."""
    call.services.configuration.reset(call.principal, key, call.header(IF_MATCH))
    return no_content()


def _reply(setting: Setting) -> Response:
    tag = {"ETag": etag(setting.stored.revision)} if setting.stored else {}
    return json_reply(ConfigurationAnswer.of(setting), 200, **tag)
