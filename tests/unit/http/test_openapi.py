"""The API document says what is served, and is served with a page that needs no other host."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from atom_backend.http import strict_json
from atom_backend.http.application import RESOURCES
from atom_backend.http.openapi import document
from atom_backend.http.resources.record_face import Face
from atom_backend.http.resources.records import FACES
from tests.unit.http.tiny import HIDDEN, client, make_app

DOCUMENT = document(RESOURCES, "1.2.3")
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
NAMES = [f"{method} {path}" for path, method, _ in OPERATIONS]
every_operation = pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=NAMES)


def references(tree: Any) -> list[str]:
    if isinstance(tree, dict):
        own = [tree["$ref"]] if isinstance(tree.get("$ref"), str) else []
        return own + [one for value in tree.values() for one in references(value)]
    return [one for value in tree for one in references(value)] if isinstance(tree, list) else []


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        place: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_example_is_accepted() -> None:
    models = {
        kind.schema_model()
        for resource in RESOURCES
        for route in resource.declared
        for kind in route.bodies
    }
    examples = [
        strict_json.read(model, json.dumps(example).encode())
        for model in models
        for example in model.model_json_schema().get("examples", [])
    ]
    assert examples


def test_every_rule_of_the_application_is_documented() -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in make_app(HIDDEN).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {
        (path, method)
        for path, methods in client().get("/openapi.json").json["paths"].items()
        for method in methods
    }
    own = {(path, "get") for path in ("/", "/openapi.json", "/docs", "/docs/start.js")}
    assert served == described | own | {("/docs/{name}", "get")}


@every_operation
def test_an_operation_says_who_may_call_it(path: str, method: str, operation: Any) -> None:
    public = operation.get("security") == []
    secrets = {f"/v1/auth/{one}" for one in ("register", "login", "refresh")}
    secrets.add("/v1/erasures/{erasure_id}")
    secrets |= {"/v1/oauth/{provider}/callback"} if method == "get" else set()
    assert public == (path in secrets or not path.startswith("/v1/"))
    assert ("401" in operation["responses"]) or public


@every_operation
def test_an_operation_describes_its_parameters_and_problems(
    path: str, method: str, operation: Any
) -> None:
    names = {(one["in"], one["name"]) for one in operation["parameters"]}
    assert {("path", name) for name in re.findall(r"{(\w+)}", path)} <= names
    assert operation["operationId"]
    assert operation["summary"]
    assert {"400", "500", "503"} <= operation["responses"].keys()
    if "requestBody" in operation:
        assert {"413", "415", "422"} <= operation["responses"].keys()


def test_operation_names_are_unique() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)


def test_headers_that_a_route_honours_are_its_parameters() -> None:
    patch = DOCUMENT["paths"]["/v1/documents/{item_id}"]["patch"]
    create = DOCUMENT["paths"]["/v1/documents"]["post"]
    assert {"If-Match", "Prefer"} <= {one["name"] for one in patch["parameters"]}
    assert {"Idempotency-Key", "Prefer"} <= {one["name"] for one in create["parameters"]}
    assert {"Location", "ETag"} <= create["responses"]["201"]["headers"].keys()
    assert set(create["requestBody"]["content"]) == {"application/json", "multipart/form-data"}


def test_a_parameter_that_must_be_there_is_marked() -> None:
    parameters = DOCUMENT["paths"]["/v1/search"]["get"]["parameters"]
    assert [one["name"] for one in parameters if one["required"]] == ["q"]


@pytest.mark.parametrize("face", [one for one in FACES if one.resource.example])
def test_an_example_is_one_that_would_be_stored(face: Face) -> None:
    shapes = face.shapes
    (shown,) = shapes.input.model_json_schema()["examples"]
    assert shapes.input.model_validate_json(json.dumps(shown)).model_fields_set == shown.keys()


def test_the_limits_stand_in_the_schemas() -> None:
    fields = DOCUMENT["components"]["schemas"]["DocumentInput"]["properties"]
    assert (fields["title"]["maxLength"], fields["text"]["maxLength"]) == (1000, 10_000_000)
    assert (fields["tags"]["maxItems"], fields["tags"]["uniqueItems"]) == (64, True)
    assert DOCUMENT["components"]["schemas"]["DocumentInput"]["additionalProperties"] is False


def test_a_patch_describes_no_default_that_it_would_refuse() -> None:
    fields = DOCUMENT["components"]["schemas"]["DocumentPatch"]["properties"]
    assert all("default" not in field for field in fields.values())


def test_the_page_takes_everything_from_this_service() -> None:
    page = client().get("/docs")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "http" not in page.text.replace("<!doctype html>", "").replace("http-equiv", "")
    assert "<script>" not in page.text
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        answer = client().get(f"/{address}")
        assert answer.status_code == 200
        answer.close()
    assert "validatorUrl: null" in client().get("/docs/start.js").text


@pytest.mark.parametrize("name", ["index.html", "..%2f__init__.py", "../README.md", "LICENSE"])
def test_the_page_serves_only_its_own_files(name: str) -> None:
    assert client().get(f"/docs/{name}").status_code == 404


def test_the_index_says_what_this_is() -> None:
    about = client().get("/").json
    assert about["name"] == "Atom Backend"
    for address in ("documentation", "openapi"):
        assert client().get(f"/{about['links'][address]}").status_code == 200
