"""What is read out of a mail."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel_mail.reading import LONGEST, incoming


def test_html_becomes_words_and_nothing_that_acts() -> None:
    made = EmailMessage()
    made["From"], made["Subject"] = "a@b.example", "R2026-00001\twith a tab"
    made.set_content("<head><title>x</title></head><p>It <b>drips</b></p><script>alert(1)</script><div>again</div>", subtype="html")
    got = incoming(made.as_bytes())
    assert got.text.split() == ["It", "drips", "again"]
    assert got.words[0] == "R2026-00001"


@pytest.mark.parametrize("sender", ["", "nobody", "a@b.example, c@d.example"])
def test_a_mail_has_one_sender(sender: str) -> None:
    with pytest.raises(ValueError, match="one sender"):
        incoming(f"From: {sender}\r\nSubject: x\r\n\r\nx".encode())


@given(st.binary(max_size=400), st.sampled_from([b"", b"text/html", b"text/plain; charset=none", b"multipart/mixed; boundary=x"]))
def test_whatever_comes_is_read_or_refused(body: bytes, kind: bytes) -> None:
    try:
        got = incoming(b"From: a@b.example\r\nContent-Type: " + kind + b"\r\n\r\n" + body)
    except ValueError:
        return
    assert "\x00" not in got.text and len(got.text) <= LONGEST
