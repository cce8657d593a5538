"""Chapter 5, 项目采购和实施管理: procurement (art. 24), terms of contracts (25), who answers (26), and signs of splitting (29(3)).

Amounts are held against the thresholds of the day on which the contract was signed, not of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from include.rules.parameters import Parameters
from include.rules.recorded import before_measures, happened, is_early, lacking, until_next
from include.rules.records import Contract, Dossier
from include.rules.rule import Facts, Judgement, law
from include.rules.shapes import earliest
from include.rules.verdict import Outcome

METHODS = {
    "open_tender": "公开招标", "invited_tender": "邀请招标", "negotiation": "竞争性谈判", "consultation": "竞争性磋商",
    "single_source": "单一来源", "inquiry": "询价", "framework": "框架协议", "other": "其他方式", None: "未填",
}  # fmt: skip
GOODS, WORKS = "procurement_limit_yuan", "procurement_limit_works_yuan"
LIMITS = {"goods": (GOODS,), "services": (GOODS,), "works": (WORKS,), None: (GOODS, WORKS)}
"""The limit from which a kind of procurement is government procurement; of a kind that is not stated it is one of both."""

OTHER_METHOD = "other_method"
"""The reason of what was awarded otherwise than by open tender: no filing changes that any more."""

TERMS = {
    "states_ip": "知识产权归属", "states_data_ownership": "数据归属", "states_breach_liability": "违反知识产权条款的责任",
    "states_warranty": "质保范围、责任和期限", "states_termination": "终止机制",
}  # fmt: skip


def money(amount: Decimal | int) -> str:
    """Write an amount for people."""
    return f"{amount:,.2f} 元"


def signing_day(contract: Contract, p: Parameters, on: date) -> date | Judgement:
    """Return the day on which a contract was signed; or what is to be said where it was not yet, or before the measures."""
    day = contract.signed_on
    if day is None:
        return lacking("合同签订日期")
    if day > on:
        step = f"合同登记的签订日期 {day} 未到"
        return Judgement(Outcome.NOT_APPLICABLE, "not_signed_yet", (step,), {}, until_next(on, day))
    return before_measures(f"合同 {day} 签订", p) if is_early(day, p) else day


@law("tender-result-filed")
def tender_result_filed(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 24: from the limit on the result is filed with the bureau, for which no term is set; open tender is the main method."""
    return result_filed(facts.contract, p, on)


def result_filed(contract: Contract, p: Parameters, on: date) -> Judgement:
    """Return whether the result of the procurement of one contract was filed, as it should."""
    day = signing_day(contract, p, on)
    if isinstance(day, Judgement):
        return day
    amount, kind = contract.amount_yuan, contract.procurement_kind
    limits = [limit for name in LIMITS[kind] if (limit := p.known_at(name, day)) is not None]
    filed = happened(contract.award_filed_on, on)
    result = f"中标(成交)日期:{contract.awarded_on or '未填'},结果备案:{filed or '未见'}"
    if len(limits) < len(LIMITS[kind]):
        steps: tuple[str, ...] = (f"合同金额 {money(amount)},{day} 签订;当日的政府采购限额标准未载入", result)
        if filed is None:
            return lacking("签订当日的政府采购限额标准", steps, until_next(on, contract.award_filed_on))
    else:
        steps = (f"合同金额 {money(amount)},{day} 签订;当日政府采购限额标准 {' 或 '.join(map(money, limits))}",)
        if amount < min(limits):
            return Judgement(Outcome.NOT_APPLICABLE, "below_limit", (*steps, "未达限额标准"))
        if amount < max(limits):
            return lacking("采购类别", steps)
        steps += (result,)
    if filed is None:
        return Judgement(Outcome.WARN, "not_filed", steps, {}, until_next(on, contract.award_filed_on))
    if contract.awarded_on and filed < contract.awarded_on:
        return Judgement(Outcome.UNKNOWN, "dates_disagree", (*steps, "备案早于中标(成交)"))
    return _method(contract, p.known_at("open_tender_yuan", day), steps)


def _method(contract: Contract, threshold: int | None, steps: tuple[str, ...]) -> Judgement:
    """Return whether a contract whose result is filed was awarded as it should; for works other thresholds hold, not known here."""
    kind, method = contract.procurement_kind, contract.procurement_method
    steps += (f"采购方式:{METHODS[method]};货物和服务的公开招标数额标准 {money(threshold) if threshold else '未载入'}",)
    if kind == "works" or method == "open_tender" or (threshold and contract.amount_yuan < threshold):
        return Judgement(Outcome.PASS, "filed", steps)
    if threshold is None:
        return lacking("签订当日的公开招标数额标准", steps)
    blank = "、".join(name for name, value in (("采购类别", kind), ("采购方式", method)) if value is None)
    if blank:
        return lacking(blank, steps)
    return Judgement(Outcome.WARN, OTHER_METHOD, steps, {"method": METHODS[method]})


@law("contract-carries-required-terms")
def contract_carries_required_terms(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 25: what a contract states; its warranty is 一般 not under two years. The bureau co-signs what it builds (para. 2)."""
    contract: Contract = facts.contract
    day = signing_day(contract, p, on)
    if isinstance(day, Judgement):
        return day
    terms = {title: getattr(contract, name) for name, title in TERMS.items()}
    if facts.track == "bureau":
        terms["市数据局会同签订"] = contract.is_bureau_cosigned
    absent = "、".join(title for title, is_there in terms.items() if is_there is False)
    blank = [title for title, is_there in terms.items() if is_there is None]
    months, least = contract.warranty_months, p.at("warranty_months", day)
    if months is None and contract.states_warranty is not False:
        blank.append("质保期月数")
    shown = "未填" if months is None else f"{months} 个月"
    steps = tuple(f"{title}:{_WRITTEN[is_there]}" for title, is_there in terms.items())
    steps += (f"质保期 {shown},一般不低于 {least} 个月",)
    if absent:
        return Judgement(Outcome.FAIL, "term_absent", steps, {"absent": absent})
    if months is None or blank:
        return lacking("、".join(blank), steps)
    if months < least:
        return Judgement(Outcome.WARN, "warranty_short", steps, {"months": months, "least": least})
    return Judgement(Outcome.PASS, "terms_stated", steps)


_WRITTEN = {True: "已明确", False: "未明确", None: "未填"}


@law("responsible-person-named")
def responsible_person_named(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 26: whoever builds has rules of management, a body that carries the project out and a person who answers for it."""
    dossier: Dossier = facts.dossier
    contracts: Sequence[Contract] | None = facts.contracts
    acts = (dossier.construction_started_on, dossier.trial_started_on, dossier.went_live_on)
    days = (*acts, *(c.signed_on for c in contracts or ()))
    begun, until = earliest(*(happened(day, on) for day in days)), until_next(on, *days)
    if begun is None:
        if contracts is None:
            return lacking("", until=until)
        return Judgement(Outcome.NOT_APPLICABLE, "not_begun", ("未见合同签订、开工、试运行或上线",), {}, until)
    if dossier.went_live_on and is_early(dossier.went_live_on, p):
        return before_measures(f"{dossier.went_live_on} 上线", p, until)
    named = {"项目管理制度": dossier.has_management_system, "项目负责人": dossier.has_responsible_person}
    step = f"最早 {begun} 进入实施;项目实施机构:{dossier.implementing_body or '未填'}"
    steps = (step, *(f"{title}:{_WRITTEN[is_there]}" for title, is_there in named.items()))
    absent = "、".join(title for title, is_there in named.items() if is_there is False)
    if absent:
        return Judgement(Outcome.FAIL, "not_named", steps, {"absent": absent}, until)
    if blank := [
        title for title, there in (*named.items(), ("项目实施机构", dossier.implementing_body)) if there is None
    ]:
        return lacking("、".join(blank), steps, until)
    return Judgement(Outcome.PASS, "named", steps, {}, until)


@law("contract-split-avoided")
def contract_split_avoided(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 29(3): contracts just below the limit, signed one soon after another, may be one; said once, of the largest of them."""
    contract: Contract = facts.contract
    day = signing_day(contract, p, on)
    if isinstance(day, Judgement):
        return day
    limit, days = p.at("third_party_test_yuan", day), p.at("split_window_days", day)
    steps: tuple[str, ...] = (f"合同金额 {money(contract.amount_yuan)},第三方验收测评限额 {money(limit)}",)
    if contract.amount_yuan >= limit:
        return Judgement(Outcome.NOT_APPLICABLE, "not_below", steps)
    all_of_project = {c.contract_no: c for c in (*facts.siblings, contract)}.values()
    small = sorted((c for c in all_of_project if c.amount_yuan < limit), key=lambda c: c.contract_no)
    signed = [(c.signed_on, c) for c in small if c.signed_on and c.signed_on <= on and not is_early(c.signed_on, p)]
    until = until_next(on, *(c.signed_on for c in small))
    group = next((g for g in _splits(signed, limit, days) if contract in g), None)
    if group:
        return _split(contract, group, steps, until, {"limit": money(limit), "days": days})
    undated = [c for c in small if c.signed_on is None]
    if undated and _sum(undated) + _sum(c for _, c in signed) >= limit:
        return lacking("同项目合同签订日期", steps, until)
    return Judgement(Outcome.PASS, "not_split", (*steps, f"与同项目 {days} 天内签订的合同合计未达限额"), {}, until)


def _sum(contracts: Iterable[Contract]) -> Decimal:
    return sum((c.amount_yuan for c in contracts), Decimal(0))


def _splits(signed: Iterable[tuple[date, Contract]], limit: int, days: int) -> list[list[Contract]]:
    """Return the contracts that lie within so many days and together reach the limit; groups that share one are one group."""
    ordered = sorted(signed, key=lambda pair: pair[0])
    found: list[tuple[int, int]] = []
    for first, (day, _) in enumerate(ordered):
        end = max(n for n, (other, _) in enumerate(ordered) if (other - day).days <= days) + 1
        if _sum(c for _, c in ordered[first:end]) < limit:
            continue
        if found and first < found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((first, end))
    return [[c for _, c in ordered[first:end]] for first, end in found]


def _split(
    contract: Contract, group: list[Contract], steps: tuple[str, ...], until: date | None, figures: dict[str, object]
) -> Judgement:
    largest = min(group, key=lambda c: (-c.amount_yuan, c.contract_no))
    steps += tuple(f"{c.signed_on} 签订 {c.contract_no} {c.name},{money(c.amount_yuan)}" for c in group)
    figures |= {"count": len(group), "total": money(_sum(group)), "largest": largest.contract_no}
    if contract != largest:
        return Judgement(Outcome.NOT_APPLICABLE, "said_of_largest", steps, figures, until)
    return Judgement(Outcome.WARN, "split_suspected", steps, figures, until)
