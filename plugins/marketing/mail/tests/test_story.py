"""Mail against a real server on this machine: what is sent, what waits, what fails, and that nothing is sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from msgspec.structs import replace
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput
from newel.errors import Refused
from newel.happenings import Asked
from newel.jobs.worker import Worker
from newel.services.administration import save_settings
from newel.services.app import Newel
from newel.services.pages import panels
from newel_mail import hooks
from newel_mail.ask import proposed, write
from newel_mail.facts import happenings
from newel_mail.rehearse import rehearse
from newel_mail.rules import Letter
from newel_mail.send import install_defaults
from newel_mail.take import Taken, take
from newel_sales import hooks as sales
from newel_sdk.testing import NOW, item, party, running

D = Decimal
MODULES = {"mail": hooks, "sales": sales}


class Server:
    """An SMTP server that keeps what it gets, and refuses whom it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[list[str], EmailMessage]] = []
        self.refuse = ""
        self.port = 0

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd calls it
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd calls it
        self.got.append((list(envelope.rcpt_tos), message_from_bytes(envelope.content, policy=default)))
        return "250 OK"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Answer on a port of its own, the same one each time."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self, hostname="mail.example", loop=loop), "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()


class Office:
    """A company that sells bolts to a German customer and confirms by mail."""

    def __init__(self, app: Newel, context: Context, server: Server) -> None:
        self.app, self.context, self.server = app, context, server
        self.worker = Worker(app)
        self.bolt = self.customer = 0

    async def open(self, **settings: Any) -> Office:
        self.bolt = await item(self.app, self.context, "BOLT", price="1234.50")
        self.customer = await party(self.app, self.context, "ACME", language="de", email="einkauf@acme.example")
        values = {"enabled": True, "host": "127.0.0.1", "port": self.server.port, "starttls": False, "sender": "sales@newel.example", **settings}
        await save_settings(self.app, "mail", values, self.context)
        await self.worker.plan_recurring()
        await self.work()
        return self

    async def work(self, minutes: int = 0) -> None:
        """The worker works off what is due, after a while."""
        now: datetime = self.app.clock() + timedelta(minutes=minutes)
        self.app.clock = lambda: now
        for _ in range(4):
            await self.worker.once()

    async def order(self, kind: str = "sales.order", then: str = "confirm", **header: Any) -> Document:
        lines = (LineInput(item=self.bolt, quantity=D("2")), LineInput(kind="text", text="Bitte pünktlich"))
        entered = DocumentInput(party=self.customer, lines=lines, **header)
        return (await self.app.documents.create(kind, entered, self.context, then=(then,))).document

    async def mails(self) -> list[tuple[str, str]]:
        """State and error of every mail."""
        async with self.app.database.read() as session:
            return [(r["state"], r["error"]) for r in await session.fetch("SELECT state, error FROM mail_message ORDER BY id")]


@asynccontextmanager
async def office(url: str, **settings: Any) -> AsyncIterator[Office]:
    server = Server()
    async with server.listening(), running(url, MODULES, lambda: NOW) as (app, context):
        yield await Office(app, context, server).open(**settings)


@pytest.mark.capability("DOC-19", "TAK-11")
async def test_a_confirmed_order_is_mailed_once_in_the_partners_language(database_url: str) -> None:
    async with office(database_url, reply_to="answers@newel.example") as place:
        made = await place.order(reference="PO 7")
        assert place.server.got == [], "nothing goes out before the worker has it"
        await place.work()
        ((recipients, mail),) = place.server.got
        assert recipients == ["einkauf@acme.example"]
        assert mail["Subject"] == f"Auftragsbestätigung {made.number}"
        assert (mail["From"], mail["To"]) == ("Test company <sales@newel.example>", "Acme <einkauf@acme.example>")
        assert (mail["Reply-To"], mail["Content-Language"]) == ("Test company <answers@newel.example>", "de")
        text = mail.get_content()
        assert "2 EA  BOLT Bolt: 2.469,00 EUR" in text
        assert "Bitte pünktlich" in text
        assert "PO 7 vom 15.01.2026" in text
        assert "Gesamt: 2.469,00 EUR" in text
        async with place.app.database.write() as session:  # the same news once more, as after a worker that died
            await session.fetch("UPDATE outbox SET done_at = NULL, available_at = ?", NOW)
        await place.work(1)
        assert len(place.server.got) == 1
        assert await place.mails() == [("sent", "")]
        async with place.app.database.read() as session:
            context = await place.app.context(session, place.context.user, place.context.company.id)
            (panel,) = [p for name, p in await panels(place.app, session, made, context) if name == "mail"]
        assert panel.rows[:1] == (("Sent 2026-01-15 09:00", f"einkauf@acme.example, Auftragsbestätigung {made.number}"),)


async def test_the_preview_is_what_is_sent_in_each_language(database_url: str) -> None:
    """Word for word what the server gets, for the template that the partner's language chooses; the others say the same document in theirs."""
    async with office(database_url) as place:
        made = await place.order(reference="PO 7")
        await place.work()
        ((_recipients, mail),) = place.server.got
        async with place.app.database.read() as session:
            context = await place.app.context(session, place.context.user, place.context.company.id)
        template = await place.app.records.find("mail.template", "ORDER-EN", context)
        assert template
        found = await rehearse(place.app, template, made.number, context)
        assert [s.words.language for s in found.sheets] == ["en", "de", "sl", "tr", "zh"]
        (german,) = [s for s in found.sheets if s.chosen]
        assert (german.words.language, german.subject, german.to, german.wrong) == ("de", mail["Subject"], "einkauf@acme.example", "")
        assert german.text.splitlines() == mail.get_content().splitlines()
        assert all(made.number in s.subject for s in found.sheets)
        assert "2,469.00 EUR" in found.sheets[0].text
        assert await place.mails() == [("sent", "")], "looking sends nothing"
        assert (await rehearse(place.app, template, "", context)).document == found.document, "without a number: the latest"


async def test_a_revised_order_is_confirmed_again(sqlite_url: str) -> None:
    async with office(sqlite_url) as place:
        made = await place.order()
        await place.work()
        for transition in ("revise", "confirm"):
            await place.app.documents.act(made.id, transition, place.context)
        await place.work()
        assert len({mail["Message-ID"] for _, mail in place.server.got}) == 2


async def test_a_quotation_and_a_language_without_words(sqlite_url: str) -> None:
    async with office(sqlite_url) as place:
        german = await place.app.records.find("mail.template", "QUOTATION-DE", place.context)
        await place.app.records.save("mail.template", german, {"active": False}, place.context)
        made = await place.order("sales.quotation", "send")
        await place.work()
        assert [mail["Subject"] for _, mail in place.server.got] == [f"Quotation {made.number}"]
        assert "Total: 2,469.00 EUR" in place.server.got[0][1].get_content()


async def test_a_server_that_is_down_loses_and_doubles_nothing(database_url: str) -> None:
    async with office(database_url) as place:
        port = place.server.port
        place.app.config.settings["mail"] = {}
        await save_settings(place.app, "mail", {"enabled": True, "host": "127.0.0.1", "port": 1, "starttls": False, "sender": "a@b.example"}, place.context)
        made = await place.order()
        await place.work()
        ((state, error),) = await place.mails()
        assert (state, "SMTPConnect" in error, made.state) == ("queued", True, "confirmed")
        for minutes in (2, 5, 30):  # it stays down
            await place.work(minutes)
        assert [state for state, _ in await place.mails()] == ["queued"]
        await save_settings(place.app, "mail", {"enabled": True, "host": "127.0.0.1", "port": port, "starttls": False, "sender": "a@b.example"}, place.context)
        for _ in range(3):
            await place.work(60)
        assert [mail["Subject"] for _, mail in place.server.got] == [f"Auftragsbestätigung {made.number}"]
        assert await place.mails() == [("sent", "")]


async def test_it_gives_up_after_days(sqlite_url: str) -> None:
    async with office(sqlite_url, port=1) as place:
        await place.order()
        await place.work()
        async with place.app.database.write() as session:
            await session.fetch("UPDATE mail_message SET attempts = 79")
        await place.work(60)
        assert [state for state, _ in await place.mails()] == ["failed"]


async def test_who_is_refused_for_good_is_not_tried_again_until_somebody_says_so(sqlite_url: str) -> None:
    async with office(sqlite_url) as place:
        place.server.refuse = "550 no such user"
        await place.order()
        for _ in range(3):
            await place.work(60)
        ((state, error),) = await place.mails()
        assert (state, "no such user" in error) == ("failed", True)
        place.server.refuse = "450 try later"
        (mail,) = (await place.app.records.page("mail.message", place.context)).rows
        await place.app.records.save("mail.message", mail["id"], {"state": "queued"}, place.context)
        await place.work(60)
        assert [state for state, _ in await place.mails()] == ["queued"], "later is not never"
        place.server.refuse = ""
        await place.work(60)
        assert len(place.server.got) == 1
        with pytest.raises(Refused):
            await place.app.records.save("mail.message", None, {"state": "queued"}, place.context)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"name": "Acme\r\nBcc: thief@evil.example"}, "line break"),
        ({"email": "a@b.example\nBcc: thief@evil.example"}, "not one e-mail address"),
        ({"email": "a@b.example, thief@evil.example"}, "not one e-mail address"),
        ({"email": ""}, "has no e-mail address"),
    ],
)
async def test_a_wrong_address_fails_and_the_document_does_not(sqlite_url: str, values: dict[str, str], reason: str) -> None:
    """Values as they would stand in the database, however they got there."""
    async with office(sqlite_url) as place:
        async with place.app.database.write() as session:
            for name, value in values.items():
                await session.fetch(f"UPDATE party SET {name} = ? WHERE id = ?", value, place.customer)
            await session.stale("newel.party")
        made = await place.order()
        await place.work()
        assert place.server.got == []
        ((state, error),) = await place.mails()
        assert (state, made.state) == ("failed", "confirmed")
        assert reason in error


async def test_a_wrong_template_is_refused_or_fails(sqlite_url: str) -> None:
    async with office(sqlite_url) as place:
        row = {"code": "OWN", "kind": "sales.order", "transition": "confirm", "language": "de", "subject": "{{ nonsense }}", "body": "x"}
        with pytest.raises(Refused, match=r"mail\.template"):
            await place.app.records.save("mail.template", None, row, place.context)
        await place.app.records.save("mail.template", None, {**row, "subject": "{{ text }}"}, place.context)
        made = await place.order(text="two\nlines")
        await place.work()
        ((state, error),) = await place.mails()
        assert (state, "a subject of one line" in error) == ("failed", True), "its own template, of the kind, went first"
        assert (await place.app.documents.get(made.id, place.context)).state == "confirmed"


async def test_nothing_is_sent_over_an_open_line_unless_told(sqlite_url: str) -> None:
    async with office(sqlite_url, starttls=True) as place:
        await place.order()
        await place.work()
        assert place.server.got == []
        assert [state for state, _ in await place.mails()] == ["queued"]
    async with office(f"{sqlite_url}2", user="somebody") as place:
        await place.order()
        await place.work()
        assert [(state, "open line" in error) for state, error in await place.mails()] == [("failed", True)]


async def test_nothing_is_sent_until_it_is_enabled(sqlite_url: str) -> None:
    async with office(sqlite_url, enabled=False) as place:
        await place.order()
        await place.work()
        assert (place.server.got, await place.mails()) == ([], [])


async def test_templates_are_there_from_the_start_and_come_back(database_url: str) -> None:
    async with office(database_url) as place:
        found = (await place.app.records.page("mail.template", place.context)).rows
        assert len(found) == 10
        assert {row["language"] for row in found} == {"en", "de", "zh", "tr", "sl"}
        await place.app.records.delete("mail.template", found[0]["id"], place.context)
        assert await install_defaults(place.app, place.context) == 1
        assert await install_defaults(place.app, place.context) == 0


async def written(place: Office, made: Document, **letter: Any) -> int:
    values = {"to": "einkauf@acme.example", "subject": "About it", "text": "It comes on Monday.", **letter}
    return await write(place.app, made.id, Letter(**values), (("order.pdf", "application/pdf", b"%PDF-1.7"),), place.context)


async def told(place: Office, made: Document) -> list[tuple[str, str, str]]:
    """Text, state and body of what stands on the document's timeline, the oldest first."""
    asked = Asked(about="document", id=made.id, before=(place.app.clock() + timedelta(days=1), 2**62), most=30)
    async with place.app.database.read() as session:
        found = await happenings(session, asked, place.context)
    return [(h.text, h.state, h.body) for h in sorted(found, key=lambda h: h.id)]


async def with_settings(place: Office) -> None:
    """The office's own context, as it is after the settings were saved."""
    async with place.app.database.read() as session:
        place.context = await place.app.context(session, place.context.user, place.context.company.id)


async def test_a_mail_from_the_page_its_answer_and_both_on_the_timeline(database_url: str) -> None:
    """Somebody writes to the customer, in their language and with the order; the customer answers; a machine's answer and a second copy count nothing."""
    async with office(database_url, reply_to="answers@newel.example") as place:
        made = await place.order()
        await place.work()
        await with_settings(place)
        place.server.got.clear()
        begun = await proposed(place.app, made, place.context)
        assert (begun.to, begun.subject) == ("einkauf@acme.example", f"Auftragsbestätigung {made.number}")
        await written(place, made)
        assert [state for _text, state, _body in await told(place, made)] == ["Sent", "Queued"]
        await place.work()
        ((recipients, mail),) = place.server.got
        assert (recipients, mail["Subject"], mail["Reply-To"].addresses[0].addr_spec) == (["einkauf@acme.example"], "About it", "answers@newel.example")
        text, order = mail.iter_parts()
        assert text.get_content().strip() == "It comes on Monday."
        assert (order.get_filename(), order.get_content_type(), order.get_content()) == ("order.pdf", "application/pdf", b"%PDF-1.7")
        back = EmailMessage()
        back["From"], back["Subject"], back["Message-ID"] = "Einkauf <EINKAUF@acme.example>", "Re: About it", "<1@acme.example>"
        back["In-Reply-To"], back["References"] = mail["Message-ID"], f"<other@acme.example> {mail['Message-ID']}"
        back.set_content("Monday is fine.\n\n> It comes on Monday.")
        for _ in range(2):
            assert await take(place.app, back.as_bytes(), place.context) == Taken(outcome="answered", number=made.number)
        assert (await told(place, made))[1:] == [
            ("E-mail to einkauf@acme.example: About it", "Answered", "It comes on Monday."),
            ("E-mail from einkauf@acme.example: Re: About it", "Received", "Monday is fine."),
        ]
        back["Auto-Submitted"] = "auto-replied"
        assert (await take(place.app, back.as_bytes(), place.context)).outcome == "ignored"


async def test_what_answers_none_of_ours_is_refused_and_a_stranger_is_marked(sqlite_url: str) -> None:
    """Whoever knows the reference may be a colleague of the customer; it says so."""
    async with office(sqlite_url) as place:
        made = await place.order()
        await place.work()
        ((_recipients, mail),) = place.server.got
        for reference, sender in (("<newel.1.2@newel.example>", "einkauf@acme.example"), (mail["Message-ID"], "else@acme.example")):
            back = EmailMessage()
            back["From"], back["Subject"], back["In-Reply-To"] = sender, "Re", reference
            back.set_content("Hello")
            if sender == "einkauf@acme.example":
                with pytest.raises(Refused, match=r"mail\.unknown"):
                    await take(place.app, back.as_bytes(), place.context)
            else:
                await take(place.app, back.as_bytes(), place.context)
        assert (await told(place, made))[1][2] == "from an address that we did not write to\nHello"
        with pytest.raises(Refused, match=r"mail\.unreadable"):
            await take(place.app, b"no mail", place.context)


async def test_a_letter_says_all_that_is_wrong_with_it_and_goes_out_once_the_server_is_back(sqlite_url: str) -> None:
    async with office(sqlite_url, port=1) as place:
        made = await place.order()
        await with_settings(place)
        with pytest.raises(Refused) as refused:
            await written(place, made, to="a, b", subject="two\nlines", text=" ")
        assert [p.code for p in refused.value.problems] == ["mail.to", "mail.subject", "mail.text"]
        await written(place, made)
        await place.work()
        assert [state for _text, state, _body in await told(place, made)] == ["Queued", "Queued"]
        values = {"enabled": True, "host": "127.0.0.1", "port": place.server.port, "starttls": False, "sender": "sales@newel.example"}
        await save_settings(place.app, "mail", values, place.context)
        for _ in range(3):
            await place.work(60)
        assert sorted(mail["Subject"] for _, mail in place.server.got) == ["About it", f"Auftragsbestätigung {made.number}"]
        nobody = replace(place.context, user=replace(place.context.user, permissions=frozenset({"sales.order.view"})))
        with pytest.raises(Refused, match=r"mail\.send"):
            await write(place.app, made.id, Letter(to="a@b.example", subject="S", text="T"), (), nobody)


async def test_a_colleague_is_told_by_mail(sqlite_url: str) -> None:
    """In the transaction of whoever tells; nothing while mail is off."""
    async with office(sqlite_url) as place:
        async with place.app.database.write() as session:
            await hooks.tell(session, "anna@newel.example", "Anna", "Ada: order 7", "@anna look", place.context)
        await place.work()
        assert place.server.got == []
        await with_settings(place)
        async with place.app.database.write() as session:
            await hooks.tell(session, "anna@newel.example", "Anna", "Ada: order 7", "@anna look", place.context)
        await place.work()
        assert [(to, mail["Subject"]) for to, mail in place.server.got] == [(["anna@newel.example"], "Ada: order 7")]
