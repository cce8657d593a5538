"""Reconcile the annual plan with the approval platform, in both directions, after each run (arts. 15, 16, 18).

Pairs are made by project code, through re-issued codes. A name and unit that agree without a code are a hint for a person, never
a pair. "Missing" is only said where the side that lacks it was read complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from include.clock import now
from include.ledger.database import writing
from include.ledger.last_batch import last_full
from include.ledger.question import Question, settle_questions
from include.ledger.snapshot import RECONCILIATION
from include.ledger.tables import plan_entry, project, project_alias
from include.sources.own_files import read_laid_over

SHIPPED = Path(__file__).with_name("reconciliation.yaml")
KINDS = (
    "plan_not_on_platform", "platform_not_in_plan", "plan_without_code", "amount_disagrees", "name_disagrees",
    "code_check_failed", "same_project_two_codes", "void_code_in_plan",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """What is compared; from reconciliation.yaml."""

    platform: str
    plan: str
    digital_industries: tuple[str, ...]
    project_types: tuple[str, ...]
    division_prefix: str
    amount_tolerance: Decimal
    years_before_plan: int


def load_scope() -> Scope:
    """Return it; raise `CardError` with file, line and fix for what is wrong in the bureau's own, which names everything."""
    data = read_laid_over(SHIPPED, "reconciliation.v1.json", "include/ledger/reconciliation.yaml").data
    return Scope(
        data["platform"], data["plan"], tuple(data["digital_industries"]), tuple(data["project_types"]),
        data["division_prefix"], Decimal(str(data["amount_tolerance"])), data["years_before_plan"],
    )  # fmt: skip


@dataclass(slots=True)
class Reconciled:
    """The result of a reconciliation: open questions of each kind, and what this run opened and closed."""

    compared_projects: int
    compared_entries: int
    open: dict[str, int]
    opened: int
    closed: int
    is_certain: bool
    """Whether both sides were read complete; else nothing was called missing and nothing was closed."""


def reconcile(engine: Engine, scope: Scope | None = None) -> Reconciled | None:
    """Compare plan and platform as the ledger holds them; None where one of them was never read."""
    scope = scope or load_scope()
    with writing(engine, RECONCILIATION) as connection:
        last = {source: last_full(connection, source) for source in (scope.platform, scope.plan)}
        if None in last.values():
            return None
        certain = all(row is not None and row["is_complete"] for row in last.values())
        sides = _read_sides(connection, scope)
        found, compared = _compare(sides, scope, certain)
        at = now().replace(microsecond=0)
        platform_batch = last[scope.platform]
        batch_id = platform_batch["batch_id"] if platform_batch else ""
        opened, closed = settle_questions(
            connection, "reconciliation", set(KINDS), found, batch_id, at, may_close=certain
        )
    counts = defaultdict(int, dict.fromkeys(KINDS, 0))
    for question in found:
        counts[question.kind] += 1
    return Reconciled(compared, len(sides.entries), dict(counts), opened, closed, certain)


@dataclass(frozen=True, slots=True)
class _Sides:
    """What is compared: the plan's entries, and the platform's projects by code."""

    entries: Sequence[Row[Any]]
    digital: Sequence[Row[Any]]
    """Every digital project that the plan governs, whenever it was applied for."""
    by_code: dict[str, Row[Any]]
    by_name: dict[tuple[str, str], list[str]]
    current: dict[str, str]
    """Former code → the code in force."""

    def code_of(self, entry: Row[Any]) -> str | None:
        """Return the code in force of an entry."""
        return self.current.get(entry.project_code, entry.project_code) if entry.project_code else None

    def namesakes(self, entry: Row[Any]) -> list[str]:
        """Return the codes of platform projects with the entry's name and unit: a hint for a person, never a pair."""
        return self.by_name.get((folded(entry.name), folded(entry.unit_name)), [])


def _read_sides(connection: Connection, scope: Scope) -> _Sides:
    entries = connection.execute(
        select(plan_entry).where(plan_entry.c.source == scope.plan, plan_entry.c.tombstoned_at.is_(None))
    ).all()
    alive = (project.c.source == scope.platform) & project.c.tombstoned_at.is_(None)
    digital = connection.execute(
        select(project)
        .where(alive, project.c.managed_industry.in_(scope.digital_industries))
        .where(project.c.project_type.in_(scope.project_types), project.c.is_void.is_not(True))
        .where(project.c.division_code.startswith(scope.division_prefix))
        .order_by(project.c.project_code)
    ).all()
    current = _current_codes(connection, scope.platform)
    codes = {current.get(e.project_code, e.project_code) for e in entries if e.project_code}
    named = connection.execute(select(project).where(alive, project.c.project_code.in_(codes))).all() if codes else []
    by_name: dict[tuple[str, str], list[str]] = defaultdict(list)
    for p in digital:
        by_name[folded(p.name), folded(p.unit_name or "")].append(p.project_code)
    return _Sides(entries, digital, {p.project_code: p for p in [*digital, *named]}, dict(by_name), current)


def _compare(sides: _Sides, scope: Scope, certain: bool) -> tuple[list[Question], int]:
    """Return the questions, and how many platform projects the loaded plans could name."""
    found = [q for e in sides.entries for q in _questions_of_entry(e, sides, scope, certain)]
    earliest = min((e.plan_year for e in sides.entries), default=0) - scope.years_before_plan
    due = [p for p in sides.digital if p.applied_at is None or p.applied_at.year >= earliest]
    if certain:
        found += _not_in_plan(due, sides)
    return found + _two_codes(sides.digital) + _wrong_codes(sides.digital), len(due)


def _current_codes(connection: Connection, source: str) -> dict[str, str]:
    """Return former code → the code in force, through chains of re-issues; a circle ends where it began."""
    rows = connection.execute(
        select(project_alias.c.former_code, project_alias.c.project_code).where(project_alias.c.source == source)
    )
    step = {r.former_code: r.project_code for r in rows}
    current = {}
    for code in step:
        seen = {code}
        at = step[code]
        while at in step and at not in seen:
            seen.add(at)
            at = step[at]
        current[code] = at
    return current


def _questions_of_entry(entry: Row[Any], sides: _Sides, scope: Scope, certain: bool) -> list[Question]:
    """Return what is to be asked of one entry: of a wrong code, one question and not its consequences too."""
    who = f"{entry.plan_year}年度计划“{entry.name}”({entry.unit_name})"
    hints = sides.namesakes(entry)
    hint = f";平台上同名同单位的代码:{'、'.join(hints)},请核对后更正" if hints else ""
    detail = {
        "plan_year": entry.plan_year, "name": entry.name, "unit": entry.unit_name,
        "project_code": entry.project_code, "candidates": hints,
    }  # fmt: skip
    if not entry.project_code:
        return [_ask("plan_without_code", entry.record_key, f"{who}未填项目代码{hint}", detail)]
    match = sides.by_code.get(sides.code_of(entry) or "")
    if match is not None:
        if match.is_void:
            sentence = f"{who}所填项目代码 {entry.project_code} 在省平台已作废{hint}"
            return [_ask("void_code_in_plan", entry.record_key, sentence, detail)]
        return _disagreements(entry, match, who, detail, scope)
    if entry.code_check == "failed":
        sentence = f"{who}的项目代码 {entry.project_code} 校验位不符,请核对是否录错{hint}"
        return [_ask("code_check_failed", entry.record_key, sentence, detail)]
    if not certain:
        return []
    sentence = f"{who}的项目代码 {entry.project_code} 在省平台未查到(第十八条){hint}"
    return [_ask("plan_not_on_platform", entry.record_key, sentence, detail)]


def _disagreements(entry: Row[Any], match: Row[Any], who: str, detail: dict[str, Any], scope: Scope) -> list[Question]:
    questions = []
    plan, platform = entry.planned_yuan, match.total_investment_yuan
    if (
        plan is not None
        and platform is not None
        and abs(plan - platform) > scope.amount_tolerance * max(plan, platform)
    ):
        sentence = f"{who}计划投资 {plan:,.2f} 元,省平台总投资 {platform:,.2f} 元,相差超过 {scope.amount_tolerance:.0%}"
        questions.append(
            _ask("amount_disagrees", entry.record_key, sentence, detail | {"plan": plan, "platform": platform})
        )
    if folded(entry.name) != folded(match.name):
        sentence = f"{who}与省平台项目名称“{match.name}”不一致(代码 {match.project_code})"
        questions.append(_ask("name_disagrees", entry.record_key, sentence, detail | {"platform_name": match.name}))
    return questions


def _not_in_plan(due: list[Row[Any]], sides: _Sides) -> list[Question]:
    """Ask about projects that no entry names.

    One that is an entry's likely counterpart is asked about there; one that is planned under another code of the same
    project is asked about as such.
    """
    planned = {sides.code_of(e) for e in sides.entries}
    twins = {code for codes in sides.by_name.values() if planned.intersection(codes) for code in codes}
    unpaired = [e for e in sides.entries if sides.code_of(e) not in sides.by_code]
    asked = {code for e in unpaired for code in sides.namesakes(e)}
    return [
        _ask(
            "platform_not_in_plan", p.project_code,
            f"省平台数字化项目“{p.name}”({p.unit_name},{p.project_code})不在已载入的年度计划中(第十六条)",
            {"project_code": p.project_code, "name": p.name, "unit": p.unit_name},
        )
        for p in due
        if p.project_code not in planned | twins | asked
    ]  # fmt: skip


def _two_codes(digital: Sequence[Row[Any]]) -> list[Question]:
    groups: dict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
    for p in digital:
        if p.unit_name:
            groups[folded(p.name), p.unit_name].append(p)
    questions = []
    for same in groups.values():
        codes = sorted(p.project_code for p in same)
        if len(codes) > 1:
            listed = "、".join(codes)
            sentence = f"省平台“{same[0].name}”({same[0].unit_name})有多个有效代码:{listed}"
            questions.append(_ask("same_project_two_codes", listed, sentence, {"project_codes": codes}))
    return questions


def _wrong_codes(digital: Sequence[Row[Any]]) -> list[Question]:
    """Ask about platform projects whose own code fails its check digit: a warning (GB/T 40058-2021), nothing is dropped."""
    return [
        _ask(
            "code_check_failed", p.project_code,
            f"省平台数字化项目“{p.name}”({p.unit_name})的项目代码 {p.project_code} 校验位不符,请与平台核对",
            {"project_code": p.project_code, "name": p.name, "unit": p.unit_name},
        )
        for p in digital
        if p.code_check == "failed"
    ]  # fmt: skip


def folded(name: str) -> str:
    """Return a name without what people write differently: blanks, brackets, quotes, dashes."""
    return "".join(ch for ch in name if ch not in " 　()（）[]【】“”\"'‘’-—–·、,，")


def _ask(kind: str, subject: str, sentence: str, detail: dict[str, Any]) -> Question:
    return Question(kind, "reconciliation", subject, sentence, detail)
