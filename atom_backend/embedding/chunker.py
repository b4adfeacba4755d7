"""Cuts a text into passages that the model reads whole.

Lengths are counted by the model's tokenizer on exactly what is embedded: heading, line break and
passage. Invariants: spans are in order and do not overlap, every character that is not white
space lies in one, none is blank or starts or ends with white space, and none, with its heading,
exceeds the model's window. The work is linear in the length of the text.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from atom_backend.domain.items import Span, embedding_text
from atom_backend.embedding.borders import best_border, next_content
from atom_backend.embedding.tokens import ModelTokenizer

MAX_TOKENS = 256
TARGET_TOKENS = 200
HEADING_TOKENS = 48

_CHARACTERS_PER_TOKEN = 16
_STRETCH = 16_384
_LONGEST_TITLE = 1_000


class PackingChunker:
    """Fills passages up to ``target`` tokens and ends them at the best border nearby.

    ``max_tokens`` is the model's window with its special tokens; a heading takes its part of it,
    and where less than ``target`` is left, passages fill what is left.
    A text of several passages is divided evenly, so that no scrap is left at its end.
    """

    def __init__(
        self,
        tokenizer: ModelTokenizer,
        *,
        target: int = TARGET_TOKENS,
        max_tokens: int = MAX_TOKENS,
    ) -> None:
        if target < 1 or max_tokens < 2 * HEADING_TOKENS:
            raise ValueError(f"no passage of {target} tokens fits a window of {max_tokens}")
        self._tokenizer = tokenizer
        self._target = target
        self._max_tokens = max_tokens

    @property
    def version(self) -> str:
        """Changes whenever the same text might be cut in another way."""
        return f"packer-1-{self._target}"

    def heading(self, title: str) -> str:
        """The title as it stands before each passage: on one line, of at most 48 tokens."""
        line = " ".join(title[:_LONGEST_TITLE].split())
        ends = self._tokenizer.ends(line)
        if len(ends) <= HEADING_TOKENS:
            return line
        # One character may be several tokens: it stays whole or goes.
        whole = bisect_left(ends, ends[HEADING_TOKENS])
        return line[: ends[whole - 1] if whole else 0].rstrip()

    def split(self, text: str, *, title: str = "") -> list[Span]:
        """Spans of ``text``; none where it is blank.

        ``title`` may be the title itself or its heading. What is embedded for a span must be
        ``embedding_text(heading(title), text[span.start:span.end])``.
        """
        heading = self.heading(title)
        room = self._max_tokens - self._tokenizer.count(embedding_text(heading, ""))
        target = min(self._target, room)
        spans: list[Span] = []
        start = next_content(text, 0)
        while start < len(text):
            stretch = _Stretch.read(self._tokenizer, text, start)
            while stretch.serves(start, target):
                span = self._next_span(stretch, start, target, heading)
                spans.append(span)
                start = next_content(text, span.end)
        return spans

    def _next_span(self, stretch: _Stretch, start: int, target: int, heading: str) -> Span:
        goal, limit = stretch.limits(start, target)
        while True:
            end = stretch.cut(start, goal, limit)
            passage = stretch.text[start:end].rstrip()
            excess = self._tokenizer.count(embedding_text(heading, passage)) - self._max_tokens
            if excess <= 0 or end - start == 1:
                return Span(start, start + len(passage))
            # A slice may have more tokens than the same characters had inside the text.
            limit = max(
                start + 1, min(end - 1, start + (end - start) * target // (target + excess))
            )
            goal = limit


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Some thousand characters of a text, from ``start`` to ``stop``, tokenized once.

    ``ends`` holds where the tokens end in the text. The last tokens of a stretch that is not the
    text's last are not to be trusted: its end may have cut a word.
    """

    text: str
    start: int
    stop: int
    ends: list[int]

    @classmethod
    def read(cls, tokenizer: ModelTokenizer, text: str, start: int) -> _Stretch:
        stop = min(len(text), start + _STRETCH)
        ends = [start + end for end in tokenizer.ends(text[start:stop])]
        return cls(text, start, stop, ends)

    def serves(self, position: int, target: int) -> bool:
        """Whether the passage at ``position`` can be decided by what this stretch holds."""
        if self.stop == len(self.text):
            return position < self.stop
        return (
            position == self.start
            or self.stop - position > target * _CHARACTERS_PER_TOKEN
            or self._tokens_from(position) > 2 * target
        )

    def limits(self, start: int, target: int) -> tuple[int, int]:
        """Where the passage at ``start`` should end and where it must."""
        longest = start + target * _CHARACTERS_PER_TOKEN
        limit = min(self._end_after(start, target), longest)
        if limit == len(self.text):
            return limit, limit
        if self.stop < len(self.text):
            return limit, limit
        left = max(1, self._tokens_from(start))
        even = math.ceil(left / math.ceil(left / target))
        return min(self._end_after(start, even), limit), limit

    def cut(self, start: int, goal: int, limit: int) -> int:
        """The end of the passage at ``start``: a good border, else a token's end, else ``goal``."""
        if limit == len(self.text):
            return limit
        border = best_border(self.text, start + (goal - start) // 2, goal, limit)
        if border is not None:
            return border
        index = bisect_right(self.ends, goal) - 1
        return self.ends[index] if index >= 0 and self.ends[index] > start else goal

    def _tokens_from(self, position: int) -> int:
        return len(self.ends) - bisect_right(self.ends, position)

    def _end_after(self, start: int, tokens: int) -> int:
        """Where the ``tokens``-th token from ``start`` on ends; all else if there are fewer."""
        index = bisect_right(self.ends, start) + tokens - 1
        return self.ends[index] if index < len(self.ends) - 1 else self.stop
