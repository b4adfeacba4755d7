"""The seed decides everything, and a plan is worth carrying out."""

from __future__ import annotations

from collections import Counter

from tests.driver.plan import Planner
from tests.driver.steps import Fault, Operation, Step
from tests.driver.words import word

OPERATIONS, KILLS, OTHERS = 500, 50, 10


def plan(seed: int, rounds: int = 1) -> list[list[Step]]:
    planner = Planner(seed)
    return [planner.round(number, OPERATIONS, KILLS, OTHERS) for number in range(rounds)]


def operations(steps: list[Step]) -> list[Operation]:
    """Every operation, the lines of batches among them."""
    asked = [step for step in steps if isinstance(step, Operation)]
    return asked + [line for step in asked for line in step.lines]


def test_the_same_seed_gives_the_same_steps() -> None:
    assert plan(1, rounds=2) == plan(1, rounds=2)


def test_another_seed_or_round_gives_others() -> None:
    one, two = plan(1, rounds=2)
    assert one != two
    assert [one] != plan(2)


def test_a_round_has_what_was_ordered() -> None:
    (steps,) = plan(3)
    faults = Counter(
        step.kind.partition(" ")[0] == "kill" for step in steps if isinstance(step, Fault)
    )
    assert sum(isinstance(step, Operation) for step in steps) == OPERATIONS
    assert faults == {True: KILLS, False: OTHERS}


def test_many_rounds_have_every_kind_of_operation_and_fault() -> None:
    steps = [step for steps in plan(4, rounds=8) for step in steps]
    kinds = {step.kind for step in [*steps, *operations(steps)]}
    assert kinds == {
        *("create", "put", "patch", "delete", "batch", "search", "similar", "read", "list"),
        *("login", "refresh", "leave"),
        *("kill worker", "kill all workers", "kill web server", "kill web"),
        *("kill postmaster", "kill guard", "pause worker", "hide lancedb", "run repair"),
        "run rebuild",
    }


def test_no_value_is_written_by_two_writes() -> None:
    rounds = plan(5, rounds=3)
    writes = [one for steps in rounds for one in operations(steps) if one.fields]
    numbers = [write.number for write in writes]
    assert len(set(numbers)) == len(numbers)
    texts = [write.fields["text"] for write in writes if "text" in write.fields]
    assert len(set(texts)) == len(texts)
    assert all(word(write.number) in value for write in writes for value in write.fields.values())


def test_every_sentence_of_a_text_names_its_write() -> None:
    (steps,) = plan(6)
    for write in operations(steps):
        sentences = write.fields.get("text", "").split(".")
        assert all(word(write.number) in line for line in sentences if line.strip())


def test_what_is_deleted_is_created_again_under_its_name() -> None:
    deleted, again = set(), set()
    for step in operations(plan(7)[0]):
        if step.kind == "delete":
            deleted.add(step.slot)
        elif step.kind == "put" and step.slot in deleted:
            again.add(step.slot)
    assert again


def test_words_are_different_and_look_like_words() -> None:
    words = [word(number) for number in range(100_000)]
    assert len(set(words)) == len(words)
    assert all(one.isalpha() for one in words)
