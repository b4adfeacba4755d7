"""What came of it, in figures and as the table of ``docs/security.md``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.driver.report import machine

CLASSES = (2, 3, 4, 5)


@dataclass
class Tally:
    """``answers``: by group of operations and class of status. ``findings``: what is wrong."""

    seed: int
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    findings: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def cases(self) -> int:
        return sum(self.answers.values())

    @property
    def server_errors(self) -> int:
        return sum(count for (_, status), count in self.answers.items() if status == 5)

    def count(self, group: str, operation: str, caller: str, mode: str, status: int) -> None:
        """One answered case."""
        self.answers[group, status // 100] += 1
        self.asked[caller, mode] += 1
        self.operations.add(operation)

    def markdown(self) -> str:
        """The tables, ready to paste."""
        return "\n".join([*self._by_group(), "", *self._by_caller(), "", *self._summary()])

    def _by_group(self) -> Iterator[str]:
        yield "| operations | cases | 2xx | 3xx | 4xx | 5xx |"
        yield "|---|---|---|---|---|---|"
        for group in sorted({group for group, _ in self.answers}):
            counts = [self.answers[group, status] for status in CLASSES]
            yield f"| {group} | {sum(counts):,} | {' | '.join(f'{n:,}' for n in counts)} |"
        totals = [sum(n for (_, s), n in self.answers.items() if s == one) for one in CLASSES]
        yield f"| all | {self.cases:,} | {' | '.join(f'{n:,}' for n in totals)} |"

    def _by_caller(self) -> Iterator[str]:
        modes = sorted({mode for _, mode in self.asked}, reverse=True)
        yield f"| caller | {' | '.join(f'{mode} cases' for mode in modes)} |"
        yield f"|---|{'---|' * len(modes)}"
        for caller in dict.fromkeys(caller for caller, _ in self.asked):
            counts = (f"{self.asked[caller, mode]:,}" for mode in modes)
            yield f"| {caller} | {' | '.join(counts)} |"

    def _summary(self) -> Iterator[str]:
        yield (
            f"{self.cases:,} cases of {len(self.operations)} operations in {self.seconds:.0f} s, "
            f"seed {self.seed}: {self.server_errors} server errors, "
            f"{len(self.findings)} findings ({machine()})."
        )
