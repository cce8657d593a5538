"""What the passing of days and new evidence do to what people decided. Pure.

A decision holds to the end of its last day, midnight in Asia/Shanghai. Holidays move nothing: the first judging after it says so.
"""

from __future__ import annotations

from datetime import date

from include.findings.story import WEIGHT, Event, Handling, Kind, Standing
from include.rules.rule_book import SEVERITIES
from include.rules.verdict import Outcome, Verdict

_ENDS = {
    Handling.WAIVED: Kind.WAIVER_ENDED, Handling.DISPUTED: Kind.DISPUTE_ENDED, Handling.ATTESTED: Kind.ATTESTATION_ENDED,
}  # fmt: skip

HANDLINGS = {
    Handling.NEW: "未处置", Handling.ACKNOWLEDGED: "已签收", Handling.RECTIFYING: "整改中", Handling.WAIVED: "已豁免",
    Handling.DISPUTED: "有异议", Handling.ATTESTED: "已认定",
}  # fmt: skip
"""What people read."""

_SENTENCES = {
    Kind.WAIVER_ENDED: "豁免已于 {until} 到期,线索恢复为未处置", Kind.DISPUTE_ENDED: "异议已于 {until} 到期,线索恢复为未处置",
    Kind.ATTESTATION_ENDED: "人工认定已于 {until} 到期,线索恢复为未处置",
    Kind.RECTIFICATION_OVERDUE: "整改期限 {until} 已过,尚未见整改结果",
}  # fmt: skip


def lapsed(standing: Standing, day: date) -> Kind | None:
    """Return what a day brings to a finding by being past the end of its decision; None where there is nothing to say."""
    until = standing.handled_until
    if until is None or day <= until:
        return None
    if standing.handling == Handling.RECTIFYING:
        is_news = standing.is_open and standing.overdue_since is None
        return Kind.RECTIFICATION_OVERDUE if is_news else None
    return _ENDS.get(Handling(standing.handling))


def lapse_message(kind: Kind, standing: Standing) -> str:
    """Return the sentence for what a day brought."""
    return f"{_SENTENCES[kind].format(until=standing.handled_until)}:{standing.message}"


def is_refuted(standing: Standing | None, verdict: Verdict) -> bool:
    """Return whether a verdict ends what a person attested: whoever attests vouches for what cannot be seen, and now it is seen."""
    return standing is not None and standing.handling == Handling.ATTESTED and verdict.outcome is Outcome.FAIL


def refuted_message(verdict: Verdict) -> str:
    """Return the sentence for an attestation that evidence contradicts."""
    return f"新的证据与人工认定不一致,认定提前终止:{verdict.message}"


def gone_message(standing: Standing) -> str:
    """Return the sentence for a decision about a subject that is there no more."""
    return f"对象已不再评判,“{HANDLINGS[Handling(standing.handling)]}”随之终止"


def is_outgrown(waived: Event, verdict: Verdict) -> bool:
    """Return whether a verdict is graver than what was waived, by outcome or severity: that, nobody agreed to bear."""
    if WEIGHT.get(verdict.outcome, 0) > WEIGHT.get(Outcome(waived.outcome), 0):
        return True
    known = waived.severity in SEVERITIES and verdict.severity in SEVERITIES
    return known and SEVERITIES.index(str(verdict.severity)) < SEVERITIES.index(str(waived.severity))


def outgrown_message(verdict: Verdict) -> str:
    """Return the sentence for a waiver of something lighter."""
    return f"情况比豁免时更重,豁免提前终止,线索恢复为未处置:{verdict.message}"
