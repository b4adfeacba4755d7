"""What a subject is about, without the marks of replies, forwards and mailing lists.

For titles of conversations only: subjects never join messages.
Invariant: the base of a base is itself, and a subject that says anything keeps something.
"""

from __future__ import annotations

import re

from atom_backend.domain.messaging.messages import SUBJECT_CHARS

# RFC 5256, section 5: subj-trailer, subj-blob, subj-refwd and the wrapping of step 6.
_TRAILER = re.compile(r"(?:\(fwd\)| )$", re.I)
_BLOB = r"\[[^\[\]]*\] *"
_LEADER = re.compile(rf"(?: |(?:{_BLOB})*(?:re|fwd?) *(?:{_BLOB})?:)", re.I)
_LEADING_BLOB = re.compile(_BLOB)
_FORWARDED = re.compile(r"\[fwd:(.*)\]", re.I)


def base_subject(subject: str) -> str:
    """The base subject of RFC 5256, section 2.1, of at most ``SUBJECT_CHARS`` characters.

    Case is kept. Where nothing but marks is left ("Re:"), the result is empty.
    """
    base = " ".join(subject[: 4 * SUBJECT_CHARS].split())[:SUBJECT_CHARS]
    while True:
        shorter = _without_leaders(_without_trailers(base))
        forwarded = _FORWARDED.fullmatch(shorter)
        if forwarded is None:
            return shorter
        base = forwarded[1]


def _without_trailers(subject: str) -> str:
    while trailer := _TRAILER.search(subject):
        subject = subject[: trailer.start()]
    return subject


def _without_leaders(subject: str) -> str:
    while True:
        leader = _LEADER.match(subject)
        if leader is None:
            leader = _LEADING_BLOB.match(subject)
            if leader is None or leader.end() == len(subject):
                return subject
        subject = subject[leader.end() :]
