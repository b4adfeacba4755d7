"""Requests have names, log lines and metrics, none of which holds what users wrote."""

from __future__ import annotations

import logging
import re
from ipaddress import ip_network

import pytest

from atom_backend.http import observation
from atom_backend.http.client_address import TrustedProxies
from atom_backend.http.exposure import Exposure
from atom_backend.http.lines import NDJSON
from tests.unit.http.tiny import GOOD, USER, client


@pytest.mark.parametrize("given", ["a", "trace-01.B_2", "x" * 64])
def test_a_sane_request_id_is_kept(given: str) -> None:
    answer = client().get("/things", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == answer.json["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ä", "a\tb", "<script>"])
def test_any_other_request_id_is_replaced(given: str) -> None:
    answer = client().get("/open", headers={"X-Request-Id": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_two_requests_have_two_names() -> None:
    first, second = (client().get("/open").headers["X-Request-Id"] for _ in range(2))
    assert first != second


def test_a_request_comes_from_where_trusted_proxies_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str | None] = []
    monkeypatch.setattr(observation, "bind_request_id", lambda _, address: seen.append(address))
    behind = client(Exposure(proxies=TrustedProxies((ip_network("10.0.0.0/8"),))))
    for peer in ("10.0.0.1", "203.0.113.9"):
        behind.get(
            "/open",
            headers=[("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "198.51.100.7")],
            environ_base={"REMOTE_ADDR": peer},
        )
    assert seen == ["198.51.100.7", "203.0.113.9"]


def access_lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [one for one in caplog.records if one.name == "atom_backend.access"]


def test_a_request_is_one_log_line_without_what_the_user_wrote(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    client().get(f"/things/{USER}?secret=1", headers=GOOD).close()
    client().get("/things/by-name/secret/name", headers=GOOD).close()
    client().get("/secret").close()
    said = [one.getMessage() for one in access_lines(caplog)]
    assert said == [
        "GET /things/{thing_id} 400",
        "GET /things/by-name/{name} 200",
        "GET unmatched 404",
    ]
    assert "secret" not in caplog.text
    assert "good-token" not in caplog.text


def test_a_streamed_answer_is_logged_once_it_has_ended(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    headers = {**GOOD, "Content-Type": NDJSON}
    answer = client().post("/lines", data=b'{"name":"a"}\n', headers=headers)
    assert not access_lines(caplog)
    assert answer.text == "1:a\n"
    answer.close()
    assert [one.getMessage() for one in access_lines(caplog)] == ["POST /lines 200"]


def test_metrics_count_by_template_and_bound_every_label() -> None:
    tiny = client()
    tiny.get(f"/things/{USER}", headers=GOOD).close()
    tiny.open("/things", method="BREW").close()
    tiny.get("/some/secret/path").close()
    said = tiny.get("/metrics").text
    assert 'route="/things/{thing_id}",status="200"' in said
    assert 'method="other",route="unmatched",status="405"' in said
    assert 'route="unmatched",status="404"' in said
    assert str(USER) not in said
    assert "secret" not in said
