"""Guides as the tests see them: blocks of commands, and of what comes back.

``sh`` blocks run in order, in one shell; a ``json`` block after one shows what comes back: each of
its fields must be in the answer, and each value that does not hold "…" must be the answer's.
Other blocks (``console``, ``sql``) are not run.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.e2e.conftest import PROJECT, Service, environment

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = "=====next====="
_README_URL = "http://127.0.0.1:8765"

Block = tuple[str, str]


def blocks(text: str) -> list[Block]:
    """Kind and content of every block that means something to a test."""
    return [(kind, text) for kind, text in _BLOCK.findall(text) if kind in {"sh", "json"}]


def follow(guide: Sequence[Block], service: Service, folder: Path, where: str) -> None:
    """Run the commands; each must succeed and its answer be as shown."""
    commands = [text for kind, text in guide if kind == "sh"]
    answers = iter(_run(commands, service, folder))
    answer = ""
    for kind, text in guide:
        if kind == "sh":
            answer = next(answers)
        else:
            _assert_shows(json.loads(text), json.loads(answer), where)


def _run(commands: list[str], service: Service, folder: Path) -> Iterator[str]:
    """What each command printed."""
    for name in ("README.md", "docs"):
        if not (folder / name).exists():
            (folder / name).symlink_to(PROJECT / name)
    script = f"\necho '{_MARK}'\n".join(["set -e -o pipefail", *commands])
    script = script.replace(_README_URL, service.url)
    script = script.replace(".venv/bin/python", shlex.quote(sys.executable))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, **environment(service.data)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return iter(done.stdout.split(f"{_MARK}\n")[1:])


def _assert_shows(shown: Any, answer: Any, where: str) -> None:
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in answer, f"{where}: {name} is not in {answer}"
            _assert_shows(value, answer[name], f"{where}/{name}")
    elif isinstance(shown, list):
        assert len(answer) >= len(shown), where
        for one, other in zip(shown, answer, strict=False):
            _assert_shows(one, other, where)
    elif isinstance(shown, str) and "…" in shown:
        assert isinstance(answer, str), where
    elif isinstance(shown, float):
        assert isinstance(answer, float), where
    else:
        assert shown == answer, where
