"""A mail becomes a message with body, files and notes."""

from __future__ import annotations

import base64
from hashlib import sha256

import pytest

from atom_backend.domain.extracted import Extracted
from atom_backend.domain.messaging.mail import Doubt
from atom_backend.domain.messaging.messages import Attachment, MessageKind
from atom_backend.errors import DependencyError, InvalidInput
from atom_backend.extraction.mails.mail import MimeMailReader
from tests.unit.extraction.mails import HEAD, doubts, mail, multipart, read

PLAIN = b"Content-Type: text/plain; charset=utf-8\n\nna\xc3\xafve"
HTML = b"Content-Type: text/html; charset=utf-8\n\n<p>na\xc3\xafve <b>page</b></p>"
PDF = (
    b'Content-Type: application/pdf; name="other.pdf"\nContent-Transfer-Encoding: base64\n'
    b"Content-Disposition: attachment; filename*=utf-8''pl%C3%A4n.pdf\n\nUERG\n"
)
IMAGE = b"Content-Type: image/png\nContent-ID: <logo@x>\n\nPNG"
ENCLOSED = b"From: bob@example.org\nContent-Type: text/html\n\n<p>inner</p>"


def body(*fields: bytes, content: bytes) -> str:
    return read(mail(*fields, body=content)).message.body


def test_a_plain_mail_is_read_without_a_doubt() -> None:
    found = read(mail(body=b"\r\n\r\n  Hello\r\nyou  \r\n\r\n"))
    assert found.message.kind is MessageKind.EMAIL
    assert found.message.body == "  Hello\nyou"
    assert (found.notes, found.files) == ((), ())


def test_html_is_read_where_there_is_no_plain_text() -> None:
    assert body(b"Content-Type: text/html", content=b"Hi <b>you</b><p>there") == (
        "Hi **you**\n\nthere"
    )


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([PLAIN, HTML], "naïve"),
        ([HTML, PLAIN], "naïve"),
        ([b"\n \n", HTML], "naïve **page**"),
        ([PLAIN, multipart(b"related", HTML, IMAGE, boundary=b"in")], "naïve"),
        ([b"Content-Type: text/calendar\n\nBEGIN", HTML], "naïve **page**"),
        ([IMAGE], ""),
    ],
)
def test_of_alternatives_the_plain_text_is_the_body_if_it_says_anything(
    parts: list[bytes], text: str
) -> None:
    assert read(HEAD + multipart(b"alternative", *parts)).message.body == text


def test_texts_of_a_mixed_mail_are_the_body_in_their_order() -> None:
    found = read(HEAD + multipart(b"mixed", PLAIN, PDF, HTML, b"\nfooter"))
    assert found.message.body == "naïve\n\nnaïve **page**\n\nfooter"
    assert len(found.files) == 1


def test_files_are_given_with_their_bytes() -> None:
    found = read(HEAD + multipart(b"related", HTML, PDF, IMAGE))
    assert found.files == (b"PDF", b"PNG")
    assert found.message.attachments == (
        Attachment("plän.pdf", "application/pdf", 3, sha256(b"PDF").hexdigest()),
        Attachment(None, "image/png", 3, sha256(b"PNG").hexdigest(), "logo@x", inline=True),
    )


def test_files_of_the_versions_that_are_not_shown_are_kept() -> None:
    related = multipart(b"related", HTML, IMAGE, boundary=b"in")
    found = read(HEAD + multipart(b"alternative", PLAIN, related))
    assert found.files == (b"PNG",)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (b'attachment; filename="../../etc/passwd"', "passwd"),
        (b'attachment; filename="C:\\\\a\\\\b.doc"', "b.doc"),
        (b'attachment; filename="=?utf-8?Q?pl=C3=A4n?="', "plän"),
        (b'attachment; filename*0="a"; filename*1="b"', "ab"),
        (b'attachment; filename="a\x01b\tc"', "a b c"),
        (b'attachment; filename="pl\xc3\xa4n"', "plän"),
        (b"attachment; filename*=utf-8''pl\xc3\xa4n%C3%A4", "plänä"),
        (b"attachment; filename=" + b"x" * 1_000, "x" * 255),
        (b"attachment; filename=../", None),
        (b"attachment", None),
    ],
)
def test_a_file_has_a_name_without_folders(field: bytes, name: str | None) -> None:
    found = read(mail(b"Content-Disposition: " + field))
    assert [one.name for one in found.message.attachments] == [name]


def test_a_named_or_attached_text_is_a_file_but_the_mail_itself_is_its_body() -> None:
    named = b'Content-Type: text/plain; name="a.txt"'
    attached = b"Content-Disposition: attachment"
    parts = multipart(b"mixed", named + b"\n\none", attached + b"\n\ntwo")
    found = read(HEAD + parts)
    assert (found.message.body, found.files) == ("", (b"one", b"two"))
    assert body(named, content=b"Hello") == "Hello"


@pytest.mark.parametrize("subtype", [b"mixed", b"digest"])
def test_an_enclosed_message_is_a_file_with_the_bytes_that_it_had(subtype: bytes) -> None:
    kind = b"" if subtype == b"digest" else b"Content-Type: message/rfc822\n"
    found = read(HEAD + multipart(subtype, kind + b"\n" + ENCLOSED))
    assert found.files == (ENCLOSED,)
    assert found.message.attachments[0].media_type == "message/rfc822"
    assert read(found.files[0]).message.body == "inner"


@pytest.mark.parametrize(
    ("encoding", "content", "text"),
    [
        (b"quoted-printable", b"na=C3=AFve=\n text", "naïve text"),
        (b" Base64 ; x", base64.b64encode("naïve".encode()), "naïve"),
        (b"x-uuencode", b"begin 644 x\n#0V%T\n \nend\n", "Cat"),
        (b"8BIT (comment)", "naïve".encode(), "naïve"),
    ],
)
def test_transfer_encodings_are_undone(encoding: bytes, content: bytes, text: str) -> None:
    fields = (b"Content-Transfer-Encoding: " + encoding, b"Content-Type: text/plain; charset=utf-8")
    found = read(mail(*fields, body=content))
    assert (found.message.body, found.notes) == (text, ())


@pytest.mark.parametrize(
    ("encoding", "content", "text"),
    [
        (b"quoted-printable", b"a=C3=A4 =XY=\n=", "aä =XY"),
        (b"base64", b"SGVs*bG8", "Hello"),
        (b"base64", b"SGVsbG8", "Hello"),
        (b"x-uuencode", b"begin\n", "begin"),
        (b"rot13", b"Hello", "Hello"),
    ],
)
def test_a_broken_transfer_encoding_is_undone_as_far_as_can_be_and_noted(
    encoding: bytes, content: bytes, text: str
) -> None:
    fields = (b"Content-Transfer-Encoding: " + encoding, b"Content-Type: text/plain; charset=utf-8")
    found = read(mail(*fields, body=content))
    assert found.message.body == text
    assert doubts(found) == {Doubt.ENCODING_DAMAGED}


def test_flowed_text_is_joined_where_it_is_declared() -> None:
    assert body(b"Content-Type: text/plain; Format=Flowed", content=b"a \nb") == "a b"
    assert body(b"Content-Type: text/plain; format=flowed; delsp=yes", content=b"a \nb") == "ab"
    assert body(b"Content-Type: text/plain", content=b"a \nb") == "a \nb"


@pytest.mark.parametrize(
    ("fields", "content", "doubt"),
    [
        ([], b"na\xefve", Doubt.CHARSET_UNDECLARED),
        ([b"Content-Type: text/plain; charset=none"], b"x", Doubt.CHARSET_UNKNOWN),
        ([b"Content-Type: text/plain; charset=us-ascii"], b"\xe9", Doubt.CHARSET_WRONG),
        ([b"Content-Type: text/plain; charset=utf-8"], b"a\x00", Doubt.CHARACTERS_LOST),
        ([b"Content-Type: multipart/mixed"], b"x", Doubt.MIME_DAMAGED),
        ([b"Content-Type: multipart/mixed; boundary=a"], b"--a\n\nx", Doubt.MIME_DAMAGED),
        ([b"Content-Type: a/b; name*=a; name*0=b"], b"x", Doubt.MIME_DAMAGED),
        ([b"Content-Type: text/html"], b"<script>x</script>", Doubt.HTML_UNREADABLE),
    ],
)
def test_a_doubtful_body_is_noted(fields: list[bytes], content: bytes, doubt: Doubt) -> None:
    assert doubt in doubts(read(mail(*fields, body=content)))


def test_a_multipart_without_its_boundary_is_read_as_text() -> None:
    assert body(b"Content-Type: multipart/mixed; boundary=a", content=b"Hello") == "Hello"
    nested = multipart(b"mixed", b"Content-Type: multipart/mixed; boundary=a\n\nHello")
    assert read(HEAD + nested).message.body == "Hello"


def test_a_message_that_was_cut_is_marked() -> None:
    assert doubts(read(mail(), cut=True)) == {Doubt.MESSAGE_CUT}


@pytest.mark.parametrize("start", [b"\n\r\n", b"\xef\xbb\xbf", b"From ann Sun Nov 22 08:00 2026\n"])
def test_what_programs_put_before_a_mail_is_passed_over(start: bytes) -> None:
    found = read(start + mail())
    assert (found.message.subject, found.notes) == ("Plan", ())


@pytest.mark.parametrize("content", [b"", b"\n\n", b"Hello", b"%PDF-1.4\n", b"X-A: b\n\nHello"])
def test_what_is_no_mail_is_refused_with_advice(content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"Save the message as \.eml") as refused:
        read(content)
    assert refused.value.code == "malformed_message"


def test_an_extractor_that_does_not_answer_is_no_doubt_but_an_error() -> None:
    class Silent:
        def extract(self, content: bytes, *, name: str | None = None) -> Extracted:
            raise DependencyError

    with pytest.raises(DependencyError):
        MimeMailReader(Silent()).read(mail(b"Content-Type: text/html"))
