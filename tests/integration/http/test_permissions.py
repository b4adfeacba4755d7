"""Every operation of the API document, asked by everybody who could ask.

What is expected is read from docs/permissions.md, what is asked from the served document; that a
route cannot be declared without a permission is asked in ``tests/unit/http/test_access.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import UUID

import pytest
from flask import Flask

from atom_backend.clock import Clock, new_id
from atom_backend.domain.api_keys import new_key
from atom_backend.domain.permissions import NEVER_BY_KEY, SCOPES, Role, Scope
from atom_backend.domain.principals import Principal
from atom_backend.domain.secrets import Place, Secret
from atom_backend.settings import Settings
from atom_backend.vault.access_tokens import SignedAccessTokens
from tests.conftest import run_sql
from tests.integration.http import permission_table
from tests.integration.http.conftest import Account, set_role
from tests.integration.http.permission_table import EVERYBODY, PUBLIC
from tests.integration.http.test_records import EXAMPLES, create

if TYPE_CHECKING:
    from atom_backend.bootstrap import Runtime

DOCUMENTED = {
    label.strip("`"): (scope.strip("`"), who)
    for label, scope, who in permission_table.read("route")
}
CLOSED = sorted(label for label, (scope, _) in DOCUMENTED.items() if scope != PUBLIC)
NAMES = {"{key}": "no.such-key", "{provider}": "no-such-provider"}
"""Of what nobody owns, or everybody has under the same name."""
OF_SOMEBODY = [
    label
    for label in CLOSED
    if "{" in label and "/admin/" not in label and not any(name in label for name in NAMES)
]
LENT = ("service", "POST /v1/oauth/grants/{grant}/token")
"""The one thing that a role may have of somebody else's."""
CANARY = "a canary that nobody else may see"
SIGNING_KEY = "only a test signs with this key, which is long enough"
every_closed_route = pytest.mark.parametrize("label", CLOSED)


@dataclass
class Cast:
    """Everybody who asks. ``only`` and ``all_but``: an administrator's keys, by scope."""

    roles: dict[str, Account]
    owner: Account
    only: dict[str, str]
    all_but: dict[str, str]
    whole: str
    addresses: dict[str, str]


@pytest.fixture(scope="module")
def asked_by(app: Flask, settings: Settings, runtime: Runtime) -> Cast:
    roles = {role.value: Account(app) for role in Role}
    for role, account in roles.items():
        set_role(settings, account, role)
        account.log_in()
    admin, owner = roles["admin"], Account(app)
    givable = SCOPES[Role.ADMIN] - NEVER_BY_KEY
    return Cast(
        roles=roles,
        owner=owner,
        only={scope: key_of(admin, {scope}) for scope in givable},
        all_but={scope: key_of(admin, givable - {scope}) for scope in givable},
        whole=key_of(admin, givable),
        addresses=belongings(owner) | {"/v1/oauth/grants": a_grant(owner, settings, runtime)},
    )


def a_grant(owner: Account, settings: Settings, runtime: Runtime) -> str:
    """A grant that does not expire; its token is the canary."""
    grant, owner_id = new_id(), UUID(owner.registered["user"]["id"])
    place = Place("oauth_grants", grant, "access_token", owner_id)
    assert settings.migration_database_url is not None
    run_sql(
        settings.migration_database_url.get_secret_value(),
        "insert into oauth_grants (id, owner_id, provider, access_token, issued_at)"
        " values (:id, :owner, 'elsewhere', :token, now())",
        id=grant,
        owner=owner_id,
        token=runtime.services.vault.seal(Secret(CANARY), place),
    )
    return str(grant)


def key_of(account: Account, scopes: set[Scope] | frozenset[Scope]) -> str:
    given = {"name": CANARY, "scopes": sorted(scopes)}
    made = account.post("/v1/api-keys", json=given)
    assert made.status_code == 201, made.text
    return str(made.json["key"])


def belongings(owner: Account) -> dict[str, str]:
    """What somebody has: identifiers by the address that they stand behind."""
    found = {f"/v1/{name}": create(owner, name, external_id=CANARY)["id"] for name in EXAMPLES}
    named = {f"/v1/{name}/by-external-id": CANARY for name in EXAMPLES}
    message = owner.get(f"/v1/messages/{found['/v1/messages']}").json
    key = owner.post("/v1/api-keys", json={"name": CANARY, "scopes": ["search"]}).json
    session = owner.get("/v1/sessions").json["items"][0]
    others = {
        "/v1/items": found["/v1/documents"],
        "/v1/conversations": message["conversation_id"],
        "/v1/api-keys": key["id"],
        "/v1/sessions": session["id"],
    }
    return found | named | others


def behind(label: str) -> str:
    """The address behind which the operation's identifier stands."""
    return label.split(" ")[1].partition("/{")[0]


def ask(app: Flask, label: str, token: str | None, identifier: str | None = None) -> Any:
    """The operation, as empty as it can be: what it may do is decided before it is read."""
    method, path = label.split(" ")
    for parameter in re.findall(r"{\w+}", path):
        named = identifier or NAMES.get(parameter, str(new_id()))
        path = path.replace(parameter, quote(named))
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    body: dict[str, str] | None = {} if method == "PATCH" else None
    return app.test_client().open(path, method=method, headers=headers, json=body)


def test_the_document_names_every_route_and_every_scope_as_it_is(app: Flask) -> None:
    served: Any = app.test_client().get("/openapi.json").json
    operations = {
        f"{method.upper()} {path}": one
        for path, methods in served["paths"].items()
        for method, one in methods.items()
    }
    write = "run `python -m tests.integration.http.permission_table`"
    assert list(permission_table.route_rows()) == permission_table.read("route"), write
    assert list(permission_table.scope_rows()) == permission_table.read("scope"), write
    assert operations.keys() == DOCUMENTED.keys()
    for label, one in operations.items():
        scope, who = DOCUMENTED[label]
        if scope == PUBLIC:
            assert (one["security"], who) == ([], EVERYBODY)
        else:
            by_key = [] if scope in NEVER_BY_KEY else [{"api_key": [scope]}]
            assert one["security"] == [{"bearer": [scope]}, *by_key]
            assert {"401", "403"} <= one["responses"].keys()


def test_nothing_is_served_that_the_document_does_not_name(app: Flask) -> None:
    described = {"/", "/openapi.json", "/docs", "/docs/start.js", "/docs/<name>"}
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    parameters = {rule: rule.count("<") for rule in rules - described}
    paths = [label.split(" ")[1] for label in DOCUMENTED]
    assert described < rules
    assert len(parameters) == len(set(paths))
    assert sorted(parameters.values()) == sorted(path.count("{") for path in set(paths))


@every_closed_route
def test_nobody_is_let_in_without_a_token_that_holds(
    app: Flask, asked_by: Cast, label: str
) -> None:
    good = asked_by.owner.token
    body, signature = good.rsplit(".", 1)
    forged = f"{body}.{signature[::-1]}"
    expired = signed(asked_by.owner, timedelta(minutes=-1), SIGNING_KEY)
    strange = signed(asked_by.owner, timedelta(minutes=1), "another key, and it is long enough too")
    unknown = new_key(new_id())[0].reveal()
    for token in (None, forged, expired, strange, unknown, unknown[:-1]):
        assert ask(app, label, token).status_code == 401, token


class _At:
    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self) -> datetime:
        return self._moment


def signed(account: Account, left: timedelta, key: str) -> str:
    """An access token of that account with so much time left."""
    session = new_id()
    principal = Principal(UUID(account.registered["user"]["id"]), session, Role.ADMIN)
    clock: Clock = _At(datetime.now(UTC) + left - timedelta(minutes=15))
    return SignedAccessTokens(key.encode(), clock, lifetime=timedelta(minutes=15)).issue(principal)


@every_closed_route
def test_each_role_is_let_in_where_the_document_says(
    app: Flask, asked_by: Cast, label: str
) -> None:
    scope, who = DOCUMENTED[label]
    for role, account in asked_by.roles.items():
        answer = ask(app, label, account.token)
        if role in who.split(", "):
            assert answer.status_code not in (401, 403), answer.text
        else:
            assert_scope_is_missing(answer, scope)
        if label == "POST /v1/auth/logout":
            account.log_in()


@every_closed_route
def test_a_key_with_every_other_scope_is_refused_and_one_with_this_alone_let_in(
    app: Flask, asked_by: Cast, label: str
) -> None:
    scope = DOCUMENTED[label][0]
    without = asked_by.all_but.get(scope, asked_by.whole)
    assert_scope_is_missing(ask(app, label, without), scope)
    if scope not in NEVER_BY_KEY:
        answer = ask(app, label, asked_by.only[scope])
        assert answer.status_code not in (401, 403), answer.text


def assert_scope_is_missing(answer: Any, scope: str) -> None:
    assert (answer.status_code, answer.json["code"]) == (403, "insufficient_scope")
    assert answer.json["scope"] == scope
    assert f'error="insufficient_scope", scope="{scope}"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("label", OF_SOMEBODY)
@pytest.mark.parametrize("role", [role.value for role in Role])
def test_what_belongs_to_somebody_is_not_found_by_anybody_else(
    app: Flask, asked_by: Cast, label: str, role: str
) -> None:
    place = behind(label)
    assert place in asked_by.addresses, "say in `belongings` how somebody comes to have one"
    own = asked_by.addresses[place]
    answer = ask(app, label, asked_by.roles[role].token, own)
    if (role, label) == LENT:
        assert (answer.status_code, answer.json["access_token"]) == (200, CANARY)
        return
    assert CANARY not in answer.text
    # A body that has to be there is missed before anybody looks for the record.
    assert answer.status_code == 404 or answer.json["code"] == "missing_body"
    held = asked_by.owner.get(f"{place}/{quote(own)}")
    assert held.status_code == 200 or place in ("/v1/items", "/v1/sessions")
    assert asked_by.owner.get("/v1/sessions").status_code == 200
