"""``admin configure``: what an operator sets without an account, and what is refused."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from atom_backend.cli import cli
from atom_backend.errors import NotFound

CONFIGURE = ("admin", "configure")


def said(terminal: CliRunner, *arguments: str) -> str:
    done = terminal.invoke(cli, [*CONFIGURE, *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_what_was_set_holds_until_it_is_reset(terminal: CliRunner) -> None:
    assert "registration.open = true  (default)" in said(terminal)
    assert said(terminal, "registration.domains", '["example.org"]') in said(terminal)
    shown = said(terminal, "registration.domains")
    assert shown.startswith('registration.domains = ["example.org"]  (set)')
    assert "= []  (default)" in said(terminal, "registration.domains", "--reset")
    assert "(set)" not in said(terminal)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("registration.open", "nein"), "not JSON"),
        (("registration.open", '"no"'), "/value"),
        (("registration.open", '"\\ud800"'), "/value"),
        (("registration.open", "true", "--reset"), "no VALUE"),
        (("--reset",), "takes a KEY"),
    ],
)
def test_what_cannot_be_set_is_refused_with_its_reason(
    terminal: CliRunner, arguments: tuple[str, ...], complaint: str
) -> None:
    done = terminal.invoke(cli, [*CONFIGURE, *arguments])
    assert (done.exit_code, complaint in done.stderr) == (2, True), done.output
    assert "(set)" not in said(terminal)


def test_an_unknown_key_is_told_the_known_ones(terminal: CliRunner) -> None:
    done = terminal.invoke(cli, [*CONFIGURE, "registration.closed", "true"])
    assert isinstance(done.exception, NotFound)
    assert "registration.open" in done.exception.message
