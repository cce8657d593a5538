"""Chapter 7, 监督管理和责任追究: what upkeep money depends on (art. 36), as far as catalogues show it."""

from __future__ import annotations

from datetime import date

from include.rules.catalogued import BEFORE_ACCEPTANCE, Due, compiled, without_entries
from include.rules.facts import Catalogued
from include.rules.parameters import Parameters
from include.rules.rule import Facts, Judgement, law
from include.rules.verdict import Outcome


@law("data-catalogue-compiled")
def data_catalogue_compiled(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 36: a system that is run on public money, of whatever age, is in the catalogue of data resources."""
    due = Due(Outcome.FAIL, "在用系统未纳入数据资源目录的,不予安排运行维护经费")
    return compiled(facts.data_entries, BEFORE_ACCEPTANCE if facts.status == "trial" else due)


@law("shared-entries-mounted")
def shared_entries_mounted(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 36: an entry that is called shared can be had, through a table, a file or an interface mounted on it."""
    found: Catalogued = facts.data_entries
    if empty := without_entries(found):
        return empty
    figures = {"shared": found.shared, "mounted": found.mounted, "left": found.shared - found.mounted}
    steps = (f"可共享目录 {found.shared} 条,已挂接 {found.mounted} 条;共享类型不详 {found.share_unknown} 条",)
    if found.mounted < found.shared:
        if found.mounted:
            return Judgement(Outcome.WARN, "partly_mounted", steps, figures)
        return Judgement(Outcome.FAIL, "none_mounted", steps, figures)
    if found.share_unknown:
        return Judgement(Outcome.UNKNOWN, "share_type_unstated", steps, {"count": found.share_unknown})
    return Judgement(Outcome.PASS, "mounted" if found.shared else "nothing_shared", steps, figures)
