"""Where a text may be cut without hurting: after a paragraph, a sentence, a line or a word.

Invariant: a border is searched only inside the given range, so that the work of cutting a text
grows with its length and with nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPACE = re.compile(r"\s*")
_PARAGRAPH = re.compile(r"\n(?=[^\S\n]*\n)|\u2029")
_LINE = re.compile(r"[\n\f\u2028]")
_WORD = re.compile(r"\s")
_SENTENCE = re.compile(
    r"[.!?…؟۔।॥]+[\"'”’»)\]]*(?=\s)"  # scripts that put a space after a sentence
    r"|[。！？｡．]+[\"'」』”’）】]*"  # and those that do not
)
_LAST_WORD = re.compile(r"[^\W\d_](?:[\w.]*)$")
_LONGEST_ABBREVIATION = 6
_ABBREVIATIONS = re.compile(
    "al|approx|art|bzw|ca|cf|co|corp|d[.]h|dept|dr|e[.]g|ed|eq|figs?|fr|gen|i[.]e|jr|lt|ltd|m[.]e|"
    "mr|mrs|ms|mt|nr|núm|op|prof|pág|resp|rev|sr|sra|st|tab|tel|u[.]a|univ|vgl|vol|vs|z[.]b|г|ул",
    re.IGNORECASE,
)


def next_content(text: str, start: int) -> int:
    """The first position from ``start`` on that is not white space, or the end of the text."""
    match = _SPACE.match(text, start)
    return match.end() if match else start


def best_border(text: str, low: int, goal: int, high: int) -> int | None:
    """The best place in ``(low, high]`` to end a passage, None where there is no border at all.

    A paragraph's end is better than a sentence's, a sentence's better than a line's, a line's
    better than a word's; among equals the one nearest to ``goal`` wins.
    """
    beyond = min(high + 1, len(text))  # a border shows in the character after it
    for borders in (
        (match.start() for match in _PARAGRAPH.finditer(text, low, beyond)),
        (end for end in _sentence_ends(text, low, beyond)),
        (match.start() for match in _LINE.finditer(text, low, beyond)),
        (match.start() for match in _WORD.finditer(text, low, beyond)),
    ):
        inside = [border for border in borders if low < border <= high]
        if inside:
            return min(inside, key=lambda border: abs(border - goal))
    return None


def _sentence_ends(text: str, low: int, beyond: int) -> Iterator[int]:
    for match in _SENTENCE.finditer(text, low, beyond):
        if match[0] != "." or not _continues(text, match.start()):
            yield match.end()


def _continues(text: str, stop: int) -> bool:
    """Whether the full stop at ``stop`` ends an abbreviation or an initial, and no sentence."""
    following = text[stop + 1 : stop + 3].lstrip()
    if following[:1].islower():
        return True
    last = _LAST_WORD.search(text[max(0, stop - _LONGEST_ABBREVIATION - 1) : stop])
    word = last[0] if last else ""
    return _ABBREVIATIONS.fullmatch(word) is not None or (len(word) == 1 and word.isupper())
