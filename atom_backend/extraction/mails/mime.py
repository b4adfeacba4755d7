"""Parses the bytes of a mail into its tree of parts, with Python's ``email`` kept within bounds.

Invariant: whatever the bytes, time and memory stay in proportion to their length: parts, depth,
lines and the length of every header field are limited, and an enclosed message stays bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.errors import InvalidHeaderDefect
from email.message import Message
from email.parser import BytesParser
from email.policy import Compat32
from typing import Any, Final, cast

from atom_backend.errors import InvalidInput, TooLarge

MAX_BYTES: Final = 40 * 1024 * 1024
"""Large providers take 25 MB of attachments, which base64 makes a third longer."""
MAX_LINES: Final = 1_000_000
"""Each line is an object of its own while it is parsed."""
MAX_PARTS: Final = 500
MAX_DEPTH: Final = 20
"""Every line is compared with the boundary of every open level."""
MAX_FIELD_CHARS: Final = 65_536
MAX_PARAMETERS: Final = 100
MAX_CONTENT_FIELD_CHARS: Final = 4_096
"""Python's parser of parameters (RFC 2045, section 5.1) takes time with the product of both."""

_OPAQUE = "application/octet-stream"
_LEADING_BLANKS = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*")
_FIELDS = ("from", "to", "subject", "date", "message-id", "received", "sender", "cc", "return-path")


class MimeTooDeep(Exception):
    """There are more parts, or more levels of them, than are read."""


class _RawFields(Compat32):
    """Header fields as they stand, bytes beyond ASCII as surrogate escapes, cut where too long."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(list(sourcelines))
        if _has_parameters(name):
            value = ";".join(value[:MAX_CONTENT_FIELD_CHARS].split(";")[:MAX_PARAMETERS])
        return name, value[:MAX_FIELD_CHARS]

    def header_fetch_parse(self, _name: str, value: str) -> str:
        return value


class Part(Message):
    """One part of a mail; it counts its descendants."""

    def __init__(self, policy: Any = None) -> None:
        super().__init__(policy or _RawFields())
        self._depth = 1
        self._tally = [1]

    def attach(self, payload: Any) -> None:
        """Raises MimeTooDeep."""
        payload._depth = self._depth + 1
        payload._tally = self._tally
        self._tally[0] += 1
        if payload._depth > MAX_DEPTH or self._tally[0] > MAX_PARTS:
            raise MimeTooDeep
        super().attach(payload)

    def get_content_type(self) -> str:
        """What the parser asks; to it an enclosed message is bytes like any other file."""
        declared = super().get_content_type()
        return _OPAQUE if declared.startswith("message/") else declared

    def get_param(
        self, param: str, failobj: Any = None, header: str = "content-type", unquote: bool = True
    ) -> Any:
        """``failobj`` also where the continuations of RFC 2231 make no sense."""
        try:
            return super().get_param(param, failobj, header, unquote)
        except (TypeError, ValueError):
            self.defects.append(InvalidHeaderDefect())
            return failobj

    def get_boundary(self, failobj: Any = None) -> Any:
        """``failobj`` also where it is written in what is no charset."""
        try:
            return super().get_boundary(failobj)
        except ValueError:
            return failobj

    @property
    def declared_type(self) -> str:
        return super().get_content_type()

    @property
    def parts(self) -> list[Part]:
        # Asked for a text, get_payload would decode it in whatever codec it declares.
        payload = self.get_payload() if self.is_multipart() else []
        return [one for one in payload if isinstance(one, Part)]

    @property
    def source(self) -> str:
        """The payload as it stands, bytes beyond ASCII as surrogate escapes; "" for parts."""
        payload = self._payload  # type: ignore[attr-defined]
        return payload if isinstance(payload, str) else ""


def is_cut(name: str, value: str) -> bool:
    """Whether a field is as long as fields may be, so that more may have been written."""
    if not _has_parameters(name):
        return len(value) == MAX_FIELD_CHARS
    return len(value) == MAX_CONTENT_FIELD_CHARS or value.count(";") == MAX_PARAMETERS - 1


def parse(content: bytes) -> Part:
    """The tree of a message in the format of RFC 5322 and RFC 2045 to 2049.

    Raises TooLarge ``message_too_large``, InvalidInput ``malformed_message`` for what is no mail,
    MimeTooDeep.
    """
    return _parsed(content, headers_only=False)


def parse_headers(content: bytes) -> Part:
    """The header fields alone, without any part; raises like ``parse``, but never MimeTooDeep."""
    return _parsed(content, headers_only=True)


def _has_parameters(name: str) -> bool:
    return name.lower().startswith("content-")


def _parsed(content: bytes, *, headers_only: bool) -> Part:
    lines = content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")
    if len(content) > MAX_BYTES or lines > MAX_LINES:
        raise TooLarge(
            f"The message is larger than {MAX_BYTES // 1024**2} MiB or has more than "
            f"{MAX_LINES:,} lines: send it without its largest attachments.",
            code="message_too_large",
        )
    start = _LEADING_BLANKS.match(content)
    parser = BytesParser(Part, policy=_RawFields())
    begun = content[start.end() if start else 0 :]
    message = cast("Part", parser.parsebytes(begun, headersonly=headers_only))
    if not any(name in message for name in _FIELDS):
        raise InvalidInput(
            "The file is no mail: it does not begin with header fields such as From, Date and "
            "Subject (RFC 5322). Save the message as .eml and send that.",
            code="malformed_message",
        )
    return message
