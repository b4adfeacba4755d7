"""Log lines name their time, level, logger and request, as text or as JSON."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextvars import Context

import pytest
from pydantic import SecretStr

from atom_backend.domain.secrets import Secret
from atom_backend.telemetry.context import bind_request_id
from atom_backend.telemetry.logs import configure_logging


@pytest.fixture(autouse=True)
def _undone() -> Iterator[None]:
    """Put the root logger back as pytest had it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    bind_request_id(None)
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


def logged(level: str = "INFO", *, as_json: bool = True) -> io.StringIO:
    stream = io.StringIO()
    configure_logging(level, "json" if as_json else "plain", stream)
    return stream


def test_a_json_line_holds_message_fields_and_request() -> None:
    stream = logged()
    bind_request_id("r-1")
    logging.getLogger("atom.x").info("said %s", "a", extra={"milliseconds": 1.5})
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "said a",
        "level": "info",
        "logger": "atom.x",
        "milliseconds": 1.5,
        "request_id": "r-1",
    }


def test_a_json_line_stays_one_line_even_with_a_traceback() -> None:
    stream = logged()
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("atom.x").exception("bad")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError: two\nlines" in json.loads(line)["exception"]


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "plain"])
def test_a_traceback_shows_no_value_of_any_variable(*, as_json: bool) -> None:
    stream = logged("DEBUG", as_json=as_json)
    secret, password = Secret("canary-of-the-vault"), SecretStr("canary-of-a-form")
    try:
        _fail_with(secret, password)
    except RuntimeError:
        logging.getLogger("atom.x").exception("failed with %s and %r", secret, password)
        logging.getLogger("atom.x").error("%s", [secret], extra={"given": {"a": secret}})
    said = stream.getvalue()
    assert "_fail_with" in said, "the traceback itself is there"
    assert "canary-of" not in said


def _fail_with(secret: Secret, password: SecretStr) -> None:
    revealed = secret.reveal() + password.get_secret_value()
    try:
        raise ValueError(f"could not use {secret} with {password}")
    except ValueError as error:
        raise RuntimeError(f"gave up on {len(revealed)} characters of {secret!r}") from error


def test_a_plain_line_can_be_read_by_people() -> None:
    stream = logged(as_json=False)
    bind_request_id("r-1")
    logging.getLogger("atom.x").warning("careful", extra={"n": 1})
    said = stream.getvalue()
    assert "[warning" in said
    assert "careful [atom.x] n=1 request_id=r-1\n" in said


def test_a_level_hides_what_is_below_it() -> None:
    stream = logged("WARNING")
    logging.getLogger("atom.x").info("quiet")
    assert stream.getvalue() == ""


def test_configuring_twice_does_not_double_lines() -> None:
    logged()
    stream = logged()
    logging.getLogger("atom.x").info("once")
    assert len(stream.getvalue().splitlines()) == 1


def test_outside_a_request_a_line_names_none() -> None:
    stream = logged()
    # Another test of this thread may have been in a request.
    Context().run(logging.getLogger("atom.x").info, "start")
    assert "request_id" not in json.loads(stream.getvalue())
