"""What the tasks of `record_decision` do, as plain functions: read the form, ask whether it may be so, record what was approved.

The only caller of `include.findings.decisions.decide`. Of a finding only its id and its rule go into Airflow's own database.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from include.clock import now
from include.errors import ConfigurationError, DecisionRefused
from include.opening import ledger

log = logging.getLogger(__name__)

APPROVE, REJECT = "同意", "不同意"
"""What the second person can answer; no answer in time counts as the second."""

RELEASE = "released"
"""What is not decided about findings but about alerts: a hold is let go."""

BY_TWO = ("waived", "attested", "settled", RELEASE)
"""Decisions that a second person must approve; `decide` and `release` themselves refuse them without one."""

TITLES = {
    "acknowledged": "签收", "rectifying": "整改(须填期限)", "disputed": "异议(须填理由、期限)",
    "waived": "豁免(须填依据、理由、期限、批准人)", "attested": "人工认定(须填依据、期限、批准人)",
    "settled": "处理结案(已不能补正的;须填处理结果、文号、理由、批准人)", "withdrawn": "撤回现有处置",
    "released": "放行暂缓的提示(填暂缓编号,须填理由、批准人)",
}  # fmt: skip
"""What can be decided, as the form shows it."""

RESULTS = {
    "criticised": "通报批评", "disciplined": "对责任人员依法依纪处理", "funds_cut": "核减资金", "summoned": "约谈",
    "transferred": "移交有关部门", "not_pursued": "不予追究",
}  # fmt: skip
"""What can have come of a lead that is settled, as the form shows it; the stage of findings is too heavy to import for a form."""


def check(form: Mapping[str, Any], requested_by: str | None, run_id: str) -> dict[str, Any]:
    """Refuse now what would be refused after the approval; return what the second person is asked to approve."""
    from include.findings.decisions import decide

    if form["kind"] == RELEASE:
        return _release(form, requested_by, form.get("approver"), keep=False)
    wanted = _decision(form, requested_by, run_id, form.get("approver"))
    decided = decide(ledger(), wanted, keep=False)
    rules = "、".join(f"{rule} {count} 条" for rule, count in decided.rules.items())
    log.info("%s: %d findings may be decided so (%s)", run_id, decided.findings, rules)
    return {"findings": decided.findings, "rules": rules, "sentence": wanted.tidied().sentence()}


def record(
    form: Mapping[str, Any], requested_by: str | None, run_id: str, response: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Record the decision, with the second person's approval where one is needed; raise `DecisionRefused` otherwise."""
    from include.alerts.telling import tell_if_possible
    from include.findings.decisions import decide

    approved_by = approver(form, requested_by, response) if form["kind"] in BY_TWO else None
    if form["kind"] == RELEASE:
        return _release(form, requested_by, approved_by)
    decided = decide(ledger(), _decision(form, requested_by, run_id, approved_by), tell=tell_if_possible)
    log.info("%s: %s of %d findings recorded, new: %s", run_id, decided.kind.value, decided.findings, decided.is_new)
    return {"kind": decided.kind.value, "findings": decided.findings, "is_new": decided.is_new}


def _release(
    form: Mapping[str, Any], requested_by: str | None, approved_by: str | None, *, keep: bool = True
) -> dict[str, Any]:
    """Release holds and tell of their findings in one transaction, or with `keep` false only say of which."""
    from include.alerts.holds import release
    from include.alerts.telling import tell
    from include.ledger.snapshot import FINDINGS, snapshot

    holds, who, at = sorted(set(read_ids(form["findings"]))), (requested_by or "", approved_by or ""), now()
    with snapshot(ledger(), FINDINGS) as connection:
        found = [release(connection, hold, *who, form.get("reason") or "", at, keep=keep) for hold in holds]
        if keep:
            tell(connection, at)
    count = sum(one.findings for one in found)
    if keep:
        log.info("%d holds with %d findings released by %s and %s", len(found), count, *who)
        return {"kind": RELEASE, "findings": count, "is_new": any(one.is_new for one in found)}
    rules = "、".join(f"{rule} {number} 条" for one in found for rule, number in one.by_rule.items())
    sentence = f"放行暂缓的提示 {len(found)} 批;{who[0]} 提出;{who[1]} 批准;理由:{form['reason']}"
    return {"findings": count, "rules": rules, "sentence": sentence}


def approver(form: Mapping[str, Any], requested_by: str | None, response: Mapping[str, Any] | None) -> str:
    """Return the name of the second person who agreed; raise `DecisionRefused` where nobody did, or the wrong one."""
    from include.findings.decisions import same_person

    if not response:
        raise DecisionRefused("nobody was asked to approve this decision; nothing was recorded")
    who = response.get("responded_by_user")
    if not who:
        raise DecisionRefused("nobody answered in time; nothing was recorded (到期无人批准,未登记)")
    names = [str(who["name"]), str(who["id"])]
    if any(same_person(name, requested_by) for name in names):
        raise DecisionRefused(f"{names[0]!r} asked for this decision and cannot approve it; nothing was recorded")
    if not any(same_person(name, form.get("approver")) for name in names):
        raise DecisionRefused(f"{form.get('approver')!r} was to approve this, not {names[0]!r}; nothing was recorded")
    if list(response["chosen_options"]) != [APPROVE]:
        raise DecisionRefused(f"{names[0]!r} did not approve this decision; nothing was recorded (未获批准,未登记)")
    return names[0]


def _decision(form: Mapping[str, Any], requested_by: str | None, run_id: str, approved_by: str | None) -> Any:
    from include.findings.decisions import Decision
    from include.findings.story import Kind

    kind = Kind(form["kind"])
    return Decision(
        run_id, kind, tuple(read_ids(form["findings"])), requested_by or "", now(),
        approved_by if kind.value in BY_TWO else None, form.get("ground"), form.get("reason"), form.get("plan"),
        _day(form.get("until")), form.get("result"),
    )  # fmt: skip


def read_ids(text: str) -> list[str]:
    """Return the ids that stand in a text, one a line or parted by blanks and commas."""
    return [word for word in re.split(r"[\s,,;;、]+", text) if word]


def _day(given: str | None) -> date | None:
    try:
        return date.fromisoformat(given[:10]) if given else None
    except ValueError as error:
        raise ConfigurationError(f"期限 until is {given!r}; write it as 2026-12-31") from error
