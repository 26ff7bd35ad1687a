"""Each hook of mail, as the kernel calls it; the story shows them with a server."""

from msgspec.structs import replace
from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel_mail import hooks
from newel_mail.rules import Mails, MailSettings
from newel_sdk.testing import TODAY, ask, running

ALONE = {"mail": hooks}


def document(phase: str = "open") -> Document:
    return Document(id=1, kind="any.order", role="sale", state="x", phase=phase, date=TODAY)


def enabled(context: Context) -> Context:
    return replace(context, settings={"mail": MailSettings(enabled=True)})


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert [record.name for record in manifest.records] == ["mail.template", "mail.message"]
    assert manifest.settings().enabled is False, "nothing is sent until somebody says so"


async def test_hook_load_facts_reads_only_where_there_may_be_mails(sqlite_url: str) -> None:
    async with running(sqlite_url, ALONE) as (app, context), app.database.read() as session:
        assert await hooks.load_facts(document(), session, context) is None
        assert await hooks.load_facts(document("draft"), session, enabled(context)) is None
        assert session.statements == 0
        assert await hooks.load_facts(document(), session, enabled(context)) == Mails()


async def test_hook_after_transition_of_what_has_no_template(sqlite_url: str) -> None:
    async with running(sqlite_url, ALONE) as (app, context):
        for found in (context, enabled(context)):
            await hooks.after_transition(document(), "confirm", app.database, found)
        async with app.database.read() as session:
            assert await session.value("SELECT COUNT(*) AS n FROM mail_message") == 0


async def test_hook_propose_panels(sqlite_url: str) -> None:
    """What was sent, and for who may send the way to write one."""
    async with running(sqlite_url, ALONE) as (_app, context):
        nobody = replace(context, user=replace(context.user, permissions=frozenset()))
        assert ask(hooks.propose_panels, document(), Facts(), context) is None
        assert ask(hooks.propose_panels, document(), Facts([Mails()]), nobody) == []
        found = Facts([Mails((("Sent", "a@b.example, S"),))])
        (panel,) = ask(hooks.propose_panels, document(), found, nobody)
        assert panel.rows == (("Sent", "a@b.example, S"),)
        (panel,) = ask(hooks.propose_panels, document(), found, context)
        assert [label for label, _value in panel.rows] == ["Sent", "Write to"]
