"""Rounds of requests, until there have been as many as were asked for.

One seed decides all requests of all rounds; what they are answered also depends on what earlier
ones have stored.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzzing import media as media  # noqa: PLC0414  # teaches the generator
from tests.fuzzing.callers import PATIENCE, Caller
from tests.fuzzing.tally import Tally

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
BEFORE_THE_APPLICATION = {414, 431}
"""What gunicorn answers to an address or headers that are too long for it."""

LARGEST_ROUND = 50
"""Cases of one operation, from one caller, in one mode, at once."""


@dataclass(frozen=True)
class Target:
    """An operation as one caller asks for it, in one way of making up requests."""

    method: str
    path: str
    caller: Caller
    mode: GenerationMode
    operation: Any

    @property
    def label(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def group(self) -> str:
        tags = self.operation.definition.raw.get("tags") or ["others"]
        return str(tags[0])


class Fuzzing:
    """Rounds against the service at ``url``; ``only`` chooses operations by their label."""

    def __init__(
        self,
        url: str,
        callers: Sequence[Caller],
        tally: Tally,
        *,
        only: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.tally = tally
        self._schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        self._session = requests.Session()
        self._targets = [one for one in self._every(callers) if only(one.label)]

    def run(self, cases: int, progress: Callable[[int], None] = lambda _: None) -> None:
        """At least so many requests, unless there are no more to make up."""
        begun = time.monotonic()
        turn = 0
        while self.tally.cases < cases:
            before = self.tally.cases
            missing = cases - before
            each = max(1, min(LARGEST_ROUND, missing // len(self._targets)))
            for number, target in enumerate(self._targets):
                if self.tally.cases >= cases:
                    break
                self._round(target, each, self.tally.seed + turn * len(self._targets) + number)
                progress(self.tally.cases)
            if self.tally.cases == before:
                break
            turn += 1
        self.tally.seconds += time.monotonic() - begun

    def close(self) -> None:
        self._session.close()

    def _every(self, callers: Sequence[Caller]) -> Iterator[Target]:
        for path, methods in self._schema.raw_schema["paths"].items():
            for method in methods:
                for caller in callers:
                    for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
                        yield Target(method, path, caller, mode, self._schema[path][method])

    def _round(self, target: Target, examples: int, number: int) -> None:
        headers = target.caller.headers()

        @seed(number)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(target.operation.as_strategy(generation_mode=target.mode))
        def ask(case: Case[Any]) -> None:
            self._ask(target, case, headers)

        try:
            ask()
        except Unsatisfiable:
            return  # nothing about this operation can be made up wrongly

    def _ask(self, target: Target, case: Case[Any], headers: dict[str, str]) -> None:
        answer = case.call(headers=headers, session=self._session, timeout=PATIENCE)
        caller, mode = target.caller.name, target.mode.value
        self.tally.count(target.group, target.label, caller, mode, answer.status_code)
        if answer.status_code in BEFORE_THE_APPLICATION:
            return
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as wrong:
            what = "; ".join(str(one).splitlines()[0] for one in wrong.exceptions)
            asked = case.as_curl_command()
            said = f"{target.label} ({caller}, {mode}) -> {answer.status_code}: {what}"
            self.tally.findings.append(f"{said}\n    {asked[:2_000]}")
