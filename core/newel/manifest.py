"""What a plugin declares about itself: one Manifest, returned by register_plugin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from newel.domain.kinds import DocumentKind, Extension, Flow, LineKind
from newel.domain.ledger import AccountRole, PostingRule
from newel.domain.stock import LocationKind
from newel.happenings import Happening, Watch


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """What a person reads about one column of a record kind; whatever is left out comes from the table's column.

    Args:
        name: of the column.
        choices: (value, label) pairs; then nothing else is accepted.
        choices_of: the choices are what the plugins declare: "account_roles", "location_kinds", "line_kinds" or "documents".
        code_of: name of the record kind whose code or number this text is ("newel.unit"); it must exist.
        minimum, maximum: bounds, as the value itself.
        list: shown in lists. readonly: never entered. secret: never shown. long: of a form: text of several lines.
        right: permission without which nobody sees, searches or enters it ("newel.costs"). What names a record can't have one.
    """

    name: str
    label: str = ""
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    choices_of: str = ""
    code_of: str = ""
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    required: bool | None = None
    list: bool | None = None
    readonly: bool = False
    secret: bool = False
    long: bool = False
    right: str = ""


class RecordKind(msgspec.Struct, frozen=True, kw_only=True):
    """What is not a document: declared once; list, form, API, import, export and history come from it.

    Args:
        name: "plugin.record"; it is also the prefix of its permissions (.view, .edit).
        table: Piccolo table. References to other tables that are record kinds become pickers.
        title: columns that name a record to people, in order.
        search: columns that a search looks in.
        details: what tells records of one title apart where somebody chooses one: columns, or "kind.column" of the first part of that kind.
        columns: columns that people see, in order; empty for all of the table.
        parent: column that refers to the record which this one is a part of; it is then shown on that record's page.
        facts: name (or names) of the cached facts that go stale when a record changes.
        check: pure function(values) -> problems, called before each write with the whole row, numbers as Decimal.
        check_facts: async function(session, rows, context) -> what the check needs to know of other records, loaded once for all rows that
            are written together (each as the check gets it); it is then the check's second argument. It may lock what it reads.
        scope: column with the company that a row belongs to, where the table has it; the service fills it in. Empty: the rows of
            all companies are seen.
        alias: column that refers to the record which a row is another number of, as its first search column says: whoever looks for that
            record finds it by this number too, unless a column `party` says that it is somebody else's.
        append_only: a change makes a new row, and nothing is deleted: the table is its own history.
        internal: users who stand for a party see none of it, whatever their permissions; the plugin's own pages say what they may.
        menu: section of the navigation; empty for parts of a parent.
    """

    name: str
    table: Any
    label: str
    label_plural: str
    title: tuple[str, ...] = ("name",)
    search: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    parent: str = ""
    facts: str | tuple[str, ...] = ""
    check: Callable[..., Any] | None = None
    check_facts: Callable[..., Awaitable[Any]] | None = None
    scope: str = "company"
    alias: str = ""
    append_only: bool = False
    internal: bool = False
    menu: str = ""
    help: str = ""


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter of a report. type: text, date, decimal, flag, or the name of a record kind."""

    name: str
    label: str
    type: str = "text"
    required: bool = False


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a report. type: text, date, amount, quantity, percent, document, or the name of a record kind; total: summed up.

    A column of type document holds a document's id and is shown as a link; `text` names the column with its number. right: as of Field.
    """

    name: str
    label: str
    type: str = "text"
    total: bool = False
    text: str = ""
    right: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A page of rows that nobody enters: open items, stock on hand, statement. The API serves it as well.

    load: async function(session, parameters: dict, context) -> list of dicts by column name, amounts as Decimal.
    """

    name: str
    label: str
    columns: tuple[Column, ...]
    load: Callable[..., Awaitable[list[dict[str, Any]]]]
    parameters: tuple[Parameter, ...] = ()
    menu: str = ""
    help: str = ""


class MenuItem(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the navigation; record kinds, document kinds and reports have theirs without one.

    home: users who stand for a party start there, and their navigation has the entries of plugins alone, no lists of ours.
    """

    label: str
    path: str
    section: str
    permission: str = ""
    home: bool = False


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the plugin's own as a box on other pages: fetched when that page is there, and a link to it where scripts are off.

    Args:
        on: "document" or "record", the page of each one ("record:mail.template": of each of this kind); "document.history" or "record.history",
            instead of the kernel's own; "document.print", instead of the kernel's print; "head", beside the user's menu of every page; "list", where
            it is a link for those who may edit what is listed; "begin", a public page where somebody starts as long as there is no user; or a place
            of a plugin's own ("portal.start").
        url: of the page; {kind} and {id} stand for what the box is about. Asked for with the header HX-Request, it answers with its content alone.
        permission: that somebody needs to see it. shared: also for users who stand for a party.
    """

    title: str
    on: str
    url: str
    permission: str = ""
    shared: bool = False


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Work for the worker, given as run or as act. every: seconds between runs, 0 for on request only.

    Args:
        run: async function(session, payload: dict, context), in one transaction, for the plugin's own tables.
        act: async function(newel, payload: dict, context), through the use cases, which open their own transactions: it must be repeatable.
    """

    name: str
    run: Callable[..., Awaitable[Any]] | None = None
    act: Callable[..., Awaitable[Any]] | None = None
    every: int = 0


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A value in the reader's format. digits: of an amount; unit: currency, unit of a quantity, or what belongs to a day; url: where it comes from."""

    value: Decimal | date | str
    digits: int | None = None
    unit: str = ""
    url: str = ""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of an entry's choices.

    Args:
        note: what it means, such as a surcharge. refused: why it can't be chosen as things are.
        quantity: how many of it are chosen where nobody says; most: how many may be, None where nobody is asked.
    """

    value: str
    label: str
    note: str | Shown = ""
    refused: str = ""
    quantity: Decimal = Decimal(1)
    most: Decimal | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may enter for a line: it ends up in the plugin's line data. Without choices it is a box for what the type of the data says.

    Args:
        path: names from the plugin's Manifest.line_data downwards: ("counted",), ("choices", "MOTOR").
        value: what is entered or proposed; where several may be chosen, the quantity of each choice.
        proposed: the value is what the rules take by themselves; it is not entered until somebody changes it.
        code_of: name of the record kind whose code or number it is.
    """

    path: tuple[str, ...]
    label: str
    value: Any = ""
    help: str = ""
    choices: tuple[Choice, ...] = ()
    several: bool = False
    required: bool = False
    proposed: bool = False
    code_of: str = ""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One click or key that fills in the row of a line: "Make it 12 EA".

    Args:
        label: what it does, with %(what)s for `what`. rows: what one should know of it, such as a price.
        values: what would be typed, by column of the grid: item, text, quantity, unit, price, discount, deliveries; "" empties one.
        adds: it fills in a new row instead.
    """

    label: str
    what: str | Shown = ""
    rows: tuple[tuple[str, str | Shown], ...] = ()
    values: dict[str, str | Decimal] = {}
    adds: bool = False


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """A box on the document page: title and (label, value) rows.

    Args:
        slot: side, below, head (rows alone, also in the form), why (with a line's price), when (the steps to a line's day; the last stands with it).
        line: id of the line that it is about: then it stands with the line, on the page and in the form while somebody types.
        entries, offers: what may be entered for that line, in the form, and what is offered to be entered there.
        shared: also for users who stand for the document's party. form: name of the plugin's operation (newel.web.operations) to carry out here.
    """

    title: str
    rows: tuple[tuple[str, str | Shown], ...] = ()
    text: str = ""
    shared: bool = False
    slot: str = "side"
    sequence: int = 100
    line: int | None = None
    entries: tuple[Entry, ...] = ()
    offers: tuple[Offer, ...] = ()
    form: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin.

    Args:
        name: of the plugin, as in its entry point; prefix of its tables, records, routes, templates, permissions and problem codes.
        api: version of the kernel's hooks that it is written for.
        needs: plugins that must be there.
        precedes: plugins whose answer to a decide_ hook yields to this one's.
        takes_over: checks of the kernel that rest because this plugin makes them: "credit".
        piccolo_app: module of its Piccolo app ("newel_loyalty.piccolo_app"), for its migrations; empty for none.
        tables: its Piccolo tables.
        line_data, document_data: struct for Line.data[name] and Document.data[name].
        settings: struct with the defaults of its settings.
        quiet: settings under which it reaches nobody outside; `newel clone --neutral` stores them in the copy.
        listens: async function(document, transition, session, context) -> bool, where after_transition has nothing to do after most transitions;
            it should ask cached facts and nothing else.
        routes: "module:name" of a list of Litestar handlers, served under /<name> and /api/<name>.
        lists: "module:name" of async function(request, context, kind, view) that arranges each list in place, as a page and as a file (docs/plugins.md).
        templates: "module:folder" of its Jinja templates, under a folder of its name.
        scripts: ES modules that every page loads, as static_url names them ("loyalty/cards.js"); they may import from "newel" (docs/screens.md).
        locale: "module:folder" of its translations, one file <language>.po each; the texts themselves are English.
        boxes: on pages of the kernel and of other plugins.
        permissions: (name, what it allows) beside those that kinds and records bring.
        happenings, watches, prints, tells: what timelines, open pages and mails get from it; see newel.happenings.
        formats: that lists can be had in as files: ending -> function(name, head, rows of values) -> (bytes, media type).
        demo_data: "package:file" of a TOML file with records for the demonstration company: a table for each record kind, with rows.
        demo: async function(kit: DemoKit) that adds to the demonstration company what a file can't say.
        budget_ms: time that its rules may take for one document of 100 lines.
    """

    name: str
    label: str
    version: str = "0.1.0"
    api: int = 1
    needs: tuple[str, ...] = ()
    precedes: tuple[str, ...] = ()
    takes_over: tuple[str, ...] = ()
    piccolo_app: str = ""
    tables: tuple[Any, ...] = ()
    documents: tuple[DocumentKind, ...] = ()
    flows: tuple[Flow, ...] = ()
    extends: tuple[Extension, ...] = ()
    records: tuple[RecordKind, ...] = ()
    reports: tuple[Report, ...] = ()
    line_kinds: tuple[LineKind, ...] = ()
    line_data: Any = None
    document_data: Any = None
    location_kinds: tuple[LocationKind, ...] = ()
    account_roles: tuple[AccountRole, ...] = ()
    posting_rules: tuple[PostingRule, ...] = ()
    settings: Any = None
    listens: Callable[..., Awaitable[bool]] | None = None
    quiet: dict[str, Any] = {}
    permissions: tuple[tuple[str, str], ...] = ()
    routes: str = ""
    lists: str = ""
    templates: str = ""
    scripts: tuple[str, ...] = ()
    locale: str = ""
    menu: tuple[MenuItem, ...] = ()
    boxes: tuple[Box, ...] = ()
    jobs: tuple[Job, ...] = ()
    happenings: Callable[..., Awaitable[Sequence[Happening]]] | None = None
    watches: tuple[Watch, ...] = ()
    prints: Callable[..., Awaitable[tuple[str, bytes]]] | None = None
    tells: Callable[..., Awaitable[None]] | None = None
    formats: dict[str, Callable[..., tuple[bytes, str]]] = {}
    demo_data: str = ""
    demo: Callable[..., Awaitable[Any]] | None = None
    budget_ms: int = 20
