"""What a proposal needs to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from newel.domain.context import Context
from newel.store.session import Session

from newel_dual_control.rules import NAME, DualControlSettings, Proposing


async def load(_session: Session, _rows: Sequence[Mapping[str, Any]], context: Context) -> Proposing:
    """The delicate kinds as the settings say, and those that the user may change."""
    kinds = context.setting(NAME, DualControlSettings).records
    return Proposing(frozenset(kinds), frozenset(k for k in kinds if context.user.may(f"{k}.edit")))
