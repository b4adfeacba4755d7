"""Makes the file that the serving encoder reads, once for each model.

``python -m atom_backend.embedding.export TARGET_FOLDER [--model PATH]`` works in its own process,
because torch must not enter a process that serves or forks. Invariant: a folder without a leading
dot appears in TARGET_FOLDER only by an atomic rename of a finished and verified export, and one
process exports at a time.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atom_backend.embedding.manifest import MANIFEST, check_files, read_manifest
from atom_backend.embedding.recipe import local_recipe
from atom_backend.embedding.source import ModelSource, model_source
from atom_backend.errors import EmbedderUnavailable

_LOCK = ".lock"
_STAGING = ".staging-"
_PATIENCE = 600.0
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def ensure_exported(folder: Path, model: Path | None = None) -> Path:
    """The folder of the exported model below ``folder``, made first if there is none.

    ``model`` is the path of a sentence-transformers model, None for the installed one. Cheap when
    the export exists; safe to call from several processes at once.
    Raises EmbedderUnavailable when the model is missing or its export fails.
    """
    source = model_source(model)
    found = find_export(folder, source)
    if found is None:
        _export_in_a_subprocess(folder, model)
        found = find_export(folder, source)
    if found is None:
        raise EmbedderUnavailable(f"the export of {source.name} left nothing in {folder}")
    return found


def find_export(folder: Path, source: ModelSource) -> Path | None:
    """The intact export of this source for this machine, if there is one."""
    for manifest_file in sorted(folder.glob(f"[!.]*/{MANIFEST}")):
        candidate = manifest_file.parent
        try:
            manifest = read_manifest(candidate)
            if (manifest.source_sha256, manifest.recipe) != (source.sha256, local_recipe()):
                continue
            check_files(candidate, manifest)
        except EmbedderUnavailable:
            continue
        return candidate
    return None


def export(folder: Path, source: ModelSource) -> Path:
    """Exports in this process, with torch, unless another process has done it meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with _exclusive(folder / _LOCK):
        return find_export(folder, source) or _export(folder, source)


def _export(folder: Path, source: ModelSource) -> Path:
    from atom_backend.embedding.conversion import convert

    for left in folder.glob(f"{_STAGING}*"):  # of killed exports: the lock is ours
        shutil.rmtree(left)
    staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=folder))
    try:
        finished = staging / "finished"
        finished.mkdir()
        manifest = convert(source, local_recipe(), finished)
        target = folder / manifest.folder_name
        if target.exists():  # damaged, or it would have been found
            target.rename(staging / "damaged")
        finished.rename(target)
    finally:
        shutil.rmtree(staging)
    return target


@contextmanager
def _exclusive(lock: Path) -> Iterator[None]:
    """Held by one process at a time; the kernel lets go of it when that process dies."""
    with lock.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _export_in_a_subprocess(folder: Path, model: Path | None) -> None:
    command = [sys.executable, "-P", "-m", __spec__.name, str(folder.resolve())]
    if model is not None:
        command += ["--model", str(model.resolve())]
    search_path = [str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, search_path))}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EmbedderUnavailable(f"the export of the model did not finish: {error}") from error
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise EmbedderUnavailable(f"the export of the model failed: {reason}")


def main(arguments: list[str] | None = None) -> int:
    """Prints the folder of the export; the exit code is 1, with one line of reason, without."""
    parser = argparse.ArgumentParser(prog="python -m atom_backend.embedding.export")
    parser.add_argument("folder", type=Path, metavar="TARGET_FOLDER")
    parser.add_argument("--model", type=Path, metavar="PATH", help="default: the installed model")
    given = parser.parse_args(arguments)
    try:
        print(export(given.folder, model_source(given.model)))
    except EmbedderUnavailable as error:
        print(error.message, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
