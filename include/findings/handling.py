"""What the passing of days and new evidence do to what people decided. Pure.

A decision holds to the end of its last day, midnight in Asia/Shanghai. Holidays move nothing: the first judging after it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from include.findings.cause import Cause
from include.findings.story import WEIGHT, Event, Handling, Kind, Standing
from include.rules.rule_book import SEVERITIES
from include.rules.verdict import Outcome, Verdict

_ENDS = {
    Handling.WAIVED: Kind.WAIVER_ENDED, Handling.DISPUTED: Kind.DISPUTE_ENDED, Handling.ATTESTED: Kind.ATTESTATION_ENDED,
}  # fmt: skip

HANDLINGS = {
    Handling.NEW: "未处置", Handling.ACKNOWLEDGED: "已签收", Handling.RECTIFYING: "整改中", Handling.WAIVED: "已豁免",
    Handling.DISPUTED: "有异议", Handling.ATTESTED: "已认定", Handling.SETTLED: "已处理结案",
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
    return _is_severer(waived.severity, verdict)


def _is_severer(before: str | None, verdict: Verdict) -> bool:
    known = before in SEVERITIES and verdict.severity in SEVERITIES
    return known and SEVERITIES.index(str(verdict.severity)) < SEVERITIES.index(str(before))


def outgrown_message(verdict: Verdict) -> str:
    """Return the sentence for a waiver of something lighter."""
    return f"情况比豁免时更重,豁免提前终止,线索恢复为未处置:{verdict.message}"


def told_kinds(before: Standing, verdict: Verdict, kinds: Sequence[Kind], cause: Cause) -> list[Kind]:
    """Return what is told of a finding once it is known why its verdict changed.

    A new wording of the rule over the same facts is the rule's doing. A settled finding wakes where it is no longer what was
    settled and stays open: by another outcome, reason or sentence of the world's, or a greater severity, whoever made it.
    """
    if Kind.REASON_CHANGED in kinds and verdict.reason == before.reason and cause is Cause.RULE:
        kinds = [Kind.RULE_CHANGED if kind is Kind.REASON_CHANGED else kind for kind in kinds]
    is_other = bool({Kind.WORSENED, Kind.EASED, Kind.REASON_CHANGED} & set(kinds))
    is_heavier = Kind.RULE_CHANGED in kinds and _is_severer(before.severity, verdict)
    wakes = before.is_settled and (is_other or is_heavier)
    return [*kinds, Kind.SETTLEMENT_ENDED] if wakes else list(kinds)


def woken_message(verdict: Verdict) -> str:
    """Return the sentence for a settled finding that is no longer what was settled."""
    return f"情况与处理结案时不同,结案终止,线索恢复为未处置:{verdict.message}"
