"""Chapter 6, 项目验收和绩效管理: what must be catalogued and collected by acceptance (art. 29(4))."""

from __future__ import annotations

from datetime import date

from include.rules.catalogued import compiled, due_at_acceptance, without_entries
from include.rules.facts import Catalogued
from include.rules.law.chapter_3 import DEPLOYMENTS
from include.rules.parameters import Parameters
from include.rules.rule import Facts, Judgement, law
from include.rules.verdict import Outcome


@law("component-catalogue-compiled")
def component_catalogue_compiled(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 29(4): the components of a system are catalogued. Whether it has any, only its unit knows."""
    return compiled(facts.component_entries, due_at_acceptance(facts.status, facts.went_live_on, p))


@law("cloud-catalogue-compiled")
def cloud_catalogue_compiled(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 29(4): the cloud resources of a system that stands on the city cloud are catalogued."""
    found: Catalogued = facts.cloud_entries
    declared, running = facts.deployment, facts.cloud_resources
    shown = "未读到" if running is None else f"{len(running)} 个在用资源"
    steps: tuple[str, ...] = (
        f"单位申报部署方式:{DEPLOYMENTS.get(declared, '未填或未读到')}",
        f"全市云平台资源清单:{shown}",
    )
    if running or found.entries:
        judged = compiled(found, due_at_acceptance(facts.status, facts.went_live_on, p))
        return Judgement(judged.outcome, judged.reason, (*steps, *judged.steps), judged.figures)
    if declared in ("own_room", "other_cloud") or (running is not None and declared != "city_cloud"):
        return Judgement(Outcome.NOT_APPLICABLE, "not_on_city_cloud", steps)
    return Judgement(Outcome.UNKNOWN, "evidence_missing" if running is None else "declared_not_found", steps)


@law("data-collected")
def data_collected(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 29(4): what is due for collection has been delivered."""
    found: Catalogued = facts.data_entries
    if empty := without_entries(found):
        return empty
    left = found.due - found.delivered - found.partly
    figures = {"due": found.due, "delivered": found.delivered, "partly": found.partly, "left": left}
    steps: tuple[str, ...] = (
        f"应归集 {found.due} 条:已归集 {found.delivered} 条,部分归集 {found.partly} 条,未归集 {left} 条",
        f"无需归集 {found.not_required} 条,归集状态不详 {found.collection_unknown} 条",
    )
    due = due_at_acceptance(facts.status, facts.went_live_on, p)
    if left:
        return Judgement(due.outcome, due.reason or "not_collected", (*steps, due.step), figures)
    if found.partly:
        return Judgement(Outcome.WARN, "partly_collected", steps, figures)
    if found.collection_unknown:
        return Judgement(Outcome.UNKNOWN, "collection_unstated", steps, {"count": found.collection_unknown})
    return Judgement(Outcome.PASS, "collected" if found.due else "nothing_due", steps, figures)
