"""The application against its own API document: what it says is what is done.

Requests are made up from the document, good ones and bad ones; every answer must be one that the
document announces, in the shape that it states, and never a 5xx.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from atom_backend import __version__
from atom_backend.http.application import RESOURCES
from atom_backend.http.openapi import document
from tests.integration.http.conftest import Account

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in document(RESOURCES, __version__)["paths"].items()
    for method, operation in methods.items()
}
LEFT_OUT = {
    "POST /v1/auth/logout": "it would end the session that the others need",
    **{
        label: "the generator does not write JSON lines"
        for label in OPERATIONS
        if label.endswith(("/batch", "/import"))
    },
}
TRIED = sorted(OPERATIONS.keys() - LEFT_OUT.keys())
READ_SOMETHING = [
    label
    for label in TRIED
    if OPERATIONS[label]["parameters"] or "requestBody" in OPERATIONS[label]
]


@pytest.fixture(scope="module")
def api(app: Flask) -> Any:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", app)
    # A text that is longer than its field may be makes the whole body too large here.
    refused = schema.config.checks.negative_data_rejection
    refused.expected_statuses = [*refused.expected_statuses, "413"]
    return schema


def test_the_document_is_valid_openapi(api: Any) -> None:
    api.validate()


@pytest.fixture
def asking(label: str, request: pytest.FixtureRequest) -> Account:
    """Somebody who may ask this."""
    account: Account = request.getfixturevalue("admin" if "/v1/admin/" in label else "account")
    return account


@pytest.mark.parametrize("label", TRIED)
def test_a_good_request_is_answered_as_announced(api: Any, asking: Account, label: str) -> None:
    try_out(api, asking, label, GenerationMode.POSITIVE, CHECKS)


@pytest.mark.parametrize("label", READ_SOMETHING)
def test_a_bad_request_is_refused_as_announced(api: Any, asking: Account, label: str) -> None:
    checks = [*CHECKS, negative_data_rejection]
    try_out(api, asking, label, GenerationMode.NEGATIVE, checks)


def try_out(
    api: Any, account: Account, label: str, mode: GenerationMode, checks: list[Any]
) -> None:
    method, path = label.split(" ")
    headers = {"Authorization": f"Bearer {account.token}"}

    @settings(
        max_examples=10,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(api[path][method.lower()].as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        case.call_and_validate(headers=headers, checks=checks)

    ask()
