"""Chapter 5, art. 27: current reports on protection level, cipher and risk. How often they are due other law says, not art. 27."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from include.rules.parameters import Parameters
from include.rules.recorded import lacking, until_next
from include.rules.records import Assessment
from include.rules.rule import Facts, Judgement, law
from include.rules.shapes import earliest
from include.rules.verdict import Outcome

DAY = timedelta(days=1)
REPORTS = {"protection": "等保测评", "cipher": "密评", "risk": "安全风险评估"}
CONCLUSIONS = {"conform": "符合", "mostly": "基本符合", "not_conform": "不符合", None: "未填"}
RISKS = {True: "有重大风险", False: "无重大风险", None: "是否有重大风险未填"}


class State(StrEnum):
    """How the newest report of a kind stands on a day."""

    MISSING = "未见报告"
    ADVERSE = "不符合或有重大风险"
    EXPIRED = "已过有效期"
    UNSTATED = "未填"
    EXPIRING = "即将到期"
    CURRENT = "有效"


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest report of a kind: how it stands, in words, what is blank, and the last day on which that is so."""

    state: State
    words: str
    blank: str
    until: date | None


def due_reports(level: int | None) -> dict[str, str | None]:
    """Return the kinds of reports that a system needs, with the parameter of their term; of grade 5 no term is set.

    Protection is tested from grade 2 on (公通字〔2007〕43号), cipher from grade 3 on; where no grade is known only risk is sure.
    """
    grade = 1 if level is None else level
    terms = {2: "protection_days_2", 3: "protection_days_3", 4: "protection_days_4"}
    found: dict[str, str | None] = {"protection": terms.get(grade)} if grade >= 2 else {}
    found |= {"cipher": "cipher_days"} if grade >= 3 else {}
    return found | {"risk": "risk_days"}


def ends_on(report: Assessment, days: int | None) -> date | None:
    """Return the last day of a report: as it states, else so many days after it was issued; None where neither is known."""
    return report.valid_until or (report.issued_on + timedelta(days=days) if days else None)


def is_adverse(report: Assessment) -> bool:
    """Return whether a report says that something is badly amiss."""
    return report.conclusion == "not_conform" or bool(report.has_major_risk)


def is_concluded(report: Assessment) -> bool:
    """Return whether a report says what it found."""
    return (report.has_major_risk if report.kind == "risk" else report.conclusion) is not None


@law("security-duties-current")
def security_duties_current(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 27: 等保, 密评 and risk assessment are repeated in time, and what they found is no reason for alarm."""
    level: int | None = facts.protection_level
    reports: tuple[Assessment, ...] = facts.assessments
    terms = {kind: p[name] if name else None for kind, name in due_reports(level).items()}
    found = [_standing(kind, reports, days, p["report_warn_days"], on) for kind, days in terms.items()]
    steps = (f"等保级别:{level or '未填或未读到'}", *(f"{s.words},{s.state}" for s in found))
    until = earliest(*(s.until for s in found))
    adverse = [s for s in found if s.state is State.ADVERSE]
    late = [s for s in found if s.state in (State.MISSING, State.EXPIRED)]
    figures = {"problems": ";".join(f"{s.words},{s.state}" for s in (*adverse, *late))}
    if adverse or late:
        return Judgement(Outcome.FAIL, "adverse" if adverse else "not_current", steps, figures, until)
    blank = [s.blank for s in found if s.state is State.UNSTATED]
    if level is None or blank:
        return lacking("、".join(blank), steps, until)
    soon = [s for s in found if s.state is State.EXPIRING]
    if soon:
        return Judgement(Outcome.WARN, "expiring", steps, {"reports": ";".join(s.words for s in soon)}, until)
    return Judgement(Outcome.PASS, "current", steps, {}, until)


def _standing(kind: str, reports: Iterable[Assessment], days: int | None, warn_days: int, on: date) -> Standing:
    mine = sorted((r for r in reports if r.kind == kind), key=lambda r: (r.issued_on, r.report_no))
    past = [r for r in mine if r.issued_on <= on]
    ahead, title = until_next(on, *(r.issued_on for r in mine)), REPORTS[kind]
    if not past:
        return Standing(State.MISSING, title, "", ahead)
    last = past[-1]
    ends = ends_on(last, days)
    opinion = RISKS[last.has_major_risk] if kind == "risk" else CONCLUSIONS[last.conclusion]
    words = f"{title}报告 {last.report_no}({last.issued_on} 出具,有效至 {ends or '未载明'},{opinion})"
    if is_adverse(last):
        return Standing(State.ADVERSE, words, "", ahead)
    if ends is None:
        return Standing(State.UNSTATED, words, f"{title}报告有效期", ahead)
    warns = ends - timedelta(days=warn_days)
    until = earliest(ahead, until_next(on, warns, ends + DAY))
    if on > ends:
        return Standing(State.EXPIRED, words, "", until)
    if not is_concluded(last):
        return Standing(State.UNSTATED, words, f"{title}报告结论", until)
    return Standing(State.EXPIRING if on >= warns else State.CURRENT, words, "", until)
