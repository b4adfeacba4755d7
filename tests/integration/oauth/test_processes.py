"""Several real web processes on one grant: one refresh, and no grant lost with a process."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.conftest import RunSql
from tests.faults.deployment import Program, eventually, free_port
from tests.integration.http.conftest import Account
from tests.integration.oauth.conftest import connected, make_old
from tests.provider.running import RunningProvider

if TYPE_CHECKING:
    from atom_backend.bootstrap import Runtime

_SECONDS = 90


class WebProcesses:
    """Real processes with the whole application, each on a port of its own."""

    def __init__(self, environment: dict[str, str], *, count: int) -> None:
        self._ports = [free_port() for _ in range(count)]
        arguments = ["tests.integration.oauth.program", *map(str, self._ports)]
        self._program = Program("web", arguments, {**os.environ, **environment})
        said = self._program.said
        eventually(lambda: len(self._pids()) == count, lambda: "".join(said), _SECONDS)

    def token(self, number: int, account: Account, grant: Any) -> httpx.Response:
        """Ask the process of this number, or of what is left when they are counted round."""
        port = self._ports[number % len(self._ports)]
        headers = {"Authorization": f"Bearer {account.token}"}
        address = f"http://127.0.0.1:{port}/v1/oauth/grants/{grant['id']}/token"
        return httpx.post(address, headers=headers, timeout=_SECONDS, trust_env=False)

    def kill(self, number: int) -> None:
        os.kill(self._pids()[self._ports[number]], signal.SIGKILL)

    def stop(self) -> None:
        self._program.stop()
        assert self._program.errors() == []

    def _pids(self) -> dict[int, int]:
        found = [re.search(r"serving (\d+) as (\d+)", line) for line in self._program.said]
        return {int(one[1]): int(one[2]) for one in found if one}


@pytest.fixture(scope="module")
def processes(environment: dict[str, str], runtime: Runtime) -> Iterator[WebProcesses]:
    started = WebProcesses(environment, count=4)
    yield started
    started.stop()


def test_twenty_who_ask_four_processes_at_once_get_the_token_of_one_refresh(
    processes: WebProcesses, account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    """The provider would take a second use of the refresh token for theft and end the grant."""
    grant = connected(account, oauth_server)
    for _ in range(2):
        make_old(sql, grant)
        oauth_server.reset()
        oauth_server.fail({"effect": "slow", "seconds": 0.5})
        with ThreadPoolExecutor(20) as pool:
            asked = [pool.submit(processes.token, n, account, grant) for n in range(20)]
            answers = [one.result() for one in asked]
        assert [one.status_code for one in answers] == [200] * 20
        (token,) = {one.json()["access_token"] for one in answers}
        assert oauth_server.active(token)
        stats = oauth_server.stats()
        assert stats["requests"]["/token"] == stats["issued"]["refresh_token"] == 1
        assert stats["revoked_grants"] == 0


def test_who_waited_for_a_refresh_that_failed_does_not_ask_in_turn(
    processes: WebProcesses, account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    grant = connected(account, oauth_server)
    make_old(sql, grant)
    oauth_server.reset()
    oauth_server.fail({"effect": "answer", "status": 503, "times": 99})
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(processes.token, n, account, grant) for n in range(8)]
        assert [one.result().status_code for one in asked] == [503] * 8
    assert oauth_server.stats()["requests"]["/token"] == 1
    oauth_server.reset()
    make_old(sql, grant)
    assert processes.token(0, account, grant).status_code == 200


def test_a_process_that_is_killed_while_it_refreshes_leaves_a_grant_that_others_refresh(
    processes: WebProcesses, account: Account, oauth_server: RunningProvider, sql: RunSql
) -> None:
    grant = connected(account, oauth_server)
    make_old(sql, grant)
    oauth_server.reset()
    oauth_server.fail({"effect": "hang"})
    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(processes.token, 3, account, grant)
        eventually(lambda: oauth_server.stats()["requests"].get("/token") == 1)
        processes.kill(3)
        with pytest.raises(httpx.TransportError):
            lost.result()
    answer = processes.token(0, account, grant)
    assert answer.status_code == 200, answer.text
    assert oauth_server.active(answer.json()["access_token"])
    make_old(sql, grant)
    assert processes.token(1, account, grant).status_code == 200
    assert account.get(f"/v1/oauth/grants/{grant['id']}").json["state"] == "active"
