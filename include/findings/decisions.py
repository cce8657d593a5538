"""What people decide about findings: `decide` is the only door for it, and `record_decision` the only DAG that calls it.

A decision names its findings one by one, who asks for it and until when it holds. All of it is written or nothing; the same id
again writes nothing. Lengths are parameters (`waiver_days_high`, `waiver_days_other`, `dispute_days`, `attestation_days`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from include.clock import SHANGHAI
from include.errors import DecisionRefused
from include.findings.door import lapse
from include.findings.handling import lapsed
from include.findings.held import Held, Tell, load, write
from include.findings.settlement import RESULTS, Result, problems_of_finding, problems_of_form
from include.findings.story import DECIDED, Event, Handling, Kind, Standing
from include.ledger.snapshot import FINDINGS, snapshot
from include.ledger.tables import decision as decisions
from include.ledger.tables import finding
from include.rules.parameters import ParameterBook, Parameters
from include.rules.rule import Rule
from include.rules.rule_book import load_rules
from include.rules.verdict import Outcome

KINDS = (*DECIDED, Kind.WITHDRAWN)
"""What can be decided."""

BY_TWO = (Kind.WAIVED, Kind.ATTESTED, Kind.SETTLED)
"""What a second person must approve."""

_END_NEEDED = (Kind.RECTIFYING, Kind.WAIVED, Kind.DISPUTED, Kind.ATTESTED)
_FIRM = (Handling.WAIVED, Handling.ATTESTED, Handling.SETTLED)
"""What two people decided is not replaced by what one decides: only renewed or withdrawn."""

_ID = re.compile(r"[0-9a-f]{32}")
_CLAUSE = re.compile(
    r"第[一二三四五六七八九十百零〇\d]+条|[〔\[【((]\s*\d{4}\s*年?[〕\]】))]\s*第?\s*\d{1,6}\s*号|\bart\d+(?:\.\w+)*\b"
)
"""A clause (第二十条, art20) or the number of a document (双政办发〔2024〕39号)."""

WORDS = {
    Kind.ACKNOWLEDGED: "签收", Kind.RECTIFYING: "整改", Kind.WAIVED: "豁免", Kind.DISPUTED: "异议", Kind.ATTESTED: "人工认定",
    Kind.SETTLED: "处理结案", Kind.WITHDRAWN: "撤回处置",
}  # fmt: skip
"""What people read."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody wants to decide; `until` is the last day on which it holds, or by which it is to be done.

    `result` says what came of a lead that is settled (`include.findings.settlement`); no other decision has one.
    """

    decision_id: str
    kind: Kind
    findings: tuple[str, ...]
    requested_by: str
    decided_at: datetime
    approved_by: str | None = None
    ground: str | None = None
    reason: str | None = None
    plan: str | None = None
    until: date | None = None
    result: str | None = None

    @property
    def day(self) -> date:
        """Return the day in Asia/Shanghai on which it is taken."""
        return self.decided_at.astimezone(SHANGHAI).date()

    def tidied(self) -> Decision:
        """Return it with blanks around texts gone, blank texts absent, and each finding named once."""
        texts = {f.name: getattr(self, f.name) for f in fields(self) if isinstance(getattr(self, f.name), str)}
        clean: dict[str, Any] = {name: text.strip() or None for name, text in texts.items() if name != "kind"}
        named = ("decision_id", "requested_by")
        clean |= {name: clean[name] or "" for name in named}
        return replace(self, **clean, findings=tuple(sorted({f.strip() for f in self.findings})))

    def sentence(self) -> str:
        """Return what people read of it."""
        parts = [WORDS[self.kind] + (f",至 {self.until}" if self.until else ""), f"{self.requested_by} 提出"]
        parts[1:1] = [f"处理结果:{RESULTS[Result(self.result)][0]}"] if self.result and self.result in RESULTS else []
        parts += [f"{self.approved_by} 批准"] if self.approved_by else []
        parts += [f"依据 {self.ground}"] if self.ground else []
        parts += [f"理由:{self.reason}"] if self.reason else []
        parts += [f"计划:{self.plan}"] if self.plan else []
        return ";".join(parts)


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a decision: of how many findings of which rules, and whether it was not there before."""

    decision_id: str
    kind: Kind
    findings: int
    rules: Mapping[str, int]
    is_new: bool


def decide(engine: Engine, decision: Decision, *, keep: bool = True, tell: Tell | None = None) -> Decided:
    """Record what a person decided, or with `keep` false only say what would come of it.

    `tell` is called at the end of the transaction of a decision that is new. Raises `DecisionRefused` with every reason at once;
    then nothing was written.
    """
    decision = decision.tidied()
    with snapshot(engine, FINDINGS) as connection:
        if kept := _kept(connection, decision.decision_id):
            return _same(decision, kept, connection)
        held = list(load(connection, finding.c.finding_id.in_(decision.findings)))
        for one in held:
            _end_what_ended(one, decision.day)
        terms = _Terms.load(decision)
        problems = [*_of_form(decision, terms), *_of_findings(decision, held, terms)]
        if problems:
            raise DecisionRefused(f"decision {decision.decision_id!r} is refused: {'; '.join(problems)}")
        if keep:
            for one in held:
                one.add(_event(decision, one.standing))
            write(connection, held, decision.decided_at)
            connection.execute(insert(decisions), _rows(decision))
            if tell:
                tell(connection, decision.decided_at)
    return Decided(decision.decision_id, decision.kind, len(held), _counted(held), is_new=True)


def same_person(one: str | None, other: str | None) -> bool:
    """Return whether two user names are one person's, however they are written."""
    names = [unicodedata.normalize("NFKC", name or "").strip().casefold() for name in (one, other)]
    return names[0] == names[1]


# -- what a decision may be ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Terms:
    """What the rules, which only waivers and settlements ask, and the parameters of a day say of decisions."""

    rules: Mapping[str, Rule]
    parameters: Parameters

    @classmethod
    def load(cls, decision: Decision) -> _Terms:
        book = ParameterBook.load()
        rules = load_rules(book) if decision.kind in (Kind.WAIVED, Kind.SETTLED) else ()
        return cls({rule.id: rule for rule in rules}, book.on(decision.day))


def _of_form(decision: Decision, terms: _Terms) -> Iterator[str]:
    """Yield what is wrong whichever findings it is about."""
    if decision.kind not in KINDS:
        yield f"{decision.kind.value!r} cannot be decided; use one of {', '.join(k.value for k in KINDS)}"
    if not decision.decision_id:
        yield "it has no id"
    if not decision.requested_by:
        yield "nobody is named who asks for it; log in as yourself"
    if not decision.findings:
        yield "it names no finding"
    if patterns := [f for f in decision.findings if not _ID.fullmatch(f)]:
        yield f"findings are named by their ids of 32 characters, one by one, never by patterns: {', '.join(patterns)}"
    yield from _of_people(decision)
    if decision.kind is Kind.SETTLED:
        yield from problems_of_form(decision.result, decision.ground, decision.reason, decision.until)
        return
    if decision.result:
        yield "只有处理结案才填处理结果"
    yield from _of_grounds(decision)
    yield from _of_end(decision, terms)


def _of_people(decision: Decision) -> Iterator[str]:
    if decision.kind not in BY_TWO:
        return
    if not decision.approved_by:
        yield f"{decision.kind.value} needs the approval of a second person"
    elif same_person(decision.requested_by, decision.approved_by):
        yield f"{decision.requested_by!r} cannot approve what {decision.requested_by!r} asks for; a second person must"


def _of_grounds(decision: Decision) -> Iterator[str]:
    if decision.kind is Kind.WAIVED and not _CLAUSE.search(decision.ground or ""):
        yield "a waiver needs its ground: a clause (第二十条) or the number of a document (双政办发〔2024〕39号)"
    if decision.kind is Kind.ATTESTED and not decision.ground:
        yield "an attestation needs its ground: what was looked at, where and when"
    if decision.kind in (Kind.WAIVED, Kind.DISPUTED) and not decision.reason:
        yield f"{decision.kind.value} needs a reason"


def _of_end(decision: Decision, terms: _Terms) -> Iterator[str]:
    if decision.until is None:
        if decision.kind in _END_NEEDED:
            yield f"{decision.kind.value} needs an end: the last day on which it holds, or by which it is done"
        return
    if decision.kind is Kind.WITHDRAWN:
        yield "taking back a decision has no end"
    elif decision.until <= decision.day:
        yield f"it ends on {decision.until}; the earliest end is {decision.day + timedelta(days=1)}"
    lengths = {Kind.DISPUTED: "dispute_days", Kind.ATTESTED: "attestation_days"}
    if name := lengths.get(decision.kind):
        yield from _too_long(decision, terms.parameters[name], decision.kind.value)


def _of_findings(decision: Decision, held: Sequence[Held], terms: _Terms) -> Iterator[str]:
    """Yield what is wrong with the findings that it is about."""
    unknown = sorted({f for f in decision.findings if _ID.fullmatch(f)} - {one.finding_id for one in held})
    if unknown:
        yield f"there is no finding {', '.join(unknown)}"
    for one in held:
        assert one.standing is not None  # noqa: S101 - it is in the ledger
        for problem in _of_standing(decision, one.standing):
            yield f"finding {one.finding_id}: {problem}"
        if decision.kind is Kind.WAIVED:
            for problem in _of_waiver(decision, one.standing, terms.rules.get(one.subject[0]), terms.parameters):
                yield f"finding {one.finding_id}: {problem}"
        if decision.kind is Kind.SETTLED and one.standing.is_open:
            for problem in problems_of_finding(one.standing, terms.rules.get(one.subject[0])):
                yield f"finding {one.finding_id}: {problem}"


def _of_standing(decision: Decision, standing: Standing) -> Iterator[str]:
    if decision.kind is Kind.WITHDRAWN:
        if standing.handling == Handling.NEW:
            yield "no decision holds that could be taken back"
        return
    if not standing.is_open:
        yield "it is resolved; there is nothing to decide"
    if standing.handling in _FIRM and standing.handling != decision.kind.value:
        until = f" until {standing.handled_until}" if standing.handled_until else ""
        yield f"it is {standing.handling}{until}; withdraw that first"
    is_proven = standing.outcome == Outcome.FAIL.value and standing.unverified_since is None
    if decision.kind is Kind.ATTESTED and is_proven:
        yield "evidence shows a fail, which cannot be attested away; dispute it, or ask for a waiver"


def _of_waiver(decision: Decision, standing: Standing, rule: Rule | None, parameters: Parameters) -> Iterator[str]:
    """Yield what forbids a waiver: the card, the severity, or its length, which the severity limits."""
    if rule is None:
        yield "its rule is no longer in force"
        return
    severity = rule.severity.get(standing.outcome) or standing.severity
    if not rule.is_waivable:
        yield f"the rule {rule.id} cannot be waived"
    elif severity == "critical":
        yield "its severity is critical, which cannot be waived"
    else:
        days = parameters["waiver_days_high" if severity == "high" else "waiver_days_other"]
        yield from _too_long(decision, days, f"a waiver of severity {severity or 'other'}")


def _too_long(decision: Decision, days: int, what: str) -> Iterator[str]:
    last = decision.day + timedelta(days=days)
    if decision.until and decision.until > last:
        yield f"{what} holds for {days} days at most, until {last}; {decision.until} is later"


# -- what is written ----------------------------------------------------------------------------------------------------------


def _end_what_ended(one: Held, day: date) -> None:
    """End the decision that was over before this one, if no judging has said so yet."""
    if one.standing and (kind := lapsed(one.standing, day)):
        one.add(lapse(one.standing, kind, day))


def _event(decision: Decision, seen: Standing | None) -> Event:
    assert seen is not None  # noqa: S101 - only findings of the ledger are decided on
    return Event(
        0, decision.kind, decision.day, seen.outcome, seen.reason, decision.sentence(), severity=seen.severity,
        until=decision.until, by=decision.requested_by, decision_id=decision.decision_id,
    )  # fmt: skip


def _rows(decision: Decision) -> list[dict[str, Any]]:
    one = {f.name: getattr(decision, f.name) for f in fields(decision) if f.name != "findings"}
    one["kind"] = decision.kind.value
    return [{"finding_id": finding_id, **one} for finding_id in decision.findings]


def _kept(connection: Connection, decision_id: str) -> list[dict[str, Any]]:
    query = select(decisions).where(decisions.c.decision_id == decision_id).order_by(decisions.c.finding_id)
    return [dict(row) for row in connection.execute(query).mappings()]


def _same(decision: Decision, kept: list[dict[str, Any]], connection: Connection) -> Decided:
    """Return the decision that was recorded under the id; refuse another one under the same."""
    mine = [row | {"decided_at": None} for row in _rows(decision)]
    if mine != [row | {"decided_at": None} for row in kept]:
        raise DecisionRefused(f"the id {decision.decision_id!r} was used for another decision; start a new run")
    held = list(load(connection, finding.c.finding_id.in_(decision.findings)))
    return Decided(decision.decision_id, decision.kind, len(kept), _counted(held), is_new=False)


def _counted(held: Sequence[Held]) -> dict[str, int]:
    rules = sorted(one.subject[0] for one in held)
    return {rule: rules.count(rule) for rule in dict.fromkeys(rules)}
