"""Chapter 6, 项目验收和绩效管理, what hangs on acceptance: a failed one, money (art. 30), evaluations (31), archives (32)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from include.rules.accepted import accepted, in_order
from include.rules.deadlines import Window, in_window
from include.rules.law.chapter_5 import money
from include.rules.parameters import Parameters
from include.rules.recorded import approval_day, before_measures, by_attestation, is_early, lacking, until_next
from include.rules.records import Acceptance, Dossier, Payment
from include.rules.rule import Facts, Judgement, law
from include.rules.shapes import earliest
from include.rules.verdict import Outcome
from include.rules.workdays import months_after

RESULTS = {"passed": "通过", "failed": "未通过"}
PAYMENTS = {"advance": "预付款", "progress": "进度款", "final": "尾款", "retention": "质保金"}
REMAINING = ("final", "retention")
"""The kinds of payments that are remaining money (art. 30) by their name; once an acceptance failed, all that is still paid is."""


@law("acceptance-held")
def acceptance_held(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Arts. 28, 30: who failed acceptance puts things right in the time set, and is accepted anew."""
    ordered = in_order(facts.acceptances)
    held = [a for a in ordered if a.held_on <= on]
    until = until_next(on, *(a.held_on for a in ordered))
    if not held:
        return Judgement(Outcome.NOT_APPLICABLE, "not_held_yet", ("尚未组织验收",), {}, until)
    if is_early(held[-1].held_on, p):
        return before_measures(f"最近一次验收在 {held[-1].held_on}", p, until)
    steps = _held(held)
    if all(a.result == "passed" for a in held):
        return Judgement(Outcome.PASS, "passed", steps, {}, until)
    failed = max(n for n, a in enumerate(held) if a.result == "failed")
    closes, again = held[failed].rectify_by, next((a.held_on for a in held[failed + 1 :]), None)
    if closes is None:
        outcome, reason = (Outcome.PASS, "passed") if again else (Outcome.WARN, "no_term_set")
        return Judgement(outcome, reason, (*steps, "未通过验收的,未记整改期限"), {}, until)
    if closes < held[failed].held_on:
        return Judgement(Outcome.UNKNOWN, "dates_disagree", (*steps, f"整改期限 {closes} 早于验收日期"), {}, until)
    found = in_window(Window("整改后重新验收", None, closes, again), p, on)
    return Judgement(
        found.outcome, found.reason, (*steps, *found.steps), found.figures, earliest(found.holds_until, until)
    )


def _held(acceptances: Sequence[Acceptance]) -> tuple[str, ...]:
    return tuple(f"{a.held_on} 验收{RESULTS[a.result]}" for a in acceptances)


@law("acceptance-supervised")
def acceptance_supervised(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 28: who builds organises the acceptance, and the bureau supervises it, or organises it with others; people attest that.

    Only what was attested since the last acceptance was held is about it.
    """
    ordered = in_order(facts.acceptances)
    held, until = [a for a in ordered if a.held_on <= on], until_next(on, *(a.held_on for a in ordered))
    if not held:
        return Judgement(Outcome.NOT_APPLICABLE, "not_held_yet", ("尚未组织验收",), {}, until)
    last = held[-1]
    if is_early(last.held_on, p):
        return before_measures(f"最近一次验收在 {last.held_on}", p, until)
    since = [a for a in facts.attestations if a.attested_on >= last.held_on]
    found = by_attestation(since, "acceptance_supervised", on, Outcome.WARN)
    steps = (f"{last.held_on} 验收{RESULTS[last.result]},组织单位:{last.organised_by or '未填'}", *found.steps)
    return Judgement(found.outcome, found.reason, steps, found.figures, earliest(found.holds_until, until))


@law("no-final-payment-before-acceptance")
def no_final_payment_before_acceptance(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 30: the remaining money is not paid to who did not pass acceptance; on the day of passing it may be.

    Between a failed acceptance and a passed one all that is paid is remaining money, whatever it is called; before any acceptance
    only what is called so. Of an instalment of the very day of the failure dates do not tell which of the two came first.
    """
    acceptances: tuple[Acceptance, ...] = facts.acceptances
    payments = [x for x in facts.payments if x.amount_yuan > 0 and not is_early(x.paid_on, p)]
    until = until_next(on, *(a.held_on for a in acceptances), *(x.paid_on for x in payments))
    held = [a for a in in_order(acceptances) if a.held_on <= on]
    paid = sorted((x for x in payments if x.paid_on <= on), key=lambda x: (x.paid_on, x.payment_no))
    found = [(x, said) for x in paid if (said := _stood(x, held)) in (FAILED, SAME_DAY) or x.kind in REMAINING]
    steps = (*(_held(held) or ("尚未组织验收",)), *(f"{_shown(x)},{said}" for x, said in found))
    for said, outcome, reason in BREACHES:
        if mine := [x for x, how in found if how == said]:
            figures = {"payments": ";".join(_shown(x) for x in mine)}
            return Judgement(outcome, reason, steps, figures, until)
    if found:
        return Judgement(Outcome.PASS, "paid_after_acceptance", steps, {}, until)
    return Judgement(Outcome.PASS, "not_paid", (*steps, "未见剩余款项支付"), {}, until)


FAILED, NEVER, BEFORE, AFTER = "支付时最近一次验收未通过", "尚无通过的验收", "支付早于通过验收", "支付时已通过验收"
SAME_DAY = "与未通过的验收同日,先后不明"
BREACHES = (
    (FAILED, Outcome.FAIL, "paid_after_failure"), (NEVER, Outcome.FAIL, "paid_without_acceptance"),
    (SAME_DAY, Outcome.UNKNOWN, "paid_on_day_of_failure"), (BEFORE, Outcome.WARN, "paid_early"),
)  # fmt: skip
"""What may be said of a payment, the gravest first."""


def _stood(payment: Payment, held: Sequence[Acceptance]) -> str:
    """Return how acceptance stood when a payment was made."""
    before = [a for a in held if a.held_on <= payment.paid_on]
    if before and before[-1].result == "passed":
        return AFTER
    if before:
        is_first = len(before) == 1 or before[-2].result == "passed"
        is_open = is_first and before[-1].held_on == payment.paid_on and payment.kind not in REMAINING
        return SAME_DAY if is_open else FAILED
    return BEFORE if any(a.result == "passed" for a in held) else NEVER


def _shown(payment: Payment) -> str:
    return f"{payment.paid_on} 支付{PAYMENTS[payment.kind]} {money(payment.amount_yuan)}({payment.payment_no})"


@law("ex-ante-evaluation-made")
def ex_ante_evaluation_made(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 31: 事前绩效评估报告, made beforehand. No day is set, so that it is read as: by the feasibility approval."""
    approved = approval_day(facts.approvals, p, on)
    if isinstance(approved, Judgement):
        return approved
    days = sorted(r.done_on for r in facts.reviews if r.kind == "ex_ante")
    made, until = next((day for day in days if day <= on), None), until_next(on, *days)
    steps = (f"可研 {approved} 批复;事前绩效评估报告:{made or '未见'}",)
    figures = {"approved": approved, "made": made}
    if made is None:
        return Judgement(Outcome.WARN, "not_made", steps, figures, until)
    if made > approved:
        return Judgement(Outcome.WARN, "made_after_approval", steps, figures)
    return Judgement(Outcome.PASS, "made_before", steps, figures)


@law("self-evaluated-in-6-to-12-months")
def self_evaluated_in_6_to_12_months(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 31: self-evaluation between 6 and 12 months after the project was accepted **and** went live; the later day counts.

    Where the last day is off the window ends on the next working day; its first day stays.
    """
    gate = accepted(facts.acceptances, p, on)
    if isinstance(gate, Judgement):
        return gate
    dossier: Dossier = facts.dossier
    live = dossier.went_live_on
    if live is None:
        return lacking("上线日期", (f"{gate.day} 通过验收",), gate.until)
    if live > on:
        until = earliest(gate.until, until_next(on, live))
        return Judgement(Outcome.NOT_APPLICABLE, "not_live_yet", (f"{gate.day} 通过验收,尚未投入运行",), {}, until)
    begins = max(gate.day, live)
    opens, ends = (
        months_after(begins, p.at(name, begins)) for name in ("self_review_opens_months", "self_review_closes_months")
    )
    closes = p.workdays.on_or_after(ends)
    reviews = sorted(r.done_on for r in facts.reviews if r.kind == "self" and r.done_on >= begins)
    counts = _counting(reviews, opens, closes.earliest, on)
    found = in_window(Window("开展自评价", opens, closes.earliest, counts, closes.latest), p, on)
    step = f"{gate.day} 通过验收,{live} 投入运行,自 {begins} 起算"
    if closes.earliest != ends:
        step += f";{ends} 不是工作日,顺延至 {closes.earliest}"
    until = earliest(found.holds_until, gate.until, until_next(on, *reviews))
    return Judgement(found.outcome, found.reason, (step, *found.steps), found.figures, until)


def _counting(days: Sequence[date], opens: date, closes: date, on: date) -> date | None:
    """Return the self-evaluation that counts: one in time before one that was late, and that before one too early."""
    done = [day for day in days if day <= on]
    inside = [day for day in done if opens <= day <= closes]
    late = [day for day in done if day > closes]
    return next(iter((*inside, *late, *done)), None)


@law("post-evaluation-commissioned")
def post_evaluation_commissioned(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 31 sentence 3: after the self-evaluation the bureau has a third party evaluate; a record shows it, or people attest it.

    No term is set, so that nothing is late.
    """
    days = sorted(r.done_on for r in facts.reviews if r.kind == "self")
    posts = sorted(r.done_on for r in facts.reviews if r.kind == "post")
    own, until = next((day for day in days if day <= on), None), until_next(on, *days, *posts)
    if own is None:
        return Judgement(Outcome.NOT_APPLICABLE, "not_self_evaluated_yet", ("尚未开展自评价",), {}, until)
    if is_early(own, p):
        return before_measures(f"{own} 开展自评价", p, until)
    step = f"{own} 开展自评价"
    if post := next((day for day in posts if own <= day <= on), None):
        return Judgement(Outcome.PASS, "evaluated", (f"{step},{post} 开展后评价",), {"done": post}, until)
    found = by_attestation(facts.attestations, "post_evaluated", on, Outcome.WARN)
    steps = (f"{step},未见后评价记录", *found.steps)
    return Judgement(found.outcome, found.reason, steps, found.figures, earliest(found.holds_until, until))


@law("archive-kept")
def archive_kept(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 32: whether archives are kept, safe and with a backup, a person attests for a time."""
    return by_attestation(facts.attestations, "archive_kept", on, Outcome.WARN)
