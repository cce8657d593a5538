"""Chapter 3, 项目申报和计划管理: what may in principle not be applied for (art. 13), and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from include.rules.catalogued import without_entries
from include.rules.facts import Calls, Catalogued, Load, Use
from include.rules.parameters import Parameters
from include.rules.recorded import attested
from include.rules.rule import Facts, Judgement, law
from include.rules.shapes import Tri, all_of, any_of, below, is_covered, percent, said, window
from include.rules.verdict import Outcome

DEPLOYMENTS = {"city_cloud": "全市云平台", "other_cloud": "其他云", "own_room": "自建机房", "mixed": "混合部署"}


@law("deployed-on-city-cloud")
def deployed_on_city_cloud(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 13(2): what the unit declares and what the city cloud's inventory shows are two facts."""
    declared, running = facts.deployment, facts.cloud_resources
    shown = "未读到" if running is None else f"{len(running)} 个在用资源"
    steps: tuple[str, ...] = (
        f"单位申报部署方式:{DEPLOYMENTS.get(declared, '未填或未读到')}",
        f"全市云平台资源清单:{shown}",
    )
    figures = {"deployment": DEPLOYMENTS.get(declared, "未填"), "resources": len(running or ())}
    if declared is None and running is None:
        return Judgement(Outcome.UNKNOWN, "evidence_missing", steps)
    if running:
        is_whole = declared in ("city_cloud", None)
        outcome, reason = (Outcome.PASS, "on_city_cloud") if is_whole else (Outcome.WARN, "partly_elsewhere")
        return Judgement(outcome, reason, steps, figures)
    if declared == "city_cloud":
        reason = "evidence_missing" if running is None else "declared_not_found"
        return Judgement(Outcome.UNKNOWN, reason, steps, figures)
    if declared is None:
        return Judgement(Outcome.UNKNOWN, "deployment_undeclared", steps, figures)
    if running is None and declared == "mixed":
        return Judgement(Outcome.UNKNOWN, "evidence_missing", steps, figures)
    live = facts.went_live_on
    is_new = live is not None and live >= p.day("regulation_effective_on")
    steps += ("办法施行后上线" if is_new else "办法施行前上线或上线日期不详:目前仅限制其新建、升级改造申报",)
    return Judgement(Outcome.FAIL if is_new else Outcome.WARN, "not_on_city_cloud", steps, figures)


@dataclass(frozen=True, slots=True)
class Idleness:
    """Whether a system stood idle over a window; `is_suspect` where only machine-made calls speak against it.

    Such calls prove neither life nor its absence, so that whoever makes them up gains nothing by it.
    """

    is_idle: Tri
    is_suspect: bool
    decisive: str
    steps: tuple[str, ...]


def idleness(load: Load | None, use: Use | None, calls: Calls | None, days: int, p: Parameters, on: date) -> Idleness:
    """Return whether resources and business both lay still; one sign of life decides, whatever else is unknown (facts §9.2)."""
    share = p["window_coverage_percent"]
    seen = load if load and is_covered(load.observed, days, share) else None
    mean = below(seen.cpu_mean_bp if seen else None, p["idle_cpu_mean_bp"])
    peak = below(seen.cpu_max_mean_bp if seen else None, p["idle_cpu_max_bp"])
    no_login = _nothing(use.logins if use else None, bool(use and is_covered(use.observed, days, share)))
    made = calls.calls + calls.own_calls if calls else None
    is_machine = bool(calls and calls.is_flat and calls.calls and not calls.own_calls)
    no_call = None if is_machine else _nothing(made, bool(calls and is_covered(calls.observed, days, share)))
    is_suspect = is_machine and all_of((mean, peak, no_login)) is True
    steps = (
        f"窗口:{window(on, days)},覆盖率要求 {share}%",
        f"CPU:观测 {load.observed if load else 0} 天,均值 {percent(load.cpu_mean_bp if load else None)}"
        f"(低于 {percent(p['idle_cpu_mean_bp'])}:{said(mean)}),"
        f"日峰值均值 {percent(load.cpu_max_mean_bp if load else None)}(低于 {percent(p['idle_cpu_max_bp'])}:{said(peak)})",
        f"登录:观测 {use.observed if use else 0} 天,{use.logins if use else '无数据'} 次(无登录:{said(no_login)})",
        f"交换平台业务调用:观测 {calls.observed if calls else 0} 天,"
        f"{'无数据' if made is None else made} 次{',疑似程序刷量,不作数' if is_machine else ''},探测另计(无调用:{said(no_call)})",
    )
    alive = (("cpu_busy", mean), ("cpu_peaks", peak), ("has_logins", no_login), ("has_calls", no_call))
    decisive = next((name for name, condition in alive if condition is False), "")
    return Idleness(all_of((mean, peak, no_login, no_call)), is_suspect, decisive, steps)


def _nothing(count: int | None, is_whole: bool) -> Tri:
    """Return whether nothing happened: something seen decides, nothing seen counts only where enough days were observed."""
    return None if count is None else False if count else True if is_whole else None


@law("resources-not-idle")
def resources_not_idle(facts: Facts, p: Parameters, on: date) -> Judgement:
    """IDLE, the first half of art. 13(5): 长期处于空闲状态."""
    days = p["idle_window_days"]
    found = idleness(facts.idle_load, facts.idle_use, facts.idle_calls, days, p, on)
    figures = {"days": days, "cpu": percent(facts.idle_load.cpu_mean_bp if facts.idle_load else None)}
    if found.is_suspect:
        return Judgement(Outcome.WARN, "suspect_traffic", found.steps, figures, on)
    if found.is_idle is None:
        return Judgement(Outcome.UNKNOWN, "evidence_missing", found.steps, figures, on)
    if found.is_idle:
        return Judgement(Outcome.FAIL, "idle", found.steps, figures, on)
    return Judgement(Outcome.PASS, found.decisive, found.steps, figures, on)


def rare_use(facts: Facts, p: Parameters, on: date) -> tuple[Tri, tuple[str, ...]]:
    """Return whether a system was rarely used: few days with a login, or few active users, in number and in share (facts §9.2).

    Registered users are those of the statistics, or where these have none, those of the register.
    """
    days, use = p["low_use_window_days"], facts.low_use
    if use is None:
        return None, (f"窗口:{window(on, days)},无使用统计",)
    is_whole = is_covered(use.observed, days, p["window_coverage_percent"])
    seldom: Tri = use.login_days < p["low_use_login_days"]
    few: Tri = use.active_users < p["low_use_active_users"]
    registered = facts.registered_users if use.registered_users is None else use.registered_users
    small: Tri = None if registered is None else use.active_users * 100 < registered * p["low_use_active_percent"]
    if not is_whole:  # days that were not seen may hold more use, never less
        seldom, few, small = (None if c else c for c in (seldom, few, small))
    steps = (
        f"窗口:{window(on, days)},观测 {use.observed} 天",
        f"有登录的天数 {use.login_days}(少于 {p['low_use_login_days']}:{said(seldom)})",
        f"活跃用户 {use.active_users}(少于 {p['low_use_active_users']}:{said(few)}),注册用户 "
        f"{'未知' if registered is None else registered}"
        f"(占比低于 {p['low_use_active_percent']}%:{said(small)})",
    )
    return any_of((seldom, all_of((few, small)))), steps


@law("system-in-regular-use")
def system_in_regular_use(facts: Facts, p: Parameters, on: date) -> Judgement:
    """LOW_USE, the second half of art. 13(5): 使用频率低."""
    is_rare, steps = rare_use(facts, p, on)
    use = facts.low_use
    figures = {
        "days": p["low_use_window_days"],
        "login_days": use.login_days if use else None,
        "active": use.active_users if use else None,
    }
    if is_rare is None:
        return Judgement(Outcome.UNKNOWN, "evidence_missing", steps, figures, on)
    return Judgement(
        Outcome.FAIL if is_rare else Outcome.PASS, "rarely_used" if is_rare else "used", steps, figures, on
    )


@law("resources-fit-load")
def resources_fit_load(facts: Facts, p: Parameters, on: date) -> Judgement:
    """OVERSIZED: resources far beyond the load (集约, facts §9.2)."""
    days, load = p["oversized_window_days"], facts.oversized_load
    seen = load if load and is_covered(load.observed, days, p["window_coverage_percent"]) else None
    peak = below(seen.cpu_max_mean_bp if seen else None, p["oversized_cpu_max_bp"])
    memory = below(seen.memory_max_bp if seen else None, p["oversized_memory_max_bp"])
    steps = (
        f"窗口:{window(on, days)},观测 {load.observed if load else 0} 天",
        f"CPU 日峰值均值 {percent(load.cpu_max_mean_bp if load else None)}(低于 {percent(p['oversized_cpu_max_bp'])}:{said(peak)})",
        f"内存峰值 {percent(load.memory_max_bp if load else None)}(低于 {percent(p['oversized_memory_max_bp'])}:{said(memory)})",
    )
    figures = {
        "days": days,
        "cpu": percent(load.cpu_max_mean_bp if load else None),
        "memory": percent(load.memory_max_bp if load else None),
    }
    is_large = all_of((peak, memory))
    if is_large is None:
        return Judgement(Outcome.UNKNOWN, "evidence_missing", steps, figures, on)
    return Judgement(
        Outcome.WARN if is_large else Outcome.PASS, "oversized" if is_large else "fits", steps, figures, on
    )


def staleness(released: date | None, live: date | None, p: Parameters, on: date) -> tuple[Tri, str]:
    """Return whether nothing was released or maintained for too long; a system counts as released on the day it went live.

    The step names the day, not its age: it says the same as long as the answer is the same.
    """
    last = max((d for d in (released, live) if d), default=None)
    limit = p["stale_days"]
    if last is None:
        return None, "台账未填最近更新日和上线日期"
    is_stale: Tri = (on - last).days > limit
    if is_stale and released is None:
        is_stale = None  # it went live long ago, and nobody has recorded what was done since
    return is_stale, f"最近更新或上线 {last},至今超过 {limit} 天:{said(is_stale)};数据集更新另由目录评判"


@law("system-kept-up")
def system_kept_up(facts: Facts, p: Parameters, on: date) -> Judgement:
    """STALE, art. 13(3): 已停止更新服务. That its data sets grow old is judged where catalogues are known."""
    released, live = facts.last_released_on, facts.went_live_on
    is_stale, step = staleness(released, live, p, on)
    figures = {"days": p["stale_days"], "released": released}
    if is_stale is None:
        return Judgement(Outcome.UNKNOWN, "evidence_missing", (step,), figures)
    if is_stale:
        return Judgement(Outcome.FAIL, "stale", (step,), figures)
    last = max(d for d in (released, live) if d) + timedelta(days=p["stale_days"])
    return Judgement(Outcome.PASS, "kept_up", (step,), figures, last)


@law("not-a-zombie-candidate")
def not_a_zombie_candidate(facts: Facts, p: Parameters, on: date) -> Judgement:
    """ZOMBIE_CANDIDATE, 国办发〔2017〕39号: idle over the window, and rarely used or no longer kept up."""
    days = p["zombie_window_days"]
    idle = idleness(facts.zombie_load, facts.zombie_use, facts.zombie_calls, days, p, on)
    is_rare, rare_steps = rare_use(facts, p, on)
    is_stale, stale_step = staleness(facts.last_released_on, facts.went_live_on, p, on)
    found = all_of((idle.is_idle, any_of((is_rare, is_stale))))
    steps = (
        *idle.steps, *rare_steps, stale_step,
        f"空闲:{said(idle.is_idle)};使用频率低:{said(is_rare)};停止更新:{said(is_stale)}",
    )  # fmt: skip
    if found is None:
        reason = "suspect_traffic" if idle.is_suspect else "evidence_missing"
        return Judgement(Outcome.UNKNOWN, reason, steps, {"days": days}, on)
    return Judgement(
        Outcome.WARN if found else Outcome.PASS, "zombie_candidate" if found else "alive", steps, {"days": days}, on
    )


@law("upgrade-target-not-idle")
def upgrade_target_not_idle(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 13(5): an upgrade is barred where its system is long idle **and** (且) rarely used."""
    days = p["idle_window_days"]
    idle = idleness(facts.idle_load, facts.idle_use, facts.idle_calls, days, p, on)
    is_rare, rare_steps = rare_use(facts, p, on)
    both = all_of((idle.is_idle, is_rare))
    steps = (*idle.steps, *rare_steps, f"长期空闲:{said(idle.is_idle)};且使用频率低:{said(is_rare)}")
    if both is None:
        reason = "suspect_traffic" if idle.is_suspect else "evidence_missing"
        return Judgement(Outcome.UNKNOWN, reason, steps, {"days": days}, on)
    if not both:
        return Judgement(Outcome.PASS, "not_both", steps, {}, on)
    projects = facts.projects
    planned = [x for x in projects or () if x.is_planned_upgrade]
    figures = {"projects": "、".join(x.code for x in planned)}
    if projects is None:
        steps += ("审批平台项目未读到,是否已列入升级改造计划未知",)
    if planned:
        return Judgement(
            Outcome.FAIL, "upgrade_planned", (*steps, f"年度计划拟升级改造:{figures['projects']}"), figures, on
        )
    return Judgement(Outcome.WARN, "upgrade_barred", steps, figures, on)


@law("shareable-data-shared")
def shareable_data_shared(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 13(6): data are withheld only on a basis that is named.

    What no entry shows a person can attest: that something is not shared counts whatever the entries say, that all is shared only
    where they do not tell.
    """
    found: Catalogued = facts.data_entries
    if empty := without_entries(found):
        return empty
    figures = {"count": found.without_basis}
    steps: tuple[str, ...] = (
        f"可共享目录 {found.shared} 条,不予共享 {found.withheld} 条,其中未写依据 {found.without_basis} 条;"
        f"共享类型不详 {found.share_unknown} 条",
    )
    said = attested(facts.attestations or (), "shareable_data", on)
    if said.is_met is not None:
        steps += said.steps
    if said.is_met is False:
        return Judgement(Outcome.FAIL, "attested_not_shared", steps, {}, said.until)
    if found.without_basis:
        return Judgement(Outcome.WARN, "withheld_without_basis", steps, figures, said.until)
    if found.share_unknown and said.is_met:
        return Judgement(Outcome.PASS, "attested_shared", steps, {}, said.until)
    if found.share_unknown:
        return Judgement(Outcome.UNKNOWN, "share_type_unstated", steps, {"count": found.share_unknown}, said.until)
    return Judgement(Outcome.PASS, "withheld_on_basis" if found.withheld else "shared", steps, figures, said.until)
