"""Documents on paper: one template for the print view and the PDF, in the party's language where there are words for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from babel import Locale, UnknownLocaleError
from litestar import Response, get
from litestar.params import FromPath

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.master import Master
from newel.domain.party import Address
from newel.errors import Problem, Refused
from newel.store.master import load_master
from newel.web.auth import context_of, newel_of
from newel.web.headers import nonce
from newel.web.menu import boxes
from newel.web.render import STYLES, Web, redirect, templates
from newel.web.views_document import shown_value, tax_label
from newel.web.views_text import _, language, plain

if TYPE_CHECKING:
    from newel.services.app import Newel


def address_lines(name: str, address: Any) -> list[str]:
    """An address as it stands on a letter."""
    if address is None:
        return [name] if name else []
    lines = [address.name or name, address.street, " ".join(filter(None, (address.postcode, address.city))), address.region]
    try:
        country = Locale.parse(language.get()).territories.get(address.country, address.country)
    except UnknownLocaleError:
        country = address.country
    return [x for x in (*lines, country) if x]


async def print_view(newel: Newel, id: int, context: Context, tongue: str = "") -> dict[str, Any]:
    """What stands on the paper, in the language `tongue` or else the party's, which is then the language of what follows."""
    d = await newel.documents.get(id, context)
    if tongue := tongue or (d.party.language if d.party else ""):
        language.set(tongue)
    async with newel.database.read() as session:
        master = await load_master(session)
        company = await session.one("SELECT * FROM company WHERE id = ?", d.company)
    kind = newel.registry.kind_of(d)
    return {
        "kind": d.kind, "language": language.get(), "kind_label": _(kind.label),
        "number": d.number or _("draft"), "draft": d.phase == "draft", "cancelled": d.phase == "cancelled", "priced": kind.priced,
        "company": {"name": context.company.name, "tax_id": context.company.tax_id, "lines": _company(company, context)},
        "address": address_lines(d.party.name if d.party else "", (d.bill_to if kind.priced else d.ship_to) or d.ship_to),
        "ship_to": address_lines(d.party.name if d.party else "", d.ship_to) if kind.priced and d.ship_to and d.ship_to != d.bill_to else [],
        "facts": _facts(d, master, kind.priced), "lines": [_line(x) for x in d.lines], "digits": d.amount_digits, "currency": d.currency,
        "price_digits": max([d.amount_digits, *(-int(plain(x.price).as_tuple().exponent) for x in d.lines)]),
        "discount": any(x.discount for x in d.lines),
        "totals": [{"label": _("Net"), "value": d.net}, *({"label": tax_label(t), "value": t.amount, "base": t.base} for t in d.taxes)],
        "gross": d.gross, "text": d.text, "include_tax": d.prices_include_tax,
    }  # fmt: skip


def _company(row: Any, context: Context) -> list[str]:
    known = {name: row[name] or "" for name in ("street", "postcode", "city", "region", "country")} if row is not None else {"country": context.company.country}
    return address_lines("", Address(**known))


def _facts(d: Document, master: Master, priced: bool) -> list[dict[str, Any]]:
    terms = master.terms.get(d.terms)
    rows: list[dict[str, Any]] = [
        {"label": _("Date"), "day": d.date}, {"label": _("Your number"), "value": d.party.number if d.party else ""},
        {"label": _("Your reference"), "value": d.reference}, {"label": _("Requested"), "day": d.date_requested},
        {"label": _("Due"), "day": d.date_due if priced else None},
        {"label": _("Terms of payment"), "value": (terms.name or terms.code) if terms and priced else ""},
        {"label": _("Your tax number"), "value": d.party.tax_id if d.party and priced else ""},
    ]  # fmt: skip
    return [r for r in rows if r.get("value") or r.get("day")]


def _line(x: Any) -> dict[str, Any]:
    notes = [shown_value(s.quantity) + " " + s.date_requested.isoformat() for s in x.schedules if s.date_requested and len(x.schedules) > 1]
    taxes = ", ".join(f"{shown_value(t.rate)} %" for t in x.taxes if t.rate)
    return {
        "position": x.position, "item": x.item.number if x.item else "", "text": x.text, "quantity": x.quantity if x.kind != "text" else None, "unit": x.unit,
        "price": x.price, "discount": x.discount, "net": x.net, "tax": taxes, "kind": x.kind, "indent": x.parent is not None, "note": "; ".join(notes),
    }  # fmt: skip


async def _html(request: Web, id: int, screen: bool) -> tuple[str, str]:
    newel, context = newel_of(request), await context_of(request)
    paper = await print_view(newel, id, context)
    body = templates(request).get_template("print.html").render(
        paper=paper, title=f"{paper['kind_label']} {paper['number']}", lang=language.get(), nonce=nonce(request.scope), screen=screen, back=f"/document/{id}",
    )  # fmt: skip
    return body, f"{paper['kind_label']} {paper['number']}"


async def _elsewhere(request: Web, id: int) -> str:
    """The page of the plugin that prints instead, for whoever may see the document."""
    newel, context = newel_of(request), await context_of(request)
    await newel.documents.get(id, context)
    return next((str(box["url"]) for box in boxes(newel, context, "document.print", "document", id)), "")


@get("/document/{id:int}/print")
async def print_document(request: Web, id: FromPath[int]) -> Response[Any]:
    """The document as it is printed; where a plugin has a page for that, over there."""
    if other := await _elsewhere(request, id):
        return redirect(other)
    body, _title = await _html(request, id, True)
    return Response(body, media_type="text/html; charset=utf-8")


@get("/document/{id:int}/pdf")
async def pdf_document(request: Web, id: FromPath[int]) -> Response[Any]:
    """The document as a PDF file; where a plugin has a page for printing, over there."""
    if other := await _elsewhere(request, id):
        return redirect(other)
    body, title = await _html(request, id, False)
    content = await asyncio.to_thread(pdf, body)
    name = "".join(c if c.isalnum() and c.isascii() else "-" for c in title).strip("-") or "document"
    return Response(content, media_type="application/pdf", headers={"content-disposition": f'inline; filename="{name}.pdf"'})


def pdf(body: str) -> bytes:
    """A page as PDF; nothing is fetched from anywhere. Refused as in laid_out()."""
    return bytes(laid_out(body).write_pdf() or b"")


def laid_out(body: str) -> Any:
    """A page with the kernel's styles on sheets of paper, as WeasyPrint's Document; nothing is fetched, pictures stand in the page itself.

    Raises:
        Refused: 503 where the libraries that draw it are not there.
    """
    try:
        from weasyprint import CSS, HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:
        hint = "install WeasyPrint with Pango (Debian: libpango-1.0-0 libpangoft2-1.0-0), or print from the browser"
        raise Refused(Problem(code="print.unavailable", message=f"PDF files can't be made here: {error}"[:300], hint=hint), status=503) from error

    class Refusing(URLFetcher):  # type: ignore[misc]
        """Whatever a page asks for, it does not get."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url.startswith(("data:image/png;", "data:image/jpeg;")):
                return super().fetch(url, headers)
            raise ValueError(f"nothing is fetched for a PDF: {url[:100]}")

    fetcher = Refusing()
    styles = CSS(string=STYLES.read_text("utf-8"), url_fetcher=fetcher)
    return HTML(string=body, url_fetcher=fetcher, base_url=None).render(stylesheets=[styles])


handlers = [print_document, pdf_document]
