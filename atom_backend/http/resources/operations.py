"""What operators and their tools ask: is it alive, is it ready, how is it doing."""

from __future__ import annotations

from flask import Response
from pydantic import BaseModel

from atom_backend import __version__
from atom_backend.domain.health import Health, Probe, Status
from atom_backend.http.contract import Answer, PublicCall, Routes
from atom_backend.http.errors import RETRY_AFTER
from atom_backend.http.replies import json_reply
from atom_backend.telemetry.metrics import CONTENT_TYPE

routes = Routes("operations", "Health and metrics.")


class StoresAnswer(BaseModel):
    """The two stores."""

    postgresql: Status
    lancedb: Status


class CheckAnswer(BaseModel):
    """One probe: a real write and read, and how long it took."""

    status: Status
    milliseconds: float
    detail: str | None

    @classmethod
    def of(cls, probe: Probe) -> CheckAnswer:
        milliseconds = round(probe.milliseconds, 2)
        return cls(status=probe.status, milliseconds=milliseconds, detail=probe.detail)


class HealthAnswer(BaseModel):
    """The whole and its parts; `degraded` still serves, without a part."""

    status: Status
    version: str
    database: StoresAnswer
    embedder: Status
    vault: Status
    checks: dict[str, CheckAnswer]


class AliveAnswer(BaseModel):
    """The process answers."""

    status: Status


class ReadyAnswer(BaseModel):
    """Whether requests can be served."""

    ready: bool


@routes.add(
    "GET",
    "/healthz",
    Answer(200, "Healthy, or degraded: something can be served.", HealthAnswer),
    Answer(503, "Neither store answers.", HealthAnswer, headers={"Retry-After": "Seconds."}),
)
def health(call: PublicCall[None, None]) -> Response:
    """How the stores, the embedding model and the vault of tokens are, by really using each."""
    found = call.services.health.check()
    return _by_readiness(found, _health_answer(found))


@routes.add("GET", "/livez", Answer(200, "It is alive.", AliveAnswer))
def alive(call: PublicCall[None, None]) -> Response:
    """Whether the process answers; touches no store."""
    return json_reply(AliveAnswer(status=Status.HEALTHY))


@routes.add(
    "GET",
    "/readyz",
    Answer(200, "Send requests.", ReadyAnswer),
    Answer(503, "Neither store answers.", ReadyAnswer, headers={"Retry-After": "Seconds."}),
)
def ready(call: PublicCall[None, None]) -> Response:
    """Whether requests can be served; false only when neither store answers."""
    found = call.services.health.check()
    return _by_readiness(found, ReadyAnswer(ready=found.ready))


@routes.add("GET", "/metrics", Answer(200, "Prometheus' text format.", str, "text/plain"))
def metrics(call: PublicCall[None, None]) -> Response:
    """Requests, latencies, degraded searches, and how far the index is behind."""
    return Response(call.services.metrics.exposition(), content_type=CONTENT_TYPE)


def _health_answer(found: Health) -> HealthAnswer:
    probes = {
        "postgresql": found.postgresql,
        "lancedb": found.lancedb,
        "embedder": found.embedder,
        "vault": found.vault,
    }
    return HealthAnswer(
        status=found.status,
        version=__version__,
        database=StoresAnswer(postgresql=found.postgresql.status, lancedb=found.lancedb.status),
        embedder=found.embedder.status,
        vault=found.vault.status,
        checks={name: CheckAnswer.of(probe) for name, probe in probes.items()},
    )


def _by_readiness(found: Health, answer: BaseModel) -> Response:
    if found.ready:
        return json_reply(answer)
    return json_reply(answer, 503, Retry_After=str(RETRY_AFTER))
