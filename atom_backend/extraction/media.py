"""The content types that can be read (IANA media types).

Invariant: no other string ever stands in ``Extracted.content_type``, and no calendar or mail does.
"""

from __future__ import annotations

from typing import Final

PDF: Final = "application/pdf"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HTML: Final = "text/html"
MARKDOWN: Final = "text/markdown"
PLAIN_TEXT: Final = "text/plain"
CALENDAR: Final = "text/calendar"
CSV: Final = "text/csv"
MAIL: Final = "message/rfc822"
