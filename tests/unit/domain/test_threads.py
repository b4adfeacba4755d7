"""Messages find their conversation by the ids that they name, in whatever order they arrive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atom_backend.domain.messaging.messages import MESSAGE_ID_CHARS, REFERENCES
from atom_backend.domain.messaging.threads import (
    Known,
    bounded,
    chain,
    conversation_id,
    message_id,
    message_ids,
    place,
    replied_to,
    substitute_id,
)

OWNER = UUID(int=1)
Chains = list[tuple[str, ...]]
IDS = st.sampled_from("abcdefgh")
CHAINS = st.lists(st.lists(IDS, min_size=1, max_size=4, unique=True).map(tuple), max_size=8)


class Store:
    """Keeps for one owner what a database would."""

    def __init__(self, *, rows_at_least: bool) -> None:
        self.rows: dict[str, Known] = {}
        self._rows_at_least = rows_at_least

    def add(self, ids: Sequence[str]) -> None:
        found = place(OWNER, ids, self._known(ids) if self._rows_at_least else self.rows)
        for one, row in self.rows.items():
            if row.conversation in found.merged:
                self.rows[one] = Known(found.conversation, row.marks)
        for one, marks in found.marks.items():
            self.rows[one] = Known(found.conversation, marks)

    def _known(self, ids: Sequence[str]) -> dict[str, Known]:
        """No more than ``place`` asks for."""
        known = {one: self.rows[one] for one in ids if one in self.rows}
        for conversation in {row.conversation for row in known.values()}:
            others = [
                (row.marks.child, not row.marks.head, one)
                for one, row in self.rows.items()
                if row.conversation == conversation and one not in ids
            ]
            for *_, best in sorted(others)[:1]:
                known[best] = self.rows[best]
        return known


def conversations(
    chains: Iterable[Sequence[str]], *, rows_at_least: bool = True
) -> dict[str, UUID]:
    store = Store(rows_at_least=rows_at_least)
    for ids in chains:
        store.add(ids)
    return {one: row.conversation for one, row in store.rows.items()}


def connected(chains: Chains) -> set[frozenset[str]]:
    """The sets of ids that chains hold together, computed the plain way."""
    groups: list[set[str]] = []
    for ids in chains:
        touching = [group for group in groups if group & set(ids)]
        groups = [group for group in groups if group not in touching]
        groups.append(set(ids).union(*touching))
    return {frozenset(group) for group in groups}


@given(CHAINS)
def test_ids_are_in_one_conversation_exactly_when_chains_connect_them(chains: Chains) -> None:
    placed = conversations(chains)
    groups = {
        frozenset(one for one in placed if placed[one] == conversation)
        for conversation in placed.values()
    }
    assert groups == connected(chains)


@given(CHAINS, st.data())
def test_conversations_and_their_identifiers_do_not_depend_on_the_order(
    chains: Chains, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(chains))
    assert conversations(shuffled) == conversations(chains)


@given(CHAINS)
def test_the_fewest_rows_that_must_be_known_are_as_good_as_all(chains: Chains) -> None:
    assert conversations(chains) == conversations(chains, rows_at_least=False)


@given(CHAINS)
def test_a_message_that_comes_again_changes_nothing(chains: Chains) -> None:
    assert conversations([*chains, *chains]) == conversations(chains)


def test_a_conversation_is_named_after_the_message_that_began_it() -> None:
    chains = [("a",), ("a", "b"), ("b", "c"), ("c", "d"), ("x", "y")]
    for order in permutations(chains):
        placed = conversations(order)
        assert {placed[one] for one in "abcd"} == {conversation_id(OWNER, "a")}
        assert {placed[one] for one in "xy"} == {conversation_id(OWNER, "x")}


def test_replies_in_their_order_never_rename_a_conversation() -> None:
    store = Store(rows_at_least=True)
    for ids in [("m",), ("m", "a"), ("m", "a", "z"), ("a", "b"), ("z", "c")]:
        assert place(OWNER, ids, store.rows).merged == frozenset()
        store.add(ids)


def test_a_message_that_answers_two_conversations_joins_them_and_says_so() -> None:
    store = Store(rows_at_least=True)
    store.add(("a", "b"))
    store.add(("c", "d"))
    found = place(OWNER, ("b", "d", "e"), store.rows)
    assert found.root == "a"
    assert found.conversation == conversation_id(OWNER, "a")
    assert found.merged == {conversation_id(OWNER, "c")}


def test_an_older_message_found_later_gives_its_name_to_the_conversation() -> None:
    store = Store(rows_at_least=True)
    store.add(("b", "c"))
    found = place(OWNER, ("a", "b"), store.rows)
    assert found.root == "a"
    assert found.merged == {conversation_id(OWNER, "b")}


def test_a_circle_of_references_is_a_conversation_like_any_other() -> None:
    circle = [("a", "b"), ("b", "c"), ("c", "a")]
    names = {frozenset(conversations(order).values()) for order in permutations(circle)}
    assert names == {frozenset({conversation_id(OWNER, "a")})}


def test_a_circle_keeps_its_name_when_replies_come() -> None:
    circle = [("y", "z"), ("z", "y")]
    assert set(conversations([*circle, ("z", "a")]).values()) == {conversation_id(OWNER, "y")}


def test_messages_without_references_stay_apart_whatever_their_subject() -> None:
    assert len(set(conversations([("a",), ("b",)]).values())) == 2


def test_two_owners_never_share_a_conversation() -> None:
    other = place(UUID(int=2), ("a",), {})
    assert other.conversation != place(OWNER, ("a",), {}).conversation


@pytest.mark.parametrize(
    ("own", "in_reply_to", "references", "ids"),
    [
        ("m", None, [], ("m",)),
        ("m", "a", [], ("a", "m")),
        ("m", "x", ["a", "b"], ("a", "b", "m")),
        ("m", "m", [], ("m",)),
        ("m", None, ["a", "m", "a", "b"], ("a", "b", "m")),
    ],
)
def test_a_chain_is_the_references_or_what_was_replied_to_and_then_itself(
    own: str, in_reply_to: str | None, references: list[str], ids: tuple[str, ...]
) -> None:
    assert chain(own, in_reply_to, references) == ids


def test_a_hostile_list_of_references_keeps_its_first_and_its_last() -> None:
    ids = [str(number) for number in range(100_000)]
    kept = bounded(ids)
    assert len(kept) == REFERENCES
    assert (kept[0], kept[1], kept[-1]) == ("0", str(100_001 - REFERENCES), "99999")
    assert bounded(ids[:REFERENCES]) == tuple(ids[:REFERENCES])
    assert len(chain("m", None, ids)) == REFERENCES + 1


@pytest.mark.parametrize(
    ("field", "ids"),
    [
        ("<a@x> <b@y>", ("a@x", "b@y")),
        ("<a@x><b@y>\t< c@[10.0.0.1] >, junk", ("a@x", "b@y", "c@[10.0.0.1]")),
        ("<a@x <b@y>", ("b@y",)),
        (f"<{'a' * (MESSAGE_ID_CHARS + 1)}> <b@y>", ("b@y",)),
        ("a@x", ()),
        ("<> < >", ()),
    ],
)
def test_ids_stand_between_angle_brackets(field: str, ids: tuple[str, ...]) -> None:
    assert message_ids(field) == ids


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (" <a@x> ", "a@x"),
        ("<a@x> (comment)", "a@x"),
        ("a@x", "a@x"),
        ("<no-at-sign>", "no-at-sign"),
        ("no-at-sign", None),
        ("two words@x", None),
        (f"a@{'x' * MESSAGE_ID_CHARS}", None),
        ("", None),
    ],
)
def test_a_message_id_may_lack_its_brackets(field: str, found: str | None) -> None:
    assert message_id(field) == found


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("<1@x>", "1@x"),
        ("<1@x> <2@x>", "1@x"),
        ("<1@x>; from ann@example.org on Tue, Jul 30, 2002 <ann@example.org>", "1@x"),
        ('Message from Ann <ann@example.org> of "Monday" <1@x>', "1@x"),
        ("1@x", "1@x"),
        ("Your message of Monday", None),
        ("", None),
    ],
)
def test_an_old_programs_sentence_still_names_what_was_replied_to(
    field: str, found: str | None
) -> None:
    assert replied_to(field) == found


def test_a_message_without_an_id_has_a_substitute_that_its_bytes_decide() -> None:
    assert substitute_id(b"x") == substitute_id(b"x") != substitute_id(b"y")
    assert message_id(f"<{substitute_id(b'x')}>") == substitute_id(b"x")
