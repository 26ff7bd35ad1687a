"""What must hold of configured lines and of the records behind them; which configurations are new. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from newel.domain.document import Document, Line
from newel.errors import Problem, Severity

from newel_configurator.rules import BASE, Chosen, ConfigFacts, Configured, bad, content, number_of, own


def made_of(found: Configured, below: Iterable[Line]) -> str:
    """The content by the parts that are in the document."""
    chosen: Chosen = {}
    for line in below:
        if line.item is not None and own(line).feature != BASE:
            chosen.setdefault(own(line).feature, {})[line.item.number] = own(line).each
    return content(found.model.number, chosen)


def check(document: Document, facts: ConfigFacts) -> list[Problem]:
    """What is wrong with the choices, with its reason; and parts that were taken over and would be others today."""
    out: list[Problem] = []
    by_id = {line.id: line for line in document.lines}
    for i, line in enumerate(document.lines):
        found, problems = facts.lines.get(line.id), [facts.wrong[line.id]] if line.id in facts.wrong else []
        if found is not None and not line.sources:
            problems += found.problems
        elif found is not None and document.role == "sale" and document.phase == "draft":
            now = number_of(made_of(found, (by_id[x] for x in facts.parts.get(line.id, ()))))
            if now != found.number:
                problem = bad("changed", f"its parts are those of {now}, its choices those of {found.number}", "enter the line anew to change it")
                problems.append(msgspec.structs.replace(problem, severity=Severity.NOTE))
        out += [msgspec.structs.replace(p, where=f"lines[{i}].data.configurator") for p in problems]
    return out


def keep(document: Document, facts: ConfigFacts) -> dict[str, tuple[int, str]]:
    """Configurations by number that nobody has kept yet, as (item, content): what the parts in the document say."""
    by_id = {line.id: line for line in document.lines}
    found = [(x.model.item, made_of(x, (by_id[i] for i in facts.parts.get(id, ())))) for id, x in facts.lines.items()]
    return {number_of(text): (item, text) for item, text in found if number_of(text) not in facts.kept}


def check_rule(values: Mapping[str, Any]) -> Iterator[Problem]:
    """A rule is between two options."""
    if values["option"] == values["other"]:
        yield msgspec.structs.replace(bad("rule", "an option can't have a rule with itself", "choose another one"), where="other")


def check_configuration(values: Mapping[str, Any]) -> Iterator[Problem]:
    """A number belongs to its content."""
    if values["number"] != number_of(values["content"]):
        yield msgspec.structs.replace(bad("number", f"this content has the number {number_of(values['content'])}", "don't change it"), where="number")
