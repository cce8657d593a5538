"""What was planted into the dossiers: which project departs in which way, and how many lines each sheet holds."""

from __future__ import annotations

from typing import Any

from include.sandbox import words
from include.sandbox.dossier_lines import contract_no, is_after_submission, is_late
from include.sandbox.dossier_projects import Project
from include.sandbox.dossier_sheets import department_case
from include.sandbox.dossiers import SHEETS, Dossiers
from include.sandbox.lives import Plant

LEFT_OUT_TURN, UNCODED_TURNS = 3, (12, 15)
"""Turns of twenty that the annual plan leaves out, or names by no code or a wrong one; see `plan`."""
OF_CONTRACTS = (
    Plant.IP_MISSING, Plant.WARRANTY_SHORT, Plant.TEST_MISSING, Plant.EXACTLY_A_MILLION, Plant.JUST_BELOW, Plant.SPLIT,
)  # fmt: skip


def dossier_truth(dossiers: Dossiers) -> dict[str, Any]:
    """Return the truth; a plant is told once it can be seen on the start day."""
    city = [project for project in dossiers.projects if not project.is_county]
    county = [project for project in dossiers.projects if project.is_county]
    departments = (*words.UNITS, words.HEALTH)
    cases = {case: [u for n, u in enumerate(departments) if department_case(n) == case] for case in ("over", "unknown")}
    return {
        "start": dossiers.city.start.isoformat(),
        "rows": {source: len(dossiers.sheets[source]) for source in SHEETS},
        "refused": {source: len(dossiers.classified.get(source, ())) for source in SHEETS},
        "bad": {source: len(dossiers.bad.get(source, ())) for source in SHEETS},
        "planted": {plant.value: [p.code for p in city if plant in _shown(p)] for plant in Plant},
        "contracts": {plant.value: _contracts(city, plant) for plant in OF_CONTRACTS},
        "healthy": [project.code for project in city if not project.life.plants and not _plan_is_odd(project)],
        "accepted": [project.code for project in city if project.is_accepted],
        "not_in_plan": [p.code for p in city if p.number % 20 == LEFT_OUT_TURN and not p.life.has(Plant.OFF_PLAN)],
        "unit_built": [project.code for project in city if project.life.is_unit_built],
        "upgrades": {project.code: project.upgrades for project in city if _tells(project) and project.upgrades},
        "county": {
            "late": [project.code for project in county if is_late(project)],
            "after_submission": [project.code for project in county if is_after_submission(project)],
            "in_time": [p.code for p in county if not is_late(p) and not is_after_submission(p)],
        },
        "departments": cases,
        "attestations": _attestations(dossiers),
        "plan_years": {"late": [dossiers.city.start.year], "in_time": [dossiers.city.start.year + 1]},
        "payments": [line["付款编号"] for line in dossiers.sheets["payments"]],
    }


def _shown(project: Project) -> frozenset[Plant]:
    return project.life.shown(project.start)


def _tells(project: Project) -> bool:
    return not project.life.has(Plant.BLANK)


def _plan_is_odd(project: Project) -> bool:
    return project.number % 20 in (LEFT_OUT_TURN, *UNCODED_TURNS)


def _contracts(city: list[Project], plant: Plant) -> list[str]:
    planted = [project for project in city if plant in _shown(project)]
    return [contract_no(project, place) for project in planted for place in range(1, len(project.amounts) + 1)]


def _attestations(dossiers: Dossiers) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"valid": [], "expired": [], "not_met": []}
    for project in dossiers.projects:
        if project.is_accepted and project.number % 5 <= 2:
            found[("valid", "expired", "not_met")[project.number % 5]].append(project.code)
    return found
