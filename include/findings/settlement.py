"""处理结案: two people record how a lead was handled that nobody can mend any more. What may be settled, and with what result.

Only reasons that the rule's own card lists under `past_mending` can be settled: what may still be mended is put right, or waived
for a time. Words of refusals are Chinese: who asks reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select

from include.findings.story import Handling, Standing
from include.ledger.tables import finding
from include.rules.rule import Rule

STILL_MENDABLE = "still_mendable"
"""The name of the refusal of what can still be mended, as the runbook lists it."""


class Result(StrEnum):
    """What came of a lead; closed, so that it can be counted."""

    CRITICISED = "criticised"
    DISCIPLINED = "disciplined"
    FUNDS_CUT = "funds_cut"
    SUMMONED = "summoned"
    TRANSFERRED = "transferred"
    NOT_PURSUED = "not_pursued"


RESULTS: Mapping[Result, tuple[str, str | None]] = {
    Result.CRITICISED: ("通报批评", "art37"), Result.DISCIPLINED: ("对责任人员依法依纪处理", "art37"),
    Result.FUNDS_CUT: ("核减资金", "art35"), Result.SUMMONED: ("约谈", None), Result.TRANSFERRED: ("移交有关部门", "art33"),
    Result.NOT_PURSUED: ("不予追究", None),
}  # fmt: skip
"""What people read, and the clause that provides for it; None where the measures do not, but offices do so."""

_REFERENCE = re.compile(r"\d|第[一二三四五六七八九十百]+[号次期]")
"""The number of a document or of minutes; a ground without any number could not be found again."""


def problems_of_form(result: str | None, ground: str | None, reason: str | None, until: object) -> Iterator[str]:
    """Yield what is wrong with a settlement, whichever findings it is about."""
    if result not in RESULTS:
        yield f"处理结案须选处理结果:{'、'.join(title for title, _ in RESULTS.values())}"
    if not _REFERENCE.search(ground or ""):
        yield "处理结案须写处理文号或可查的记录编号(如 双数通报〔2026〕3号、局务会纪要第12期)"
    if not reason:
        yield "处理结案须写理由"
    if until is not None:
        yield "处理结案没有期限:情况变化时自动恢复,不再适用的可撤回"


def problems_of_finding(standing: Standing, rule: Rule | None) -> Iterator[str]:
    """Yield what forbids to settle a finding as it stands."""
    if rule is None:
        yield "所依规则已不在现行规则中,不能处理结案"
    elif standing.reason not in rule.past_mending:
        yield f"仍可补正({STILL_MENDABLE}):“{rule.title}”的情形“{standing.message}”还能整改,不能处理结案;请整改,或申请有期限的豁免"
    elif standing.unverified_since:
        yield f"自 {standing.unverified_since} 起证据不足,待重新核实后再处理结案"


def settleable(connection: Connection, rules: Mapping[str, Rule]) -> list[tuple[str, int]]:
    """Return, by rule, how many open findings could be settled and are neither settled nor otherwise decided by two people."""
    firm = (Handling.SETTLED.value, Handling.WAIVED.value, Handling.ATTESTED.value)
    return _counted(connection, finding.c.handling.not_in(firm), _is_past_mending(rules))


def unfounded(connection: Connection, rules: Mapping[str, Rule]) -> list[tuple[str, int]]:
    """Return, by rule, how many settled findings its card no longer lets be settled: of these people should look again."""
    return _counted(connection, finding.c.handling == Handling.SETTLED.value, ~_is_past_mending(rules))


def _is_past_mending(rules: Mapping[str, Rule]) -> ColumnElement[bool]:
    listed = (rule for rule in rules.values() if rule.past_mending)
    return or_(false(), *(and_(finding.c.rule == rule.id, finding.c.reason.in_(rule.past_mending)) for rule in listed))


def _counted(connection: Connection, *conditions: ColumnElement[bool]) -> list[tuple[str, int]]:
    query = select(finding.c.rule, func.count()).where(finding.c.state == "open", *conditions)
    return [
        (rule, count) for rule, count in connection.execute(query.group_by(finding.c.rule).order_by(finding.c.rule))
    ]
