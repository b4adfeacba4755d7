"""The attendees of an event, read from and written as iCalendar (RFC 5545, section 3.8.4.1).

Invariant: reading what was written gives the same attendees.
"""

from __future__ import annotations

from collections.abc import Callable

from icalendar.parser import Parameters
from icalendar.prop import vCalAddress

from atom_backend.domain.calendar.events import Attendee, Participation, Role
from atom_backend.extraction.calendars.ics_components import Component, Property

_MAIL = "mailto:"
_PARTICIPATION = {
    "NEEDS-ACTION": Participation.NEEDS_ACTION,
    "ACCEPTED": Participation.ACCEPTED,
    "DECLINED": Participation.DECLINED,
    "TENTATIVE": Participation.TENTATIVE,
    "DELEGATED": Participation.DELEGATED,
}
_ROLES = {
    "CHAIR": Role.CHAIR,
    "REQ-PARTICIPANT": Role.REQUIRED,
    "OPT-PARTICIPANT": Role.OPTIONAL,
    "NON-PARTICIPANT": Role.NON_PARTICIPANT,
}
_KEPT = {"CN", "PARTSTAT", "ROLE"}
_WRITTEN_PARTICIPATION = {value: name for name, value in _PARTICIPATION.items()}
_WRITTEN_ROLES = {value: name for name, value in _ROLES.items()}


class _Quoted(Parameters):
    """Other readers take a backslash at the end of a bare name for an escape of what follows."""

    always_quoted = ("CN",)  # type: ignore[assignment]


def attendees(component: Component, note: Callable[[str], None]) -> tuple[Attendee, ...]:
    """Those of a VEVENT, in their order; one without an address is noted and left out."""
    given = component.all("ATTENDEE")
    found = [_attendee(one) for one in given]
    if not all(one.address for one in found):
        note("an ATTENDEE without an address is not kept")
    left = sorted({name for one in given for name in one.parameters if name not in _KEPT})
    if left:
        names = [name for name in left if len(name) < 40]
        note(f"not kept of ATTENDEE: {', '.join(names[:20])}")
    return tuple(one for one in found if one.address)


def written(attendee: Attendee) -> vCalAddress:
    """Raises nothing: what has no scheme is written as a mail address."""
    scheme = "" if ":" in attendee.address else _MAIL
    parameters = {
        "PARTSTAT": _WRITTEN_PARTICIPATION[attendee.participation],
        "ROLE": _WRITTEN_ROLES[attendee.role],
    }
    if attendee.name is not None:
        parameters["CN"] = attendee.name
    found = vCalAddress(scheme + attendee.address)
    found.params = _Quoted(parameters)
    return found


def _attendee(given: Property) -> Attendee:
    """What stands for nothing known counts as the RFC says: NEEDS-ACTION, REQ-PARTICIPANT."""
    address = given.value.strip()
    if address.lower().startswith(_MAIL):
        address = address[len(_MAIL) :].strip()
    parameters = given.parameters
    return Attendee(
        address=address,
        name=parameters.get("CN"),
        participation=_PARTICIPATION.get(
            parameters.get("PARTSTAT", "").upper(), Participation.NEEDS_ACTION
        ),
        role=_ROLES.get(parameters.get("ROLE", "").upper(), Role.REQUIRED),
    )
