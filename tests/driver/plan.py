"""What is going to happen: every operation and every fault, decided by the seed alone.

A plan is made before anything runs, from an idea of what will exist if everything succeeds. So the
same seed gives the same steps, whatever the processes make of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from tests.driver import words
from tests.driver.fault_plan import a_kill, another_fault
from tests.driver.steps import LANES, USERS, Operation, Step

_BATCH = (3, 14)
_SETTLED_AFTER = 6
"""Steps until a document is likely to be there for other lanes of its user."""


@dataclass
class _Slot:
    name: str
    named: bool
    """Whether it has an external identifier."""
    word: str
    touched: int
    lives: bool = True


class Planner:
    """Makes one round's steps after the other; what exists goes on from round to round."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rng = Random(seed)
        self._slots: dict[str, list[_Slot]] = {user: [] for user in USERS}
        self._echo: Operation | None = None
        self._numbers = 0

    def round(self, number: int, operations: int, kills: int, others: int) -> list[Step]:
        """``kills`` by SIGKILL and ``others`` (pauses, outages), spread among the operations.

        At most one fault follows an operation, so together they must be fewer than those.
        """
        self._rng = Random(f"{self._seed}:{number}")
        faults = [a_kill] * kills + [another_fault] * others
        places = sorted(self._rng.sample(range(operations), len(faults)))
        self._rng.shuffle(faults)
        makers = dict(zip(places, faults, strict=True))
        steps: list[Step] = []
        for place in range(operations):
            make = makers.get(place)
            # Half of the faults find the workers with a whole batch in their hands.
            busy = make is not None and self._rng.random() < 0.5
            steps.append(self._batch(self._rng.choice(USERS)) if busy else self._operation())
            if make is not None:
                steps.append(make(self._rng, self._number()))
        return steps

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _operation(self) -> Operation:
        """The next one: any, or a look by whoever has just changed or deleted something."""
        rng = self._rng
        if self._echo is not None:
            echo, self._echo = self._echo, None
            return echo
        kinds: dict[Callable[[str], Operation], float] = {
            self._create: 14,
            self._put: 20,
            self._recreate: 6,
            self._patch: 14,
            self._delete: 11,
            self._batch: 6,
            self._search_word: 13,
            self._search_words: 7,
            self._similar: 4,
            self._read: 7,
            self._list: 2,
            self._login: 1.5,
            self._leave: 0.25,
        }
        (make,) = rng.choices(list(kinds), list(kinds.values()))
        return make(rng.choice(USERS))

    def _new(self, kind: str, user: str, **more: object) -> Operation:
        rng = self._rng
        usual: dict[str, object] = {
            "lane": rng.randrange(LANES),
            "persistent": rng.random() < 0.75,
            "wait": rng.choice([0, 0, 0, 2]),
        }
        values = usual | more
        number = values.pop("number", None) or self._number()
        return Operation(number=number, kind=kind, user=user, **values)  # type: ignore[arg-type]

    def _fields(self, number: int) -> dict[str, str]:
        rng = self._rng
        sentences = rng.choice([1, 1, 2, 2, 3, 4, 60])
        return {
            "title": words.title(rng, number),
            "text": words.text(rng, number, sentences),
            "note": words.word(number),
        }

    def _add(self, user: str, *, named: bool) -> tuple[int, _Slot]:
        number = self._number()
        slot = _Slot(f"{user}-{number}", named, words.word(number), number)
        self._slots[user].append(slot)
        return number, slot

    def _some(self, user: str, *, lives: bool = True, named: bool | None = None) -> _Slot | None:
        """A slot that nothing was done to just now."""
        fit = [
            slot
            for slot in self._slots[user][-400:]
            if slot.lives is lives
            and named in {None, slot.named}
            and self._numbers - slot.touched >= _SETTLED_AFTER
        ]
        return self._rng.choice(fit) if fit else None

    def _create(self, user: str) -> Operation:
        number, slot = self._add(user, named=self._rng.random() < 0.3)
        return self._new(
            "create",
            user,
            number=number,
            slot=slot.name,
            fields=self._fields(number),
            named=slot.named,
        )

    def _put(self, user: str) -> Operation:
        slot = self._some(user, named=True) if self._rng.random() < 0.6 else None
        if slot is None:
            number, slot = self._add(user, named=True)
        else:
            number = self._number()
        return self._put_into(user, slot, number)

    def _recreate(self, user: str) -> Operation:
        slot = self._some(user, lives=False, named=True)
        if slot is None:
            return self._put(user)
        slot.lives = True
        return self._put_into(user, slot, self._number())

    def _put_into(self, user: str, slot: _Slot, number: int) -> Operation:
        slot.word, slot.touched = words.word(number), number
        return self._new(
            "put", user, number=number, slot=slot.name, named=True, fields=self._fields(number)
        )

    def _patch(self, user: str) -> Operation:
        slot = self._some(user)
        if slot is None:
            return self._create(user)
        number, rng = self._number(), self._rng
        fields = self._fields(number)
        names = rng.choice([["text"], ["text"], ["title"], ["note"], ["title", "text"]])
        before, slot.touched = slot.word, number
        if "text" in names:
            slot.word = words.word(number)
        patch = self._new(
            "patch",
            user,
            number=number,
            slot=slot.name,
            named=slot.named,
            fields={name: fields[name] for name in names},
            conditional=rng.random() < 0.25,
        )
        return self._look_again(patch, before)

    def _delete(self, user: str) -> Operation:
        slot = self._some(user)
        if slot is None:
            return self._create(user)
        slot.lives, slot.touched = False, self._numbers
        return self._look_again(self._new("delete", user, slot=slot.name, wait=0), slot.word)

    def _batch(self, user: str) -> Operation:
        lines = tuple(self._lines(user))
        return self._new("batch", user, lines=lines, wait=0)

    def _lines(self, user: str) -> Iterator[Operation]:
        for _ in range(self._rng.randint(*_BATCH)):
            yield self._put(user) if self._rng.random() < 0.8 else self._create(user)

    def _look_again(self, operation: Operation, word: str) -> Operation:
        """The same, followed at times by a search of the same client for what was there."""
        if self._rng.random() < 0.5:
            mode = self._rng.choice(["text", "text", "hybrid", "vector"])
            again = {"lane": operation.lane, "query": word, "mode": mode, "wait": 0}
            self._echo = self._new("search", operation.user, **again)
        return operation

    def _search_word(self, user: str) -> Operation:
        slot = self._some(user)
        query = slot.word if slot else words.word(0)
        mode = self._rng.choice(["text", "text", "text", "hybrid", "vector"])
        return self._new("search", user, query=query, mode=mode, wait=0)

    def _search_words(self, user: str) -> Operation:
        mode = self._rng.choice(["hybrid", "hybrid", "vector", "text"])
        query = self._rng.choice(words.QUESTIONS)
        return self._new("search", user, query=query, mode=mode, wait=0)

    def _read(self, user: str) -> Operation:
        slot = self._some(user, lives=self._rng.random() < 0.7)
        mode = self._rng.choice(["text", ""])
        return self._new("read", user, slot=slot.name if slot else "", mode=mode, wait=0)

    def _similar(self, user: str) -> Operation:
        slot = self._some(user, lives=self._rng.random() < 0.9)
        return self._new("similar", user, slot=slot.name if slot else "", mode="similar", wait=0)

    def _list(self, user: str) -> Operation:
        return self._new("list", user, wait=0)

    def _login(self, user: str) -> Operation:
        return self._new(self._rng.choice(["login", "refresh"]), user, wait=0)

    def _leave(self, user: str) -> Operation:
        self._slots[user] = []
        return self._new("leave", user, wait=0, persistent=True)
