"""Repair: a check whose findings are put right.

What is out of step becomes due, and a worker writes it anew under a lease, as after any write. Its
fence outranks everything that LanceDB holds, also what another backup brought along, so the wrong
rows go when it drops what is older. Removed at once is only what no lease will reach: rows of items
that do not exist, rows of a foreign owner, rows with a fence that no worker ever had. Invariant:
repeating a repair, killing it, or running it beside writers and workers does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

from atom_backend.coordinator.check import Check
from atom_backend.coordinator.examination import Examination
from atom_backend.domain.census import Table, as_uuids
from atom_backend.domain.comparison import has
from atom_backend.domain.drift import Drift, Progress, RepairReport
from atom_backend.domain.ports import Transactions, VectorStore
from atom_backend.errors import DependencyError

_DUTY = "repair"


class Repair:
    """One process at a time repairs."""

    def __init__(self, transactions: Transactions, vectors: VectorStore, check: Check) -> None:
        self._transactions = transactions
        self._vectors = vectors
        self._check = check

    def run(self, *, dry_run: bool = False, progress: Progress | None = None) -> RepairReport:
        """A whole repair; with ``dry_run`` it only says what it would do.

        Raises what ``Check.run`` raises, and DependencyError (code ``repair_under_way``) while
        another process repairs.
        """
        with self._transactions.elected(_DUTY) as mine:
            if not mine:
                raise DependencyError(
                    "Another process is repairing at this moment.", code="repair_under_way"
                )
            return self._run(dry_run, progress)

    def _run(self, dry_run: bool, progress: Progress | None) -> RepairReport:
        begun = time.monotonic()
        examination = self._check.begin(progress)
        requeued = pruned = 0
        for verdicts in examination.confirmed():
            plan = _Plan(verdicts, examination)
            if dry_run:
                requeued += len(plan.contradicted) + len(plan.requeued)
            else:
                # Pruned first: what is due is not looked at again, so nothing may be left to do.
                self._prune(plan)
                self._outrank(examination)
                requeued += self._requeue(plan)
            pruned += len(plan.pruned)
        if not dry_run:
            self._outrank(examination)
        return RepairReport(
            drift=examination.report(),
            requeued=requeued,
            pruned=pruned,
            dry_run=dry_run,
            seconds=time.monotonic() - begun,
        )

    def _outrank(self, examination: Examination) -> None:
        with self._transactions.worker() as work:
            work.repairs.outrank(examination.highest_fence)

    def _requeue(self, plan: _Plan) -> int:
        with self._transactions.worker() as work:
            reconciled = work.repairs.reconcile(plan.contradicted)
            return reconciled + work.repairs.requeue(plan.requeued)

    def _prune(self, plan: _Plan) -> None:
        if plan.foreign:
            self._vectors.drop_foreign(plan.foreign)
        for fence, item_ids in plan.unusable.items():
            self._vectors.drop_fence(item_ids, fence)
        if plan.unknown:
            self._vectors.drop_items(self._still_unknown(plan.unknown))

    def _still_unknown(self, item_ids: Sequence[UUID]) -> list[UUID]:
        """An identifier is never given twice, so what is unknown now stays so.

        A late worker may still add rows of an item that is gone; the next repair finds those.
        """
        with self._transactions.census() as snapshot:
            known = {
                *as_uuids(snapshot.entries("", item_ids)["item"]),
                *as_uuids(snapshot.sources(item_ids)["item"]),
            }
        return [item_id for item_id in item_ids if item_id not in known]


class _Plan:
    """What to do about one page of verdicts."""

    def __init__(self, verdicts: Table, examination: Examination) -> None:
        known = verdicts[verdicts["known"]]
        settled = known[known["settled"] & ~known["contradicted"]]
        foreign = known[has(known, Drift.FOREIGN)]
        self.contradicted = as_uuids(known["item"][known["contradicted"]])
        self.requeued = dict(zip(as_uuids(settled["item"]), settled["fence"].tolist(), strict=True))
        self.foreign = dict(zip(as_uuids(foreign["item"]), as_uuids(foreign["owner"]), strict=True))
        self.unknown = as_uuids(verdicts["item"][~verdicts["known"]])
        self.unusable = examination.unusable_fences
        self.pruned = {*self.foreign, *self.unknown}.union(*self.unusable.values())
