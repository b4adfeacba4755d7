"""Takes a calendar file apart into components and their properties (RFC 5545, section 3.4).

The library's own reader gives up a whole file for one bad line, says no line numbers, and keeps
every time zone that a file defines for all files after it; its reader of single lines does none
of this, and is used here.
Invariant: what is wrong is written down in the component that it stands in; only a file of too
many lines is refused as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from icalendar.parser import Contentline, Parameters

from atom_backend.extraction import refusals

DEEPEST = 8
"""Levels of components; a VALARM in a VEVENT in a VCALENDAR is on the third."""

MOST_LINES = 250_000
"""Content lines of a file, at about 500 bytes of memory; large calendars have 50,000."""

LONGEST_LINE = 1_000_000
"""Characters; longer ones carry attachments, which are not kept anyway."""

_LINE_END = re.compile(r"\r\n|\n|\r")
_NAME = re.compile(r"[A-Za-z0-9-]{1,80}(?=[;:])")
_OUTER = {
    *("VCALENDAR", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE", "VAVAILABILITY"),
}
"""They stand in nothing but a VCALENDAR: where one begins, the one before has lost its END."""
_COMPONENT = re.compile(r"[A-Z0-9-]{1,40}")
_TORN = re.compile(rb"\r?\n[ \t]")


@dataclass(frozen=True, slots=True)
class Property:
    """One content line; ``value`` is as written, ``parameters`` have names in upper case."""

    name: str
    parameters: dict[str, str]
    value: str
    line: int


@dataclass(slots=True)
class Component:
    """What stands between BEGIN and END. ``faults`` say why it cannot be trusted as a whole."""

    name: str
    line: int
    properties: list[Property] = field(default_factory=list)
    children: list[Component] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    """Lines that could not be read, with the name that each may begin with."""

    def all(self, name: str) -> list[Property]:
        return [one for one in self.properties if one.name == name]

    def first(self, name: str) -> Property | None:
        return next((one for one in self.properties if one.name == name), None)


def unfolded_bytes(content: bytes) -> bytes:
    """The content without its folds: some writers fold within a character (section 3.1)."""
    return _TORN.sub(b"", content)


def components(text: str) -> Component:
    """The file as a component without a name, whose children are what stands outermost.

    Raises InvalidInput ``extraction_limit``.
    """
    root = Component("", 1)
    opened = [root]
    for count, (line, content) in enumerate(_unfolded(text)):
        if count == MOST_LINES:
            raise refusals.limit("more lines")
        name = _NAME.match(content)
        match name and name[0].upper():
            case "BEGIN":
                _begin(opened, _component_name(content), line)
            case "END":
                _end(opened, _component_name(content))
            case None:
                opened[-1].skipped.append((line, _bare_name(content)))
            case str(upper):
                _add(opened[-1], upper, content, line)
    for left in opened[1:]:
        left.faults.append(f"END:{left.name} is missing")
    return root


def _component_name(content: str) -> str:
    """What a BEGIN or END names; a question mark where that is no name."""
    name = content.partition(":")[2].strip().upper()
    return name if _COMPONENT.fullmatch(name) else "?"


def _begin(opened: list[Component], name: str, line: int) -> None:
    if name in _OUTER:
        _close(opened, lambda one: one.name in ("", "VCALENDAR") and name != "VCALENDAR")
    if len(opened) > DEEPEST:
        opened[-1].faults.append(f"components are nested deeper than {DEEPEST} levels")
        return
    component = Component(name, line)
    opened[-1].children.append(component)
    opened.append(component)


def _end(opened: list[Component], name: str) -> None:
    if name in [one.name for one in opened[1:]]:
        _close(opened, lambda one: one.name == name)
        opened.pop()
    else:
        opened[-1].faults.append(f"END:{name} stands without its BEGIN")


def _close(opened: list[Component], until: Callable[[Component], bool]) -> None:
    """Closes what is open within the first that is ``until`` from inside, or within the file."""
    missing = []
    while len(opened) > 1 and not until(opened[-1]):
        left = opened.pop()
        missing.append(f"END:{left.name} is missing")
        left.faults.append(missing[-1])
    opened[-1].faults += missing


def _add(component: Component, name: str, content: str, line: int) -> None:
    """Splits the line at its first colon outside of quotes (section 3.1)."""
    colon = Contentline(content).value_separator_index() if len(content) <= LONGEST_LINE else -1
    if colon < 0:
        component.skipped.append((line, name))
        return
    try:
        parameters = Parameters.from_ical(content[len(name) + 1 : colon])
    except ValueError:
        component.skipped.append((line, name))
        return
    plain = {key.upper(): _one(value) for key, value in parameters.items()}
    component.properties.append(Property(name, plain, content[colon + 1 :], line))


def _bare_name(content: str) -> str:
    """The name of a line that has no value."""
    return content.partition(";")[0].strip().upper()


def _one(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """The content lines with the number of the line on which each begins (section 3.1)."""
    pieces: list[str] = []
    begin = 1
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if line[:1] in (" ", "\t") and pieces:
            pieces.append(line[1:])
        elif line:
            if pieces:
                yield begin, "".join(pieces)
            pieces, begin = [line], number
    if pieces:
        yield begin, "".join(pieces)
