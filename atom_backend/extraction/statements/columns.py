"""Decides what each column is, from its name and from what stands in it.

Invariant: a column is given a role only where no other one has as good a claim to it, and amounts
are never left without the sign that another column holds; else there is a question.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from atom_backend.domain.finance.statements import Question, Role
from atom_backend.extraction.statements.profile import ColumnProfile
from atom_backend.extraction.statements.vocabulary import INWARD, OUTWARD, meaning


@dataclass(slots=True)
class Columns:
    """The roles of columns by place, and what is to be asked and said about them."""

    header: Sequence[str]
    profiles: Sequence[ColumnProfile]
    places: dict[Role, int] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def ask(self, role: Role, detail: str, choices: Collection[int]) -> None:
        """No question twice: the first one about a role says best what is wrong."""
        self.places.pop(role, None)
        if role not in {question.about for question in self.questions}:
            self.questions.append(Question(role, detail, tuple(map(str, sorted(choices)))))

    def profile(self, role: Role) -> ColumnProfile | None:
        return self.profiles[self.places[role]] if role in self.places else None

    def called(self, place: int) -> str:
        return f"column {place} ({self.header[place][:40]!r})"


def decide(
    header: Sequence[str], profiles: Sequence[ColumnProfile], chosen: Mapping[Role, int]
) -> Columns:
    """``chosen`` are the user's own decisions; where there are any, they are all of them."""
    columns = Columns(header, profiles, places=dict(chosen))
    for role in () if chosen else Role:
        _place(role, columns)
    if Role.DATE not in columns.places:
        dated = [place for place, one in enumerate(profiles) if one.date_like]
        columns.ask(Role.DATE, "which column is the day of the transaction", dated)
    _settle_amounts(columns)
    if not chosen:
        _settle_directions(columns)
        _settle_identifiers(columns)
    return columns


def _place(role: Role, columns: Columns) -> None:
    ranks: dict[int, list[int]] = {}
    for place, (name, profile) in enumerate(zip(columns.header, columns.profiles, strict=True)):
        known = meaning(name)
        if known is not None and known[0] is role and _can_be(role, profile):
            ranks.setdefault(known[1], []).append(place)
    if not ranks:
        return
    best, *others = [places for _, places in sorted(ranks.items())]
    if len(best) > 1:
        columns.ask(role, f"several columns are called like the {role}", best)
        return
    columns.places[role] = best[0]
    if others:
        rest = ", ".join(columns.called(place) for places in others for place in places)
        columns.notes.append(f"{columns.called(best[0])} is taken as {role}, and not {rest}")


def _can_be(role: Role, profile: ColumnProfile) -> bool:
    match role:
        case Role.DATE:
            return profile.date_like > 0
        case Role.AMOUNT:
            return profile.number_like > 0
        case Role.DEBIT | Role.CREDIT:  # a month without income is no rarity
            return profile.number_like > 0 or profile.filled == 0
        case Role.DIRECTION:
            return _tells_direction(profile)
        case _:
            return profile.filled > 0


def _tells_direction(profile: ColumnProfile) -> bool:
    return bool(profile.words) and profile.words <= OUTWARD | INWARD


def _settle_amounts(columns: Columns) -> None:
    """Amounts stand in one column, or in two."""
    named = [role for role in (Role.AMOUNT, Role.DEBIT, Role.CREDIT) if role in columns.places]
    if named in ([Role.AMOUNT], [Role.DEBIT, Role.CREDIT]):
        return
    numbers = [place for place, one in enumerate(columns.profiles) if one.number_like]
    for role in named:
        columns.places.pop(role)
    columns.ask(
        Role.AMOUNT,
        "which column is the signed amount; or, chosen instead, which are debit and credit",
        numbers,
    )


def _settle_directions(columns: Columns) -> None:
    amounts = columns.profile(Role.AMOUNT)
    if amounts is None or amounts.negative:
        if columns.places.pop(Role.DIRECTION, None) is not None and amounts is not None:
            columns.notes.append("amounts are taken as signed: some have a minus")
        return
    if Role.DIRECTION in columns.places:
        return
    tellers = [place for place, one in enumerate(columns.profiles) if _tells_direction(one)]
    if tellers:
        columns.ask(Role.DIRECTION, "which column says whether an amount came or went", tellers)
    else:
        columns.notes.append("no amount has a minus: every row would be income")


def _settle_identifiers(columns: Columns) -> None:
    identifiers = columns.profile(Role.EXTERNAL_ID)
    if identifiers is not None and identifiers.repeats:
        place = columns.places.pop(Role.EXTERNAL_ID)
        columns.notes.append(f"{columns.called(place)} is no external_id: its values repeat")
