"""Chapter 2, 统筹规划和集约管理: the register (art. 7), who builds, interconnection (art. 8), one build for all levels (art. 9)."""

from __future__ import annotations

from datetime import date

from include.rules.exceptions import unsigned_step
from include.rules.facts import Calls
from include.rules.interconnection import Evidence, State, interconnection
from include.rules.parameters import Parameters
from include.rules.recorded import approved_by_city, began_before, by_attestation
from include.rules.records import Dossier
from include.rules.rule import Facts, Judgement, law
from include.rules.shapes import is_covered, window
from include.rules.verdict import Outcome

STATES = {
    State.CONNECTED: "已联通", State.REGISTERED: "已注册未联通", State.CLAIMED: "仅申报", State.NONE: "未联通",
    State.UNKNOWN: "未知", State.EXEMPT: "豁免",
}  # fmt: skip


@law("interconnected-with-exchange")
def interconnected_with_exchange(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 8 para. 3: new systems interconnect, those in use do so step by step."""
    days = p["connected_window_days"]
    exemptions = facts.exemptions
    valid = [e for e in exemptions or () if e.kind == "interconnection" and e.is_valid(on)]
    exempt, unsigned = ([e for e in valid if e.is_signed is signed] for signed in (True, False))
    evidence = Evidence(
        facts.declared_connection, facts.listing, facts.connection_calls, facts.connection_probes,
        None if exemptions is None or (unsigned and not exempt) else bool(exempt),
    )  # fmt: skip
    found = interconnection(evidence, days, p["window_coverage_percent"])
    steps = [*_three_facts(evidence, days, on), f"联通状态:{STATES[found.state]}"]
    figures = {"state": STATES[found.state], "age": found.days_since_success, "days": days}
    if not exempt:
        steps += map(unsigned_step, unsigned)
    if exempt:
        last = max(exempt, key=lambda e: (e.expires_on, e.exemption_id))
        steps.append(f"有效豁免:{last.exemption_id}({last.ground},至 {last.expires_on})")
        return Judgement(Outcome.NOT_APPLICABLE, "exempt", tuple(steps), figures, on)
    if found.state in (State.CONNECTED, State.UNKNOWN):
        outcome = Outcome.PASS if found.state is State.CONNECTED else Outcome.UNKNOWN
        return Judgement(outcome, found.reason, tuple(steps), figures, on)
    is_new = _is_new(facts.went_live_on, p)
    steps.append("办法施行后上线,验收前应联通" if is_new else "办法施行前已建成在用或上线日期不详,要求逐步联通")
    return Judgement(Outcome.FAIL if is_new else Outcome.WARN, found.reason, tuple(steps), figures, on)


def _is_new(live: date | None, p: Parameters) -> bool:
    return live is not None and live >= p.day("regulation_effective_on")


def _three_facts(e: Evidence, days: int, on: date) -> list[str]:
    declared = {"connected": "已联通", "not_connected": "未联通", None: "未申报或未读到"}[e.declared]
    if e.listing is None:
        listed = "交换平台登记未读到"
    elif e.listing.services:
        listed = f"已列出 {len(e.listing.services)} 项服务"
    else:
        listed = "仅登记应用,无服务" if e.listing.is_application else "未列出"
    steps = [f"单位申报:{declared}", f"交换平台登记:{listed}"]
    calls, probes = e.calls, e.probes
    if calls is None:
        steps.append(f"实际调用:{window(on, days)}调用日志未读到")
    else:
        steps.append(
            f"实际调用:{window(on, days)},可观测 {calls.observed} 天,被调用 {calls.calls} 次、主动调用 {calls.own_calls} 次,"
            f"最近成功 {calls.last_success_on or '无'}(探测调用 {calls.probe_calls} 次另计)"
        )
    if probes is not None:
        steps.append(
            f"主动探测:{probes.probes} 次,成功 {probes.successes} 次,最近成功 {probes.last_success_on or '无'}"
        )
    return steps


@law("traffic-not-machine-made")
def traffic_not_machine_made(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 8 para. 3: calls that a script makes to look connected are not interconnection (facts §9.3)."""
    calls: Calls = facts.connection_calls
    figures = {"calls": calls.calls, "days": p["connected_window_days"]}
    if not calls.is_flat and not is_covered(calls.observed, calls.days, p["window_coverage_percent"]):
        seen = f"调用日志({calls.days} 天中只观测到 {calls.observed} 天)"
        return Judgement(Outcome.UNKNOWN, "evidence_missing", (), figures | {"missing": seen}, on)
    if not calls.calls:
        return Judgement(Outcome.PASS, "no_traffic", ("窗口内没有业务调用",), figures, on)
    if calls.is_flat:
        return Judgement(
            Outcome.WARN, "flat", ("每日调用量几乎相同,周末与工作日无差别,疑似程序刷量,请核实",), figures, on
        )
    return Judgement(Outcome.PASS, "natural", ("每日调用量有正常起伏",), figures, on)


@law("system-has-project")
def system_has_project(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 7: every system belongs to a project; joined by code, never by name."""
    codes, projects = facts.project_codes, facts.projects
    if not codes:
        return Judgement(Outcome.WARN, "no_code", ("系统台账未填关联项目代码",))
    if projects is None:
        return Judgement(Outcome.UNKNOWN, "evidence_missing")
    if projects:
        return Judgement(Outcome.PASS, "joined", tuple(f"项目 {x.code} {x.name}" for x in projects))
    return Judgement(
        Outcome.WARN,
        "code_unknown",
        (f"台账所填代码 {'、'.join(codes)} 在审批平台均未查到",),
        {"codes": "、".join(codes)},
    )


@law("project-has-system")
def project_has_system(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 7: a digital project that should be built has its system in the register."""
    end, systems = facts.end_year, facts.systems
    if systems:
        return Judgement(Outcome.PASS, "joined", (f"系统:{'、'.join(systems[:5])}",))
    if end is None:
        return Judgement(Outcome.UNKNOWN, "evidence_missing", ("系统台账中没有系统关联本项目代码,拟建成年未填",))
    if end >= on.year:
        last = date(end, 12, 31)
        return Judgement(Outcome.NOT_APPLICABLE, "not_built_yet", (f"拟建成年 {end},尚未到期",), {}, last)
    return Judgement(
        Outcome.WARN, "no_system", (f"拟建成年 {end} 已过,系统台账中没有系统关联本项目代码",), {"end": end}
    )


@law("built-by-bureau-or-approved")
def built_by_bureau_or_approved(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 8 para. 2: the bureau builds; a unit builds itself only with the approval of the city government."""
    if facts.track == "bureau":
        return Judgement(Outcome.PASS, "built_by_bureau", ("由市数据局统一建设",))
    if early := began_before(facts, p, on):
        return early
    dossier: Dossier = facts.dossier
    number, day = dossier.self_build_approval_no, dossier.self_build_approved_on
    steps = (f"单位自行建设,市政府批准文号:{number or '未填'},批准日期:{day or '未填'}",)
    return approved_by_city(number, day, on, steps, ("self_build_approved", "self_build_unapproved"))


@law("shared-across-levels-considered")
def shared_across_levels_considered(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 9 para. 1: 一级建设、多级共用 where it can be; whether it can, people say."""
    if early := began_before(facts, p, on):
        return early
    return by_attestation(facts.attestations, "shared_across_levels", on, Outcome.WARN)
