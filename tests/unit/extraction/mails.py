"""Mails for the tests, and a reader of HTML that needs no process of its own."""

from __future__ import annotations

from atom_backend.domain.extracted import Extracted
from atom_backend.domain.messaging.mail import Doubt, Mail
from atom_backend.domain.messaging.messages import check_message
from atom_backend.extraction import html
from atom_backend.extraction.mails.mail import MimeMailReader
from atom_backend.extraction.media import HTML
from atom_backend.extraction.sniffing import sniff

HEAD = (
    b"From: Ann <ann@example.org>\nTo: bob@example.org\nSubject: Plan\n"
    b"Date: Sun, 22 Nov 2026 08:00:00 +0100\nMessage-ID: <1@example.org>\n"
)
BOUNDARY = b"=_x"


class DirectHtml:
    """Fills the port ``Extractor`` for what the real one would take for HTML, and nothing else."""

    def extract(self, content: bytes, *, name: str | None = None) -> Extracted:
        assert sniff(content, name).content_type == HTML
        parsed = html.read(content, 10_000_000)
        return Extracted(parsed.text, HTML, name)


def mail(*fields: bytes, body: bytes = b"Hello") -> bytes:
    """A sound mail with more ``fields``, each without its line end."""
    return HEAD + b"".join(field + b"\n" for field in fields) + b"\n" + body


def multipart(subtype: bytes, *parts: bytes, boundary: bytes = BOUNDARY) -> bytes:
    """The header and body of a multipart; a part holds its fields, a blank line and its body."""
    between = b"\n--" + boundary + b"\n"
    return (
        b'Content-Type: multipart/%b; boundary="%b"\n' % (subtype, boundary)
        + between
        + between.join(parts)
        + b"\n--"
        + boundary
        + b"--\n"
    )


def read(content: bytes, *own: str, cut: bool = False) -> Mail:
    """What the reader makes of it; whatever that is, it can be stored."""
    found = MimeMailReader(DirectHtml()).read(content, own=own, cut=cut)
    check_message(found.message)
    assert len(found.files) == len(found.message.attachments)
    return found


def doubts(found: Mail) -> set[Doubt]:
    return {note.doubt for note in found.notes}
