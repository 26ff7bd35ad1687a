"""Promotions on one screen: discounts and gifts on whatever is a sale, by date, scope, quantity, order value and coupon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document, Draft, Line, LineInput
from newel.domain.facts import Facts
from newel.domain.kinds import Extension, Kinds
from newel.domain.master import Master
from newel.domain.pricing import Adjustment
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest, Panel
from newel.store.session import Session

from newel_promotions import checks
from newel_promotions.facts import load
from newel_promotions.rehearse import REPORTS, nearly
from newel_promotions.rules import PLUGIN, Deal, PromotionData, PromotionFacts, PromotionSettings
from newel_promotions.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Groups, promotions, scopes and coupons; what they gave, and what a draft would have given."""
    return Manifest(
        name=PLUGIN,
        label="Promotions",
        locale="newel_promotions:locale",
        piccolo_app="newel_promotions.piccolo_app",
        demo_data="newel_promotions:demo.toml",
        tables=TABLES,
        records=RECORDS,
        reports=REPORTS,
        document_data=PromotionData,
        extends=(Extension(role="sale"),),  # coupons are entered there
        settings=PromotionSettings,
    )


@hookimpl
@asked("sale")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Promotions for the items and the customer of a sale on its day, and the coupons that it names."""
    return await load(session, document, context)


@hookimpl
@asked(facts=PromotionFacts)
def propose_lines(document: Document, line: Line, facts: Facts, context: Context) -> Sequence[tuple[str, LineInput]]:
    """Gifts that come with a line."""
    return _deal(document, facts, context).gifts(line) if facts[PromotionFacts].gifts else ()


@hookimpl
@asked(facts=PromotionFacts)
def propose_adjustments(document: Document, stage: str, facts: Facts, context: Context) -> Sequence[Adjustment]:
    """Discounts of lines, then those of the whole document; gifts cost nothing."""
    return _deal(document, facts, context).adjustments(stage)


@hookimpl
@asked(facts=PromotionFacts)
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:
    """Coupons that are unknown, used up or of no use here."""
    return list(checks.check_coupons(document, transition, _phases(document, transition, facts), facts[PromotionFacts]))


@hookimpl
@asked(facts=PromotionFacts)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """With the price of each line the promotions that it nearly got."""
    return nearly(_deal(document, facts, context)) if document.phase in ("draft", "offered") else ()


@hookimpl
@asked(facts=PromotionFacts)
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:
    """Coupons are used when a sale opens; its cancellation gives them back."""
    return checks.propose_uses(document, _phases(document, transition, facts), facts[PromotionFacts])


def _deal(document: Document, facts: Facts, context: Context) -> Deal:
    return Deal(document, facts[PromotionFacts], facts[Master], context.company, context.setting(PLUGIN, PromotionSettings))


def _phases(document: Document, transition: str, facts: Facts) -> tuple[str, str]:
    return facts[Kinds].becomes(document.kind, document.state, transition)
