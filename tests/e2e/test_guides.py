"""Every example of the README and the guides runs as it stands, on a service that is well.

What docs/recovery.md says is for services that are not; ``test_recovery`` follows it, and
``test_adding_a_resource`` follows docs/resources.md on a copy of the project.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import PROJECT, Service
from tests.e2e.guides import blocks, follow

ELSEWHERE = {"recovery.md", "resources.md"}
GUIDES = [
    guide
    for guide in [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
    if any(kind == "sh" for kind, _ in blocks(guide.read_text())) and guide.name not in ELSEWHERE
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_the_examples_of_a_guide_do_what_it_says(
    guide: Path, service: Service, tmp_path: Path
) -> None:
    follow(blocks(guide.read_text()), service, tmp_path, guide.name)
