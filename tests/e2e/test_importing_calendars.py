"""Calendar files are loaded by a command, and it is said what of them was not."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Service

EVENT = "BEGIN:VEVENT\nUID:{}\nDTSTART:20300301T090000\nSUMMARY:Tea\nEND:VEVENT\n"
TASK = "BEGIN:VTODO\nUID:3\nEND:VTODO\n"


def test_a_calendar_is_loaded_once_and_what_is_refused_is_named(
    service: Service, tmp_path: Path
) -> None:
    good, mixed, none = (tmp_path / name for name in ("good.ics", "mixed.ics", "none.ics"))
    good.write_text(f"BEGIN:VCALENDAR\n{EVENT.format(1)}END:VCALENDAR\n")
    mixed.write_text(f"BEGIN:VCALENDAR\n{EVENT.format(2)}{TASK}END:VCALENDAR\n")
    none.write_text("Dear diary")
    with service.account("calendar@example.org") as client:

        def load(*files: Path, zone: str = "Europe/Berlin") -> tuple[int, str, str]:
            named = ["--user", "calendar@example.org", "--calendar", "Home", "--time-zone", zone]
            done = service.run("import-calendar", *map(str, files), *named)
            return done.returncode, done.stdout.strip(), done.stderr

        code, said, _ = load(good)
        assert (code, said) == (0, "1 created, 0 replaced, 0 unchanged, 0 refused.")
        code, said, problems = load(good, mixed, none)
        assert (code, said) == (1, "1 created, 0 replaced, 1 unchanged, 2 refused.")
        assert "mixed.ics:7: VTODO: only events" in problems
        assert "none.ics: The file is no calendar." in problems
        code, said, problems = load(good, zone="Mars/Olympus")
        assert (code, said) == (1, "0 created, 0 replaced, 0 unchanged, 1 refused.")
        assert "time_zone" in problems
        kept = client.get("/v1/events").json()["items"]
    assert {(one["calendar"], one["starts_at"]) for one in kept} == {
        ("Home", "2030-03-01T09:00:00.000000+01:00")
    }
    assert len(kept) == 2
