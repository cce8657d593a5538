"""Days that are recorded of a project, seen from the day judged: one that lies ahead has not happened yet.

So a record dated in the future changes nothing before its day, and a verdict holds until the day before the next of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from include.rules.parameters import Parameters
from include.rules.records import Approval, Attestation, Dossier
from include.rules.rule import Facts, Judgement
from include.rules.shapes import earliest
from include.rules.verdict import Outcome

DEAD = ("draft", "withdrawn", "rejected", "revoked")
"""States of an approval item that asks for nothing, or no longer."""

KINDS = {"feasibility": "可研", "design": "初步设计"}


def happened(day: date | None, on: date) -> date | None:
    """Return a day that has come."""
    return day if day and day <= on else None


def until_next(on: date, *days: date | None) -> date | None:
    """Return the last day before the next of some days that is still to come; None where none is."""
    coming = [day for day in days if day and day > on]
    return min(coming) - timedelta(days=1) if coming else None


def lacking(what: str, steps: Iterable[str] = (), until: date | None = None) -> Judgement:
    """Return that a record leaves something blank, in Chinese, without which nothing can be decided.

    Where a fact is not known at all `what` is empty: the engine names it.
    """
    return Judgement(Outcome.UNKNOWN, "evidence_missing", tuple(steps), {"missing": what}, until)


# -- approvals ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Approved:
    """The day on which a thing was first approved; `lacks` what is blank, in Chinese, where that is not known.

    `until` is the last day on which all of this is so if nothing changes.
    """

    day: date | None
    lacks: str | None = None
    until: date | None = None


def alive(approvals: Iterable[Approval], kind: str) -> list[Approval]:
    """Return the items of a kind that were handed in and neither refused nor taken back, in the order of their ids."""
    return sorted((a for a in approvals if a.kind == kind and a.state not in DEAD), key=lambda a: a.item_id)


def approved(approvals: Iterable[Approval], kind: str, on: date) -> Approved:
    """Return when the platform first approved the feasibility report or the design of a project."""
    mine = alive(approvals, kind)
    days = [a.decided_on for a in mine if a.state == "approved"]
    until = until_next(on, *(a.decided_on for a in mine))
    known = [d for d in days if d and d <= on]
    if known:
        return Approved(min(known))
    if None in days:
        return Approved(None, f"{KINDS[kind]}批复日期", until)
    if any(happened(a.decided_on, on) for a in mine):  # decided, and the state does not say how
        return Approved(None, f"{KINDS[kind]}办理状态", until)
    return Approved(None, None, until)


def design_replied(dossier: Dossier, approvals: Iterable[Approval], on: date) -> Approved:
    """Return when the preliminary design was replied to: as its dossier says, else as the platform does."""
    day = dossier.design_reply_on
    if day and day <= on:
        return Approved(day)
    found = approved(approvals, "design", on)
    return Approved(found.day, found.lacks, None if found.day else earliest(found.until, until_next(on, day)))


def design_handed_in(dossier: Dossier, approvals: Iterable[Approval], on: date) -> bool:
    """Return whether a preliminary design was handed in or replied to; an item that is of both kinds is a merged approval."""
    items = list(approvals)
    merged = {a.item_id for a in items if a.kind == "feasibility"}
    acts = (dossier.design_submitted_on, dossier.design_reply_on)
    apart = any(a.item_id not in merged for a in alive(items, "design"))
    return apart or bool(dossier.design_reply_no) or any(happened(act, on) for act in acts)


def approval_day(approvals: Iterable[Approval], p: Parameters, on: date) -> date | Judgement:
    """Return the day of the feasibility approval; or what is to be said where there is none, or one of before the measures."""
    found = approved(approvals, "feasibility", on)
    if found.lacks:
        return lacking(found.lacks, until=found.until)
    if found.day is None:
        return Judgement(Outcome.NOT_APPLICABLE, "not_approved_yet", ("可研尚未批复",), {}, found.until)
    return before_measures(f"可研 {found.day} 批复", p) if is_early(found.day, p) else found.day


def is_early(day: date, p: Parameters) -> bool:
    """Return whether a day lies before the measures were in force; their first day does not."""
    return day < p.day("regulation_effective_on")


def before_measures(step: str, p: Parameters, until: date | None = None) -> Judgement:
    """Return that something was done before the measures were in force, so that they do not ask for it."""
    words = (step, f"办法自 {p.day('regulation_effective_on')} 起施行,此前的不评判")
    return Judgement(Outcome.NOT_APPLICABLE, "before_measures", words, {}, until)


def began_before(facts: Facts, p: Parameters, on: date, *, by_application: bool = False) -> Judgement | None:
    """Return that a project was approved, or built, before the measures, which ask nothing of it then (art. 41); else None.

    `by_application`: where what is asked is not to apply for it, having applied before them is enough.
    """
    dossier: Dossier | None = facts.dossier
    mine = alive(facts.approvals, "feasibility")
    acts = {"可研批复": [approved(mine, "feasibility", on).day]}
    if by_application:
        acts["可研申报"] = [happened(day, on) for a in mine for day in (a.submitted_on, a.accepted_on)]
    if dossier:
        built = (dossier.construction_started_on, dossier.trial_started_on, dossier.went_live_on)
        acts["开工、试运行或上线"] = [happened(day, on) for day in built]
    early = [(day, act) for act, days in acts.items() for day in days if day and is_early(day, p)]
    return before_measures("{1} {0}".format(*min(early)), p) if early else None


def approved_by_city(
    number: str | None, day: date | None, on: date, steps: tuple[str, ...], reasons: tuple[str, str]
) -> Judgement:
    """Judge an approval of the city government: number and day are there, one of them is, or neither is.

    `reasons` are those of the first and of the last.
    """
    if number and happened(day, on):
        return Judgement(Outcome.PASS, reasons[0], steps, {"number": number})
    if number or day:
        return Judgement(Outcome.WARN, "approval_incomplete", steps, {}, until_next(on, day) if number else None)
    return Judgement(Outcome.FAIL, reasons[1], steps)


# -- attestations -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Attested:
    """What people attested of a matter, as it counts on a day: met, not met, or None where nothing valid says so."""

    is_met: bool | None
    steps: tuple[str, ...]
    until: date | None


def attested(records: Iterable[Attestation], matter: str, on: date) -> Attested:
    """Return what the newest valid attestation of a matter says; two of one day that disagree say nothing."""
    mine = sorted((a for a in records if a.matter == matter), key=lambda a: (a.attested_on, a.attestation_no))
    ahead = until_next(on, *(a.attested_on for a in mine))
    valid = [a for a in mine if a.is_valid(on)]
    if not valid:
        ended = [a for a in mine if a.expires_on < on]
        steps = (f"人工认定已到期:{_named(ended[-1])}",) if ended else ("没有人工认定",)
        return Attested(None, steps, ahead)
    newest = [a for a in valid if a.attested_on == valid[-1].attested_on]
    until = earliest(ahead, *(a.expires_on for a in newest))
    if len({a.conclusion for a in newest}) > 1:
        words = "、".join(_named(a) for a in newest)
        return Attested(None, (f"同日的人工认定相互矛盾:{words}",), until)
    last = max(newest, key=lambda a: (a.expires_on, a.attestation_no))
    words = f"人工认定:{_named(last)},{last.attested_by} {last.attested_on} 认定“{_MET[last.conclusion]}”,{last.ground}"
    return Attested(last.conclusion == "met", (words,), earliest(ahead, last.expires_on))


def by_attestation(records: Iterable[Attestation], matter: str, on: date, otherwise: Outcome) -> Judgement:
    """Judge a matter that only people can tell: met is a pass, not met what the rule says `otherwise`, nothing valid unknown."""
    said = attested(records, matter, on)
    if said.is_met is None:
        return Judgement(Outcome.UNKNOWN, "not_attested", said.steps, {}, said.until)
    outcome, reason = (Outcome.PASS, "attested_met") if said.is_met else (otherwise, "attested_not_met")
    return Judgement(outcome, reason, said.steps, {}, said.until)


_MET = {"met": "符合", "not_met": "不符合"}


def _named(a: Attestation) -> str:
    return f"{a.attestation_no}(至 {a.expires_on})"
