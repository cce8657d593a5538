"""Findings in lists: filtered, in an order, a page at a time, with name and department of what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, or_, select

from include.board.asked import FindingsAsked
from include.board.current import among
from include.board.looking import Look
from include.board.models import FindingRow, Listed
from include.board.register import Whose
from include.findings.story import Handling
from include.ledger.tables import finding
from include.rules.rule_book import SEVERITIES

UNREGISTERED = "未登记单位"
"""The department of subjects that no register gives one."""

WEIGHT = case({name: rank for rank, name in enumerate(SEVERITIES)}, value=finding.c.severity, else_=len(SEVERITIES))
"""The severest first."""

_SEEN, _SETTLED = finding.c.state == "open", finding.c.handling == Handling.SETTLED.value
IS_OPEN = _SEEN & ~_SETTLED
"""Whether somebody still has something to do about a finding."""
STATES: Mapping[str, ColumnElement[bool]] = {
    "open": IS_OPEN, "settled": _SEEN & _SETTLED, "resolved": finding.c.state == "resolved",
}  # fmt: skip

_OUTCOME = case({"fail": 0, "warn": 1}, value=finding.c.outcome, else_=2)
_ORDERS: Mapping[str, tuple[ColumnElement[Any], ...]] = {
    "severity": (WEIGHT, _OUTCOME, finding.c.first_seen_on),
    "since": (finding.c.first_seen_on,),
    "judged": (finding.c.judged_on,),
    "subject": (finding.c.subject_type, finding.c.subject),
    "rule": (finding.c.rule,),
}


def list_findings(look: Look, asked: FindingsAsked) -> Listed[FindingRow]:
    """Return one page of the findings that were asked for."""
    where = _where(look, asked)
    total = look.connection.execute(select(func.count()).select_from(finding).where(*where)).scalar_one()
    # Ids alone are sorted: with their sentences, twenty thousand rows are more than the database sorts in its memory.
    page = select(finding.c.finding_id).where(*where).order_by(*_order(asked.sort)).limit(asked.limit)
    ids = look.connection.execute(page.offset(asked.offset)).scalars().all()
    found = {row.finding_id: row for row in rows_of(look, select(finding).where(finding.c.finding_id.in_(ids)))}
    return Listed(items=[found[one] for one in ids], total=total, limit=asked.limit, offset=asked.offset)


def findings_about(look: Look, subject_type: str, subject: str, most: int = 200) -> list[FindingRow]:
    """Return the findings about a subject that the machine sees, the settled ones too, the severest first."""
    mine = (finding.c.subject_type == subject_type, finding.c.subject == subject, _SEEN)
    return rows_of(look, select(finding).where(*mine).order_by(*_order("severity")).limit(most))


def rows_of(look: Look, query: Select[Any]) -> list[FindingRow]:
    """Return what a query over `finding` finds, as it is shown."""
    found = look.connection.execute(query).mappings().all()
    about = _names_of(look, [(row["subject_type"], row["subject"]) for row in found])
    return [FindingRow(**row_of(look, row, about[row["subject_type"], row["subject"]])) for row in found]


def whose_of(look: Look, subject_type: str, subject: str) -> Whose:
    """Return department and name of one subject."""
    return _names_of(look, [(subject_type, subject)])[subject_type, subject]


def row_of(look: Look, row: Mapping[Any, Any], whose: Whose) -> dict[str, Any]:
    """Return a row of `finding` with what is known of its rule and its subject."""
    rule = row["rule"]
    kept = {name: row[name] for name in FindingRow.model_fields if name in row}
    if row["state"] == "open" and row["handling"] == Handling.SETTLED:
        kept["state"] = "settled"
    return kept | {
        "title": look.reference.title(rule), "scope": look.reference.scope(rule), "clause": look.reference.clause(rule),
        "article": look.reference.article(rule), "subject_name": whose.name, "department": whose.unit or None,
        "age_days": max(0, (look.today - row["first_seen_on"]).days),
    }  # fmt: skip


def _names_of(look: Look, subjects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Whose]:
    """Return department and name of subjects; sources have their cards' titles."""
    register, titles = look.register.subjects, look.reference.sources
    nobody = Whose(None, None)
    return {
        (kind, code): Whose(None, titles.get(code)) if kind == "source" else register.get((kind, code), nobody)
        for kind, code in subjects
    }


def _order(sort: str) -> Sequence[ColumnElement[Any]]:
    first, *others = _ORDERS[sort.removeprefix("-")]
    return [first.desc() if sort.startswith("-") else first, *others, finding.c.finding_id]


def _where(look: Look, asked: FindingsAsked) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [
        finding.c[name].in_(values)
        for name in ("outcome", "severity", "handling", "rule", "subject_type")
        if (values := getattr(asked, name))
    ]
    if asked.state != "all":
        where.append(STATES[asked.state])
    rules = look.reference.chosen(scope=asked.scope, article=asked.article)
    if rules is not None:
        where.append(finding.c.rule.in_(rules))
    if asked.is_overdue:
        where.append(finding.c.overdue_since.is_not(None))
    if asked.department:
        where.append(_of_department(look, asked.department))
    if asked.q:
        where.append(_says(look, asked.q))
    return where


def _of_department(look: Look, name: str) -> ColumnElement[bool]:
    """Return whether a finding is of a department."""
    mine = look.register.of_department(None if name == UNREGISTERED else name)
    return or_(
        false(),
        *(
            and_(finding.c.subject_type == kind, among(finding.c.subject, codes, look.dialect))
            for kind, codes in sorted(mine.items())
        ),
    )


def _says(look: Look, text: str) -> ColumnElement[bool]:
    """Return whether a finding has a text in its sentence, its subject's code, its rule's title, or at its id's beginning."""
    rules = [rule for rule in look.reference.rules if text in look.reference.title(rule)]
    return or_(
        finding.c.message.contains(text, autoescape=True), finding.c.subject.contains(text, autoescape=True),
        finding.c.finding_id.startswith(text.lower(), autoescape=True), finding.c.rule.in_(rules),
    )  # fmt: skip
