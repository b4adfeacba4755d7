"""``scripts/sbom``: what the service consists of, as CycloneDX 1.6 JSON (ECMA-424).

Invariant: it lists the packages of requirements.txt that this environment needs, all of them and
nothing that only tests use.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import Distribution

import click
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from atom_backend import __version__
from atom_backend.embedding.packaged_model import MODEL_NAME, WEIGHTS_SHA256
from atom_backend.relational.embedded.binaries import find_binaries
from tests.supply.pins import SERVICE, installed, normal, pins

_CLASSIFIER = "License :: OSI Approved :: "
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LONGEST_LICENCE = 100
_OF_EXTRAS = re.compile(r"\bextra\s*==")


def bill() -> Bom:
    """The whole, with how the parts depend on each other."""
    present = installed()
    names = {pin.name for pin in pins(SERVICE)} & present.keys()
    made = {name: _package(name, present[name]) for name in sorted(names)}
    service = Component(
        name="atom-backend",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref="atom-backend",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
    )
    parts = [*made.values(), _model(), _server()]
    bom = Bom(components=parts)
    bom.metadata.component = service
    bom.register_dependency(service, parts)
    for name, component in made.items():
        needed = [made[one] for one in _needs(present[name]) if one in made and one != name]
        bom.register_dependency(component, needed)
    return bom


def _package(name: str, package: Distribution) -> Component:
    version = package.version.partition("+")[0]
    licence = _licence(package)
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{name}=={version}",
        purl=PackageURL("pypi", None, name, version),
        description=package.metadata["Summary"],
        licenses=[licence] if licence else None,
    )


def _licence(package: Distribution) -> License | None:
    """By SPDX where the package says so, else by the name that it gives."""
    told = package.metadata
    expression = told["License-Expression"]
    named = [
        one.removeprefix(_CLASSIFIER)
        for one in told.get_all("Classifier") or ()
        if one.startswith(_CLASSIFIER)
    ]
    loose = told["License"] or ""
    short = loose if 0 < len(loose) <= _LONGEST_LICENCE and "\n" not in loose else ""
    text = expression or short or " AND ".join(named)
    return LicenseFactory().make_from_string(text) if text else None


def _needs(package: Distribution) -> Iterator[str]:
    for requirement in package.requires or ():
        name = _NAME.match(requirement)
        if name and not _OF_EXTRAS.search(requirement):
            yield normal(name[0])


def _model() -> Component:
    return Component(
        name=MODEL_NAME,
        version="1.0",
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=MODEL_NAME,
        description="model.safetensors; checked by this hash whenever it is loaded",
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=WEIGHTS_SHA256)],
    )


def _server() -> Component:
    """PostgreSQL, which a package brings as programs."""
    command = [str(find_binaries() / "postgres"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    version = said.split()[2]
    return Component(
        name="postgresql",
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref="postgresql",
        purl=PackageURL("generic", None, "postgresql", version),
        description="the embedded server, where DATABASE_URL names no other",
        licenses=[LicenseFactory().make_from_string("PostgreSQL")],
    )


def main() -> None:
    click.echo(JsonV1Dot6(bill()).output_as_string(indent=2))


if __name__ == "__main__":
    main()
