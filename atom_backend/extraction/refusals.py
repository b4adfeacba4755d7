"""The ways in which a file is refused, each with a stable code and what its sender can do.

Invariant: a message never quotes the file, so that it may be shown and logged.
"""

from __future__ import annotations

from atom_backend.errors import InvalidInput, TooLarge, UnsupportedMedia

_ACCEPTED = "PDF, Word (.docx), HTML, Markdown and plain text are accepted"


def unsupported(what: str) -> UnsupportedMedia:
    """``what`` is a phrase such as "a spreadsheet"."""
    return UnsupportedMedia(f"The file is {what}, which cannot be read: {_ACCEPTED}.")


def malformed(what: str) -> InvalidInput:
    """``what`` names the kind of file, as in "PDF"."""
    return InvalidInput(
        f"The {what} file is damaged and cannot be read: open it, save it again and resend it.",
        code="malformed_document",
    )


def encrypted(what: str) -> InvalidInput:
    return InvalidInput(
        f"The {what} file is protected by a password: remove the password and send it again.",
        code="encrypted_document",
    )


def no_text(advice: str) -> InvalidInput:
    return InvalidInput(f"The file holds no text: {advice}.", code="no_text")


def undecodable() -> InvalidInput:
    return InvalidInput(
        "The character encoding of the text cannot be told: save it as UTF-8 and send it again.",
        code="undecodable_text",
    )


def limit(what: str) -> InvalidInput:
    """``what`` is a phrase such as "more memory"."""
    return InvalidInput(
        f"Reading the file needs {what} than allowed: split it into smaller files or simplify it.",
        code="extraction_limit",
    )


def too_much_text(max_chars: int) -> TooLarge:
    return TooLarge(
        f"The file holds more than {max_chars:,} characters of text: split it into smaller files.",
        code="text_too_large",
    )
