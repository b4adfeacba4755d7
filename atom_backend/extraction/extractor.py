"""The extractor that the service uses: sniff, decode, and let a confined process parse.

Invariant: whatever the bytes are, ``extract`` gives text or a ``RequestError`` that says what to
change; a parser's crash, hunger or endless loop costs one child process and nothing else.
"""

from __future__ import annotations

from functools import partial
from types import TracebackType
from typing import Self

from atom_backend.domain.extracted import Extracted
from atom_backend.extraction import refusals, titles
from atom_backend.extraction.cleaning import unix_lines
from atom_backend.extraction.media import HTML, MARKDOWN
from atom_backend.extraction.pool import SandboxPool
from atom_backend.extraction.sandbox import Request, Sandbox
from atom_backend.extraction.sniffing import Sniffed, sniff


class SubprocessExtractor:
    """Fills the port ``Extractor``; for any number of threads; to be made after a fork."""

    def __init__(
        self,
        *,
        max_text_chars: int = 10_000_000,
        cpu_seconds: int = 60,
        memory_bytes: int = 2 * 1024**3,
        wall_seconds: float = 90.0,
        workers: int = 2,
    ) -> None:
        """Limits are for one file; ``memory_bytes`` is address space. Nothing is started yet."""
        self._max_text_chars = max_text_chars
        start = partial(Sandbox, memory_bytes=memory_bytes, cpu_seconds=cpu_seconds)
        self.pool = SandboxPool(start, size=workers, wall_seconds=wall_seconds)

    def extract(self, content: bytes, *, name: str | None = None) -> Extracted:
        """The text of a file; ``name`` settles only Markdown or not, and the title of last resort.

        Raises UnsupportedMedia; TooLarge ``text_too_large``; InvalidInput ``undecodable_text``,
        ``encrypted_document``, ``malformed_document``, ``no_text`` or ``extraction_limit``. Only
        where no process can be started, or all stay busy, or after ``close``: DependencyError
        ``extractor_unavailable``.
        """
        sniffed = sniff(content, name)
        if sniffed.text is not None and sniffed.content_type != HTML:
            return self._as_written(sniffed.text, sniffed.content_type, name)
        return self._parsed(content, sniffed, name)

    def close(self) -> None:
        """Ends the child processes; ``extract`` then reads plain text and Markdown only."""
        self.pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _as_written(self, text: str, content_type: str, name: str | None) -> Extracted:
        text = unix_lines(text)
        if len(text) > self._max_text_chars:
            raise refusals.too_much_text(self._max_text_chars)
        heading = titles.first_heading(text) if content_type == MARKDOWN else None
        return Extracted(text, content_type, heading or titles.from_name(name))

    def _parsed(self, content: bytes, sniffed: Sniffed, name: str | None) -> Extracted:
        source = content if sniffed.text is None else sniffed.text.encode()
        request = Request(source, sniffed.content_type, self._max_text_chars)
        answer = self.pool.ask(request)
        if answer.refusal is not None:
            raise answer.refusal
        return Extracted(answer.text, sniffed.content_type, answer.title or titles.from_name(name))
