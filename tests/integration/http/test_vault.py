"""Without the right key the tokens are out of reach, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from atom_backend.app import create_app
from atom_backend.bootstrap import Runtime, open_web
from atom_backend.domain.master_keys import read_key
from atom_backend.settings import Settings
from tests.integration.http.conftest import Account
from tests.vaults import OTHER_KEY, VAULT_KEY


@pytest.fixture(params=["missing", "wrong"])
def keyless(
    request: pytest.FixtureRequest, settings: Settings, runtime: Runtime
) -> Iterator[Account]:
    """An account at a process that started beside the others without their key."""
    given = () if request.param == "missing" else (read_key(OTHER_KEY),)
    with open_web(settings.model_copy(update={"oauth_encryption_key": given})) as started:
        yield Account(create_app(started))


def test_a_wrong_key_is_an_error_in_the_log_and_a_missing_one_a_warning(
    settings: Settings, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    levels = {}
    for given in ((), (read_key(OTHER_KEY),), (read_key(VAULT_KEY),)):
        caplog.clear()
        with open_web(settings.model_copy(update={"oauth_encryption_key": given})):
            said = [one for one in caplog.records if "vault of tokens" in one.message]
        levels[given] = [
            (one.levelname, "ATOM_OAUTH_ENCRYPTION_KEY" in one.message) for one in said
        ]
    assert list(levels.values()) == [[("WARNING", True)], [("ERROR", True)], []]


def test_all_but_the_vault_works_and_health_says_why(
    keyless: Account, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    detail = f"vault_key_{request.node.callspec.params['keyless']}"
    answer = keyless.get("/healthz")
    assert (answer.status_code, answer.json["status"], answer.json["vault"]) == (
        200,
        "degraded",
        "unhealthy",
    )
    assert answer.json["checks"]["vault"]["detail"] == detail
    assert {answer.json["embedder"], *answer.json["database"].values()} == {"healthy"}
    assert keyless.get("/readyz").json == {"ready": True}
    document = keyless.store()
    assert keyless.get(f"/v1/documents/{document['id']}").status_code == 200
    assert keyless.get("/v1/search?q=tea").status_code == 200
    for key in (VAULT_KEY, OTHER_KEY):
        assert key not in caplog.text + json.dumps(answer.json)


def test_only_what_needs_tokens_is_refused_and_a_grant_outlives_the_outage(
    keyless: Account, account: Account
) -> None:
    """``account`` is at a process that has the key."""
    tokens = {"access_token": "a token from elsewhere"}
    kept = account.put("/v1/oauth/grants/example", json=tokens)
    assert kept.status_code == 201, kept.text
    mine = f"/v1/oauth/grants/{kept.json['id']}"
    asked = {"Authorization": f"Bearer {account.token}"}
    for refused in (
        keyless.put("/v1/oauth/grants/example", json=tokens),
        keyless.post(f"{mine}/token", headers=asked),
    ):
        assert refused.status_code == 503, refused.text
        assert refused.json["code"].startswith("vault_key_")
        assert int(refused.headers["Retry-After"]) > 0
        assert tokens["access_token"] not in refused.text
    (listed,) = keyless.get("/v1/oauth/grants", headers=asked).json["items"]
    assert listed["id"] == kept.json["id"]
    assert account.post(f"{mine}/token").json["access_token"] == tokens["access_token"]
