"""Documents: texts and files, with what their users say about them.

Invariant: ``byte_size`` counts the content as it was given: the bytes of an uploaded file, else
those of the text in UTF-8.
"""

from __future__ import annotations

from atom_backend.domain import limits
from atom_backend.domain.items import Kind
from atom_backend.domain.resources.fields import Choice, Field, Text, Whole
from atom_backend.domain.resources.resource import Resource, Said
from atom_backend.domain.resources.rules import Rules, Values

TEXT_TYPES = ("text/plain", "text/markdown", "text/html")


class DocumentRules(Rules):
    """The size of a text that comes without a file."""

    def completed(self, given: Values) -> Values:
        text = given.get("text")
        if text is None or "byte_size" in given:
            return given
        return {**given, "byte_size": len(text.encode(errors="surrogatepass"))}


DOCUMENTS = Resource(
    name="documents",
    one=Kind.DOCUMENT,
    about="Texts and files that can be found by searching.",
    own=(
        Field("title", Text(limits.TITLE_CHARS), "What it is called.", required=True),
        Field(
            "text",
            Text(limits.TEXT_CHARS),
            "What it says, kept to the code point.",
            required=True,
            apart=True,
        ),
        Field(
            "content_type",
            Choice(TEXT_TYPES, open=True),
            "What the text is written in, or the file that it comes from.",
            default="text/plain",
        ),
        Field(
            "byte_size",
            Whole(0, 2**63 - 1),
            "Bytes of the content as it was given.",
            required=True,
            given=False,
        ),
    ),
    says=lambda document: Said(document["title"], document["text"]),
    rules=DocumentRules(),
    example={
        "title": "Team retreat",
        "text": "We meet in Lisbon on 3 May. Flights are booked.",
        "tags": ["travel"],
        "metadata": {"project": "retreat"},
    },
)
