"""What mail decides, without a database and without a server."""

from datetime import date
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from newel.domain.document import Document, Line
from newel.domain.item import Item
from newel.domain.party import Party
from newel.domain.tax import TaxLine
from newel_mail.rules import (
    SAMPLE,
    CannotSend,
    MailSettings,
    Words,
    check_message,
    check_template,
    choose,
    composed,
    rendered,
    values_of,
)
from newel_sdk.testing import NOW, TODAY

D = Decimal
BOLT = Item(id=1, number="BOLT", name="Bolt")
ORDER = Document(
    id=5, kind="sales.order", role="sale", state="confirmed", number="SO1", date=TODAY, currency="EUR", net=D("1234.5"), tax=D("0"), gross=D("1234.5"),
    party=Party(id=1, number="ACME", name="Acme", language="de", email="buyer@acme.example"),
    lines=(Line(id=1, position=10, item=BOLT, text="Bolt", quantity=D("2.50"), unit="M", price=D("493.8"), net=D("1234.5")),),
    taxes=(TaxLine(code="VAT", category="S", rate=D(20), base=D(1), amount=D("0.2")),),
)  # fmt: skip
SETTINGS = MailSettings(sender="sales@newel.example")


def words(code: str = "A", **values: Any) -> Words:
    return Words(**{"code": code, "role": "sale", "transition": "confirm", "language": "en", "subject": "S {{ number }}", "body": "B", **values})


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], None),
        ([words(transition="send")], None),
        ([words(role="invoice")], None),
        ([words(role="", kind="sales.quotation")], None),
        ([words(language="tr")], None),
        ([words("A"), words("B", language="de")], "B"),
        ([words("A", language="de"), words("B", language="de", role="", kind="sales.order")], "B"),
        ([words("A", role="", kind="sales.order"), words("B", language="de")], "B"),
        ([words("B"), words("A")], "A"),
    ],
)
def test_the_partners_language_then_english_then_the_kind(found: list[Words], code: str | None) -> None:
    for order in (found, found[::-1]):
        chosen = choose(order, ORDER, "confirm")
        assert (chosen.code if chosen else None) == code


@pytest.mark.parametrize(
    "source",
    [
        "{{ number.__class__ }}",
        "{{ number['__class__'] }}",
        "{{ lines[0] }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ lines.append }}",
        "{{ party.items }}",
        "{{ number.format }}",
        "{{ number.upper() }}",
        "{{ lines[0].text.join(lines) }}",
        "{{ self }}",
        "{{ self._TemplateReference__context }}",
        "{{ range(9) }}",
        "{{ lipsum() }}",
        "{{ cycler }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ number ~ number }}",
        "{% set x = number %}{{ x }}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% import 'os' as os %}",
        "{% for a in lines %}{% for b in lines %}{% endfor %}{% endfor %}",
        "{% for a in lines recursive %}{{ loop(lines) }}{% endfor %}",
        "{% for a in lines %}{{ loop.__class__ }}{{ loop.changed }}{% endfor %}",
        "{{ number | attr('__class__') }}",
        "{{ lines | map(attribute='__class__') | list }}",
        "{{ nonsense }}",
        "{{ party.email }}",
        "{{ number",
        "{{ number | truncate(length=lines) }}",
    ],
)
def test_a_template_sees_values_and_nothing_else(source: str) -> None:
    with pytest.raises(CannotSend):
        rendered(source, SAMPLE)
    assert "mail.template" in [p.code for p in check_template({"role": "sale", "subject": "x", "body": source})]


def test_what_a_template_may_do() -> None:
    source = "{% for l in lines if l.kind != 'text' %}{{ loop.index }}/{{ loop.length }} {{ l.text|upper }}{{ '' if loop.last else ',' }}{% endfor %}"
    assert rendered(source, values_of(ORDER, "C", "en")) == "1/1 BOLT"
    assert rendered("{{ reference|default('-', true) }}{% if not text %}!{% endif %}", values_of(ORDER, "C", "en")) == "-!"


def test_a_template_for_everything_is_too_long() -> None:
    with pytest.raises(CannotSend, match="longer"):
        rendered("x" * 500_001, SAMPLE)


@pytest.mark.parametrize(
    ("language", "gross", "quantity", "day"),
    [
        ("de", "1.234,50", "2,5", "15.01.2026"),
        ("en", "1,234.50", "2.5", "Jan 15, 2026"),
        ("tr", "1.234,50", "2,5", "15 Oca 2026"),
        ("zh", "1,234.50", "2.5", "2026年1月15日"),
    ],
)
def test_numbers_and_dates_are_written_as_in_the_language(language: str, gross: str, quantity: str, day: str) -> None:
    values = values_of(ORDER, "C", language)
    assert (values["gross"], values["lines"][0]["quantity"], values["date"], values["date_due"]) == (gross, quantity, day, "")


def document(**party: Any) -> Document:
    values = {"id": 1, "number": "A", "name": "Acme", "email": "a@b.example", **party}
    return Document(id=5, kind="sales.order", role="sale", state="x", number="SO1", date=date(2026, 1, 1), party=Party(**values))


def test_a_mail_survives_the_way_with_any_words() -> None:
    found = document(name='Ünal "Bolt", Öz & Co <x@y.example>')
    mail = composed(SETTINGS, words(subject="Onay – {{ number }}", body="Değerli {{ party.name }},\n.\nson"), found, "Çelik A.Ş.", 77, NOW)
    got = message_from_bytes(bytes(mail), policy=default)
    assert (got["Subject"], got["Message-ID"]) == ("Onay – SO1", "<newel.5.77@newel.example>")
    assert [(a.display_name, a.addr_spec) for a in got["To"].addresses] == [('Ünal "Bolt", Öz & Co <x@y.example>', "a@b.example")]
    assert got["From"].addresses[0].display_name == "Çelik A.Ş."
    assert "\n.\nson" in got.get_content().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("settings", "found", "company", "subject"),
    [
        (SETTINGS, document(name="Acme\nBcc: x@y.example"), "C", "S"),
        (SETTINGS, document(name="Acme\rBcc: x@y.example"), "C", "S"),
        (SETTINGS, document(name="Acme\u2028Bcc"), "C", "S"),
        (SETTINGS, document(email="x@y.example>\nBcc: a@b.example"), "C", "S"),
        (SETTINGS, document(email="x@y.example,a@b.example"), "C", "S"),
        (SETTINGS, document(email="Acme <x@y.example>"), "C", "S"),
        (SETTINGS, document(email="x y@b.example"), "C", "S"),
        (SETTINGS, document(email=""), "C", "S"),
        (SETTINGS, document(), "C\nBcc: x@y.example", "S"),
        (SETTINGS, document(name="Acme\nBcc: x"), "C", "{{ party.name }}"),
        (SETTINGS, document(), "C", "a\nBcc: x@y.example"),
        (SETTINGS, document(), "C", "  "),
        (MailSettings(), document(), "C", "S"),
        (MailSettings(sender="a@b.example", reply_to="a@b.example\nBcc: c@d.example"), document(), "C", "S"),
    ],
)
def test_no_header_can_be_slipped_in(settings: MailSettings, found: Document, company: str, subject: str) -> None:
    with pytest.raises(CannotSend):
        composed(settings, words(subject=subject), found, company, 1, NOW)


def test_what_a_template_and_a_mail_must_be() -> None:
    good = {"role": "sale", "kind": "", "subject": "{{ number }}", "body": "{% for x in lines %}{{ x.net }}{% endfor %}"}
    assert not list(check_template(good))
    assert [p.code for p in check_template({**good, "kind": "sales.order"})] == ["mail.for"]
    assert [p.code for p in check_template({**good, "role": ""})] == ["mail.for"]
    assert [p.code for p in check_message({})] == ["mail.by_hand"]
    assert not list(check_message({"document": 1}))
