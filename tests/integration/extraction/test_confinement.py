"""What a hostile file, a crash or a kill may cost: one child process and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from atom_backend.errors import DependencyError, InvalidInput
from atom_backend.extraction.extractor import SubprocessExtractor
from tests.unit.extraction.samples import make_docx, word_paragraph

CHECKOUT = Path(__file__).resolve().parents[3]
PAGE = b"<html><p>hello"
# About two seconds for mammoth, on any machine far more than the limits that tests set.
HEAVY = make_docx(word_paragraph("some words") * 40_000)
DEADLINE_SECONDS = 60.0
STRANGERS: set[psutil.Process] = set()


@pytest.fixture
def extractor() -> Iterator[SubprocessExtractor]:
    with SubprocessExtractor(workers=1) as running:
        yield running


@pytest.fixture(autouse=True)
def _strangers() -> Iterator[None]:
    """Other tests of this process may keep an extractor of their own."""
    found = children()
    STRANGERS.update(found)
    yield
    STRANGERS.difference_update(found)


def children(parent: int | None = None) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(parent).children():
        if process in STRANGERS:
            continue
        try:
            command = process.cmdline()
        except psutil.NoSuchProcess:
            continue
        if "atom_backend.extraction.child" in command:
            found.append(process)
    return found


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < until, "it never came true"
        threading.Event().wait(0.01)


def refusal_of(extractor: SubprocessExtractor, content: bytes) -> str:
    with pytest.raises(InvalidInput) as refused:
        extractor.extract(content)
    return refused.value.code


def busy(child: psutil.Process) -> bool:
    """It has begun to work on the heavy file: an idle child has no such memory."""
    return int(child.memory_info().rss) > 60 * 1024 * 1024


def test_a_file_that_takes_too_much_processor_time_is_refused() -> None:
    with SubprocessExtractor(cpu_seconds=1, workers=1) as hasty:
        with pytest.raises(InvalidInput, match="more processor time") as refused:
            hasty.extract(HEAVY)
        assert refused.value.code == "extraction_limit"
        assert hasty.extract(PAGE).text == "hello"


def test_a_file_that_takes_too_long_is_refused() -> None:
    with SubprocessExtractor(wall_seconds=0.5, workers=1) as hasty:
        hasty.extract(PAGE)
        with pytest.raises(InvalidInput, match="more time") as refused:
            hasty.extract(HEAVY)
        assert refused.value.code == "extraction_limit"
        assert not children()


@pytest.mark.parametrize("mebibytes", [114, 128, 142, 156])
def test_a_file_that_takes_too_much_memory_is_refused(mebibytes: int) -> None:
    with SubprocessExtractor(memory_bytes=mebibytes * 1024**2, workers=1) as poor:
        assert refusal_of(poor, HEAVY) == "extraction_limit"
        assert poor.extract(PAGE).text == "hello"


def test_processor_time_is_counted_for_each_file() -> None:
    page = PAGE + b"<b>x</b> " * 20_000
    with SubprocessExtractor(cpu_seconds=1, workers=1) as hasty:
        hasty.extract(PAGE)
        (child,) = children()
        while sum(child.cpu_times()[:2]) < 2.5:
            hasty.extract(page)
            assert children() == [child]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGSEGV, "malformed_document"),
        (signal.SIGABRT, "extraction_limit"),
        (signal.SIGKILL, "extraction_limit"),
    ],
)
def test_a_parser_that_crashes_costs_one_file(
    extractor: SubprocessExtractor, number: signal.Signals, code: str
) -> None:
    extractor.extract(PAGE)
    (child,) = children()
    with ThreadPoolExecutor(1) as other:
        crashing = other.submit(refusal_of, extractor, HEAVY)
        eventually(lambda: busy(child))
        child.send_signal(number)
        assert crashing.result() == code
    assert extractor.extract(PAGE).text == "hello"


def test_a_child_that_was_killed_while_it_waited_is_replaced(
    extractor: SubprocessExtractor,
) -> None:
    extractor.extract(PAGE)
    (child,) = children()
    child.kill()
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert extractor.extract(PAGE).text == "hello"
    assert child.pid not in [other.pid for other in children()]


def test_a_child_is_used_again_but_not_after_a_refusal(extractor: SubprocessExtractor) -> None:
    extractor.extract(PAGE)
    first = children()
    extractor.extract(PAGE)
    assert children() == first
    refusal_of(extractor, b"%PDF-1.4 nothing")
    extractor.extract(PAGE)
    assert children() != first


def test_a_child_is_not_blamed_for_the_memory_of_its_parent(extractor: SubprocessExtractor) -> None:
    large = bytearray(os.urandom(1024) * 300 * 1024)
    extractor.extract(PAGE)
    first = children()
    extractor.extract(PAGE)
    assert children() == first != []
    assert len(large) > 256 * 1024**2


def test_a_child_outlives_the_thread_that_first_needed_it(extractor: SubprocessExtractor) -> None:
    thread = threading.Thread(target=extractor.extract, args=(PAGE,))
    thread.start()
    thread.join()
    (child,) = children()
    assert extractor.extract(PAGE).text == "hello"
    assert children() == [child]


def test_no_more_children_than_workers_run() -> None:
    with SubprocessExtractor(workers=2) as two, ThreadPoolExecutor(8) as many:
        texts = [extracted.text for extracted in many.map(two.extract, [PAGE] * 64)]
        assert texts == ["hello"] * 64
        assert 1 <= len(children()) <= 2


def test_a_child_has_neither_the_environment_nor_the_files_of_its_parent(
    extractor: SubprocessExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATOM_OAUTH_ENCRYPTION_KEY", "secret")
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    extractor.extract(PAGE)
    (child,) = children()
    assert set(child.environ()) <= {"PYTHONPATH", "PYTHONUTF8", "LC_CTYPE"}
    assert child.num_fds() <= 4  # the standard three, and the parent's pipe out of print()'s reach
    assert child.cwd() == "/"
    os.close(reader)
    os.close(writer)


def test_a_child_loads_nothing_heavy() -> None:
    script = (
        "import sys, atom_backend.extraction.child as c\n"
        "from atom_backend.extraction import docx, html, pdf\n"
        "heavy = {'torch', 'flask', 'lancedb', 'pyarrow', 'numpy', 'sqlalchemy', 'structlog'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_close_ends_a_busy_child_and_blames_no_file() -> None:
    extractor = SubprocessExtractor(workers=1)
    extractor.extract(PAGE)
    (child,) = children()
    with ThreadPoolExecutor(1) as other:
        reading = other.submit(extractor.extract, HEAVY)
        eventually(lambda: busy(child))
        extractor.close()
        assert not children()
        with pytest.raises(DependencyError) as unavailable:
            reading.result()
    assert unavailable.value.code == "extractor_unavailable"


def test_after_close_nothing_is_started_and_plain_text_is_still_read() -> None:
    extractor = SubprocessExtractor()
    extractor.close()
    extractor.close()
    with pytest.raises(DependencyError):
        extractor.extract(PAGE)
    assert extractor.extract(b"words").text == "words"
    assert not children()


@pytest.mark.parametrize("executable", ["/bin/false", "/nonexistent"])
def test_a_child_that_cannot_start_is_not_the_fault_of_the_file(
    extractor: SubprocessExtractor, monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    with pytest.raises(DependencyError):
        extractor.extract(PAGE)
    monkeypatch.undo()
    assert extractor.extract(PAGE).text == "hello"


def test_a_busy_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    heavy = tmp_path / "heavy.docx"
    heavy.write_bytes(HEAVY)
    script = (
        "import sys, pathlib\n"
        "from atom_backend.extraction.extractor import SubprocessExtractor\n"
        "extractor = SubprocessExtractor(workers=1)\n"
        f"extractor.extract({PAGE!r})\n"
        "print('ready', flush=True)\n"
        "while True: extractor.extract(pathlib.Path(sys.argv[1]).read_bytes())\n"
    )
    command = [sys.executable, "-c", script, str(heavy)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        (child,) = children(parent.pid)
        eventually(lambda: busy(child))
        child.suspend()  # so that it cannot notice by itself
        parent.kill()
        eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
