"""The wiring of the coordinator: what keeps both stores in step, on stores that are open.

Invariant: nothing is opened here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atom_backend.coordinator.agreement import Agreement
from atom_backend.coordinator.check import Check
from atom_backend.coordinator.consistency import ConsistencyJob
from atom_backend.coordinator.convergence import Convergence
from atom_backend.coordinator.indexer import Indexer
from atom_backend.coordinator.relay import Relay
from atom_backend.coordinator.repair import Repair
from atom_backend.coordinator.retry import RetryParked
from atom_backend.coordinator.sealing import Sealing
from atom_backend.coordinator.upkeep import Sweep, Upkeep
from atom_backend.domain.backoff import Backoff
from atom_backend.domain.consistency import Schedule
from atom_backend.domain.ports import Wakeup
from atom_backend.guards.timed_embedder import TimedEmbedder
from atom_backend.settings import Settings
from atom_backend.stores import (
    Stores,
)
from atom_backend.workers.chores import Chores, Periodic, Timer
from atom_backend.workers.loop import Loop, Worker

_SWEEP_SECONDS = 3600.0
_SEALING_SECONDS = 2.0
_MODEL_SHARE = 0.3
"""Of a lease's time, for one call of the model: a worker whose model hangs asks it once more, and
then gives its leases back before they run out."""
_LEAST_MODEL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Remedies:
    """What finds and mends differences between the stores."""

    check: Check
    repair: Repair
    retry_parked: RetryParked


def assemble_remedies(stores: Stores) -> Remedies:
    """Check and repair of these stores; what they find or do not find is of the present spec."""
    indexer = Indexer(stores.chunker, stores.embedder)
    check = Check(stores.transactions, stores.vectors, spec=lambda: indexer.spec)
    repair = Repair(stores.transactions, stores.vectors, check)
    return Remedies(check, repair, RetryParked(stores.transactions))


def assemble_consistency_job(settings: Settings, stores: Stores) -> ConsistencyJob:
    """Checks and repairs of these stores, by schedule and when they are asked for."""
    remedies = assemble_remedies(stores)
    schedule = Schedule(settings.consistency_seconds)
    return ConsistencyJob(stores.transactions, remedies.check, remedies.repair, schedule)


def assemble_worker(
    settings: Settings, stores: Stores, wakeup: Wakeup, *, beside: Sequence[Loop] = ()
) -> Worker:
    """The coordinator's loops on these stores."""
    deadline = max(_LEAST_MODEL_SECONDS, _MODEL_SHARE * settings.lease_seconds)
    indexer = Indexer(stores.chunker, TimedEmbedder(stores.embedder, deadline=deadline))
    relay = Relay(
        stores.transactions,
        Convergence(stores.transactions, stores.vectors, indexer),
        backoff=Backoff(max_attempts=settings.max_attempts),
        batch=settings.relay_batch,
        lease_seconds=settings.lease_seconds,
    )
    loops = [
        Loop(_chores(settings, stores).turn, Timer()),
        Loop(_sealing(stores).turn, Timer()),
        *beside,
    ]
    return Worker(stores.transactions, relay, wakeup, spec=lambda: indexer.spec, beside=loops)


def _chores(settings: Settings, stores: Stores) -> Chores:
    agreement = Agreement(stores.transactions, stores.generations)
    upkeep = Upkeep(stores.transactions, stores.vectors)
    sweep = Sweep(stores.transactions)
    return Chores(
        [
            Periodic("Agreement", agreement.reach, settings.maintenance_seconds),
            Periodic("Upkeep", upkeep.run_once, settings.maintenance_seconds),
            Periodic("Sweep", sweep.run_once, _SWEEP_SECONDS),
        ]
    )


def _sealing(stores: Stores) -> Chores:
    """On a loop of its own: what is not sealed yet could be changed without a trace."""
    sealing = Sealing(stores.transactions)
    return Chores([Periodic("Audit", sealing.run_once, _SEALING_SECONDS)])
