"""What a run came to, in figures and as the table of ``docs/reliability.md``."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.driver.faults import Faults
from tests.driver.recorder import Recorder
from tests.driver.rounds import Result
from tests.promises.history import Outcome, Removal, Search, Write


@dataclass
class Report:
    """The figures of all rounds of a run."""

    seed: int
    recorder: Recorder
    faults: Faults
    results: list[Result] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        """Each once, in the order in which they were found."""
        return list(dict.fromkeys(v for result in self.results for v in result.violations))

    def rows(self) -> list[tuple[str, str]]:
        """What is shown: a name, and a figure."""
        history, results = self.recorder.history, self.results
        writes = Counter(one.outcome for kind in (Write, Removal) for one in history.of(kind))
        searches = history.of(Search)
        converged = [result.converged for result in results]
        return [
            ("rounds", f"{len(results)}"),
            ("operations", f"{sum(result.operations for result in results)}"),
            (
                "writes acknowledged / unanswered / refused",
                " / ".join(str(writes[outcome]) for outcome in _ORDER),
            ),
            ("SIGKILLs", f"{self.faults.sigkills}: {_listed(self.faults.done, 'kill ')}"),
            ("workers killed while something was leased", f"{self.faults.at_work}"),
            ("workers paused past their lease", f"{self.faults.done['pause worker']}"),
            ("times that LanceDB's folder was away", f"{self.faults.done['hide lancedb']}"),
            ("repairs beside running workers", f"{self.faults.done['run repair']}"),
            ("rebuilds beside running workers", f"{self.faults.done['run rebuild']}"),
            ("searches answered", f"{len(searches)}"),
            ("of these degraded", f"{sum(bool(one.degraded) for one in searches)}"),
            ("entries parked by kills, then retried", f"{sum(one.parked for one in results)}"),
            ("drift before repair", _drift(result.drift for result in results)),
            ("drift after repair", _drift(result.drift_left for result in results)),
            ("seconds to converge, median", f"{median(converged):.1f}" if converged else "-"),
            ("seconds to converge, longest", f"{max(converged, default=0):.1f}"),
            ("violations", f"{len(self.violations)}"),
            ("seconds", f"{sum(result.seconds for result in results):.0f}"),
            ("seed", f"{self.seed}"),
            ("machine", machine()),
        ]

    def markdown(self) -> str:
        """The table, ready to paste."""
        return "\n".join(["| figure | value |", "|---|---|", *map(_row, self.rows())])


_ORDER = (Outcome.ACKNOWLEDGED, Outcome.UNKNOWN, Outcome.REFUSED)


def machine() -> str:
    """Processor, cores, memory."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = names[0] if names else platform.machine()
    return f"{processor}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def _row(pair: Sequence[str]) -> str:
    return f"| {pair[0]} | {pair[1]} |"


def _listed(counts: Counter[str], prefix: str) -> str:
    return ", ".join(
        f"{count} {kind.removeprefix(prefix)}"
        for kind, count in sorted(counts.items())
        if kind.startswith(prefix)
    )


def _drift(rounds: object) -> str:
    total: Counter[str] = sum(rounds, Counter())  # type: ignore[call-overload]
    return ", ".join(f"{count} {kind}" for kind, count in sorted(total.items())) or "0"
