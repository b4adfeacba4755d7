"""Events to try things on, and hypothesis strategies that make valid ones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from atom_backend.domain.calendar.events import (
    Attendee,
    Event,
    EventStatus,
    Override,
    Participation,
    Role,
)
from atom_backend.domain.calendar.local_time import aware, midnight, zone
from atom_backend.domain.calendar.occurrences import occurrences

ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu"),
    *("Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"),
]
RULES = [
    *("FREQ=DAILY", "FREQ=DAILY;COUNT=7;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO,WE,FR;WKST=SU"),
    *("FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYMONTHDAY=31", "FREQ=YEARLY;BYWEEKNO=20"),
    *("FREQ=WEEKLY;INTERVAL=2;UNTIL=20300101T000000Z", "FREQ=YEARLY;UNTIL=20400101"),
]
TIMED_RULES = [*RULES, "FREQ=HOURLY;INTERVAL=5", "FREQ=DAILY;BYHOUR=2,9,14;BYMINUTE=30"]

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=60)
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=20)


def local(text: str) -> datetime:
    """A time on the wall, from ISO 8601."""
    return datetime.fromisoformat(text)


def at(text: str, place: str = "UTC") -> datetime:
    """The instant at which the clocks of a zone show that."""
    return aware(local(text), zone(place))


def timed(start: str, end: str, place: str = "UTC", **fields: object) -> Event:
    """An event between two times on the wall."""
    return Event("Tea", at(start, place), at(end, place), place, **fields)  # type: ignore[arg-type]


def whole_days(first: str, after_last: str, place: str = "UTC", **fields: object) -> Event:
    starts, ends = (midnight(date.fromisoformat(day), zone(place)) for day in (first, after_last))
    return Event("Feast", starts, ends, place, all_day=True, **fields)  # type: ignore[arg-type]


def attendees() -> st.SearchStrategy[tuple[Attendee, ...]]:
    one = st.builds(
        Attendee,
        st.one_of(st.emails(), st.just("urn:uuid:1"), st.just("a b; c,d\"'@example.org")),
        st.none() | NAMES,
        st.sampled_from(Participation),
        st.sampled_from(Role),
    )
    return st.lists(one, max_size=3).map(tuple)


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Any event that passes its checks, often a series with exceptions and overrides."""
    place = draw(st.sampled_from(ZONES))
    all_day = draw(st.booleans())
    first = draw(st.datetimes(datetime(1990, 1, 1), datetime(2029, 12, 1))).replace(microsecond=0)
    days, rest = draw(st.integers(0, 3)), timedelta(minutes=draw(st.integers(0, 1500)))
    floating = not all_day and draw(st.booleans())
    clock = zone("UTC" if floating or all_day else place)
    if all_day:
        starts_at = midnight(first.date(), clock)
        ends_at = midnight(first.date() + timedelta(days=days + 1), clock)
    else:
        starts_at = aware(first, clock)
        ends_at = starts_at + timedelta(days=days) + rest
    event = Event(
        title=draw(TEXTS),
        starts_at=starts_at,
        ends_at=ends_at,
        time_zone=clock.key,
        all_day=all_day,
        floating=floating,
        description=draw(TEXTS),
        location=draw(TEXTS),
        recurrence=draw(st.none() | st.sampled_from(RULES if all_day else TIMED_RULES)),
        attendees=draw(attendees()),
        status=draw(st.sampled_from([EventStatus.CONFIRMED, EventStatus.TENTATIVE])),
        transparent=draw(st.booleans()),
        calendar=draw(st.none() | NAMES.filter(bool)),
        uid="uid-1",
    )
    return draw(_with_exceptions(event))


@st.composite
def _with_exceptions(draw: st.DrawFn, event: Event) -> Event:
    """Some of its first occurrences left out, some made different, a day added."""
    end = event.starts_at + timedelta(days=900)
    starts = [one.start.astimezone(UTC) for one in occurrences(event, event.starts_at, end, 8)]
    chosen = draw(st.lists(st.sampled_from(starts), unique=True, max_size=4)) if starts else []
    place = zone(event.time_zone)
    day = event.starts_at.astimezone(place).date() + timedelta(days=draw(st.integers(1, 400)))
    extra = midnight(day, place) if event.all_day else event.starts_at + timedelta(days=1, hours=5)
    return Event(
        **{name: getattr(event, name) for name in event.__slots__}
        | {
            "exceptions": tuple(sorted(chosen[:1])),
            "added": (extra,) if draw(st.booleans()) else (),
            "overrides": tuple(
                sorted(
                    (draw(_override(one, event)) for one in chosen[1:]),
                    key=lambda override: override.original_start,
                )
            ),
        }
    )


@st.composite
def _override(draw: st.DrawFn, original: datetime, event: Event) -> Override:
    if draw(st.booleans()):
        return Override(original, cancelled=True)
    title = draw(st.none() | TEXTS.filter(lambda text: text != event.title))
    if event.all_day:
        return Override(original, title=title)
    moved = original + timedelta(minutes=draw(st.integers(1, 9_000)))
    return Override(original, starts_at=moved, ends_at=moved + timedelta(hours=1), title=title)
