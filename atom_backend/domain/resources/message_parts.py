"""The parts of a message that are objects themselves: people, files, doubts.

Invariant: within the bounds of ``domain.messaging.messages``, so that whatever was read fits.
"""

from __future__ import annotations

from atom_backend.domain.limits import NAME_CHARS
from atom_backend.domain.messaging.mail import Doubt
from atom_backend.domain.messaging.messages import (
    ADDRESS_CHARS,
    ATTACHMENTS,
    FILE_NAME_CHARS,
    MEDIA_TYPE_CHARS,
    MESSAGE_ID_CHARS,
    RECIPIENTS,
)
from atom_backend.domain.resources.fields import (
    Choice,
    Field,
    Many,
    Reference,
    Structure,
    Text,
    Truth,
    Whole,
)

_LARGEST_FILE = 2**53
_SHA256_DIGITS = 64
DOUBTS = 50

_PERSON = (
    Field("name", Text(NAME_CHARS), "What they are called."),
    Field("address", Text(ADDRESS_CHARS), "A mail address, a number, the name of an account."),
)
ADDRESS = Structure("Address", _PERSON)

_RECIPIENT = Structure(
    "Recipient",
    (Field("role", Choice(("to", "cc", "bcc")), "Addressed or copied.", default="to"), *_PERSON),
)
RECIPIENTS_FIELD = Field("recipients", Many(_RECIPIENT, RECIPIENTS), "To whom.", default=())

_ATTACHMENT = Structure(
    "Attachment",
    (
        Field("name", Text(FILE_NAME_CHARS), "The name of the file."),
        Field("media_type", Text(MEDIA_TYPE_CHARS), "What its sender says it is.", required=True),
        Field("size", Whole(0, _LARGEST_FILE), "In bytes.", required=True),
        Field("sha256", Text(_SHA256_DIGITS), "Of its bytes, in hexadecimal digits."),
        Field("content_id", Text(MESSAGE_ID_CHARS), "How an HTML body calls it."),
        Field("inline", Truth(), "Whether the body shows it.", default=False),
        Field("document_id", Reference(), "The document that holds its text."),
    ),
)
ATTACHMENTS_FIELD = Field(
    "attachments", Many(_ATTACHMENT, ATTACHMENTS), "What is known of its files.", default=()
)

_DOUBT = Structure(
    "Doubt",
    (
        Field("doubt", Choice(tuple(map(str, Doubt))), "What sort of doubt.", required=True),
        Field("where", Text(MEDIA_TYPE_CHARS), "The header field or the part.", required=True),
        Field("detail", Text(NAME_CHARS), "For people.", required=True),
    ),
)
DOUBTS_FIELD = Field(
    "doubts",
    Many(_DOUBT, DOUBTS),
    "Where a mail was damaged or unclear, and what was taken for right.",
    default=(),
    long=True,
)
