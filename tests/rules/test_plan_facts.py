"""The facts of plans by year, of departments, plan lines, contracts, notices, systems' reports, and the next year's calendar."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine

from include.rules.engine import NOT_SUBJECT
from include.rules.facts_of_day import WITHDRAWN
from include.rules.parameters import Parameters, Value
from include.rules.plan_facts import first_plan_year, line_hash
from include.rules.records import Contract, PlanYear, Rectification
from include.rules.verdict import Fact
from tests.depth import BOTH, MOSTLY_SQLITE
from tests.rules.evidence import DAY, at
from tests.rules.lives import BARE, FORMER, FULL, ROAD, SOURCES, STANDING, Lives, values

pytestmark = MOSTLY_SQLITE

MAY, LATE = date(2026, 5, 4), DAY + timedelta(days=8)
USCC = "11230500MB1234567X"


@pytest.fixture
def lives(engine: Engine) -> Lives:
    return Lives(engine)


# -- plan years -------------------------------------------------------------------------------------------------------------------


@BOTH
def test_every_year_since_the_measures_is_judged_with_blanks_where_no_row_is(lives: Lives) -> None:
    lives.add("plan_years", [{"plan_year": y, "drafted_on": MAY} for y in (2025, 2026, 2028)])
    years = lives.of("plan_year")
    assert list(years) == ["2026", "2027"]
    assert years["2026"]["plan_year"] == Fact(
        PlanYear(2026, drafted_on=MAY), "plan_years", DAY, (lives.last["plan_years"],)
    )
    assert years["2027"]["plan_year"] == Fact(PlanYear(2027), "plan_years", DAY)
    assert values(years["2027"], "plan_year_code", "name", "year") == ["2027", "2027年度计划", 2027]


def test_a_year_has_the_attestations_that_name_it(lives: Lives) -> None:
    said = {
        "matter": "guide_deliberated",
        "conclusion": "met",
        "ground": "会议纪要",
        "attested_by": "市数据局",
        "attested_on": MAY,
        "expires_on": LATE,
    }
    lives.add("attestations", [said | {"attestation_no": f"R{year}", "plan_year": year} for year in (2025, 2026, 2027)])
    lives.add("attestations", [said | {"attestation_no": "RP", "project_code": FULL}])
    years = lives.of("plan_year")
    assert {y: [a.attestation_no for a in facts["attestations"].value] for y, facts in years.items()} == {
        "2026": ["R2026"], "2027": ["R2027"],
    }  # fmt: skip
    assert [a.attestation_no for a in lives.of("project")[FULL]["attestations"].value] == ["RP"]
    assert values(lives.of("plan_year", LATE)["2026"], "attestations") == ["absent"]


def test_of_a_register_not_read_lately_a_year_is_judged_without_its_days(lives: Lives) -> None:
    lives.add("plan_years", [{"plan_year": 2026, "drafted_on": MAY}])
    assert values(lives.of("plan_year", LATE)["2026"], "year", "plan_year") == [2026, "absent"]


def test_the_next_plan_comes_with_the_new_year(lives: Lives) -> None:
    assert list(lives.of("plan_year", date(2027, 1, 1))) == ["2026", "2027", "2028"]
    assert list(lives.of("plan_year", date(2024, 12, 31))) == []


@pytest.mark.parametrize(
    ("effective", "year"),
    [(date(2024, 9, 9), 2026), (date(2024, 6, 30), 2025), (date(2024, 7, 1), 2025), (date(2024, 7, 2), 2026)],
)
def test_the_first_plan_is_that_called_for_in_the_first_july_under_the_measures(effective: date, year: int) -> None:
    found = {
        "regulation_effective_on": Value("regulation_effective_on", "", "day", effective, "", "", effective, None),
        "needs_call_month": Value("needs_call_month", "", "code", 7, "", "", effective, None),
    }
    assert first_plan_year(Parameters(found)) == year


def test_the_calendar_of_the_next_year_is_covered_or_not(lives: Lives) -> None:
    assert {c: values(f, "name", "year", "is_covered") for c, f in lives.of("calendar").items()} == {
        "2027": ["2027年工作日日历", 2027, False]
    }
    assert values(lives.of("calendar", date(2025, 12, 1))["2026"], "is_covered") == [True]
    assert values(lives.of("calendar", date(2024, 12, 1))["2025"], "is_covered") == [True], "and one year more"


# -- departments ------------------------------------------------------------------------------------------------------------------


@BOTH
def test_departments_are_told_apart_by_uscc_or_folded_name(lives: Lives) -> None:
    rows = [
        {"plan_year": 2027, "unit_name": "市教育局", "unit_uscc": USCC, "budget_units": 3, "applications": 0},
        {"plan_year": 2027, "unit_name": "市（新）民政局", "applications": 2},
    ]
    lives.add("department_years", rows)
    found = lives.of("department_year")
    assert list(found) == [f"2027:{USCC}", "2027:市(新)民政局"]
    names = ("department_year_code", "name", "year", "budget_units", "applications")
    assert values(found[f"2027:{USCC}"], *names) == [f"2027:{USCC}", "市教育局(2027年度)", 2027, 3, 0]
    assert values(found["2027:市(新)民政局"], "budget_units", "applications") == ["absent", 2]
    evidence = (lives.last["department_years"],)
    assert found[f"2027:{USCC}"]["applications"] == Fact(0, "department_years", DAY, evidence)
    stale = lives.of("department_year", LATE)[f"2027:{USCC}"]
    assert values(stale, "year", "budget_units", "applications") == [2027, "absent", "absent"]


def test_a_department_whose_uscc_became_known_is_judged_under_it(lives: Lives) -> None:
    keys = [{"plan_year": 2027, "unit_name": name} for name in ("市教育局", "市民政局")]
    lives.add("department_years", [key | {"applications": 1} for key in keys])
    assert [subject for subject in lives.gone() if subject[0] == "department_year"] == []
    lives.change("department_year", lives.again("department_years", at(DAY, 3)), keys[0], at(DAY, 3), unit_uscc=USCC)
    lives.withdraw("department_years", keys[1])
    gone = lives.gone()
    assert gone["department_year", "2027:市教育局"] == NOT_SUBJECT
    assert gone["department_year", "2027:市民政局"] == WITHDRAWN
    assert list(lives.of("department_year")) == [f"2027:{USCC}"]


# -- lines of the plan ------------------------------------------------------------------------------------------------------------


def _line(code: str | None, **more: object) -> dict[str, object]:
    return {"plan_year": 2027, "project_code": code, "name": f"计划 {code}", "unit_name": "市教育局"} | STANDING | more


@BOTH
def test_a_planned_project_is_on_a_platform_or_not_and_void_or_not(lives: Lives) -> None:
    lives.reissue()
    unknown = "2611-230500-04-04-999999"
    void = {"project_code": "2611-230500-04-04-000026", "name": "废项目", "managed_industry": "other", "is_void": True}
    lives.add("platform", [void | STANDING])
    codes = (FORMER, ROAD, unknown, str(void["project_code"]))
    lives.add("annual_plan", [_line(c) for c in codes] + [_line(FULL, plan_year=2026, name="去年的名字")])
    found = lives.of("plan_entry")
    names = ("plan_entry_code", "name", "project_code", "is_on_platform", "is_void")
    assert {c: values(f, *names)[1:] for c, f in found.items()} == {
        FULL: [f"计划 {FORMER}", FULL, True, False],
        ROAD: [f"计划 {ROAD}", ROAD, True, False],
        unknown: [f"计划 {unknown}", unknown, False, "absent"],
        codes[3]: [f"计划 {codes[3]}", codes[3], True, True],
    }
    assert found[FULL]["is_on_platform"] == Fact(True, "platform", DAY)
    assert lives.gone()["plan_entry", FORMER] == NOT_SUBJECT


def test_of_a_stale_platform_nobody_knows_what_it_lists(lives: Lives) -> None:
    lives.add("annual_plan", [_line(FULL)])
    assert values(lives.of("plan_entry", LATE)[FULL], "project_code", "is_on_platform", "is_void") == [
        FULL, "absent", "absent",
    ]  # fmt: skip


def test_the_code_of_a_line_is_the_same_for_ever() -> None:
    assert line_hash("2027|计划") == "1450ce494743b36e", "findings are kept under it"


@BOTH
def test_a_line_without_a_code_stands_by_itself_until_it_has_one(lives: Lives) -> None:
    lives.add("annual_plan", [_line(None), _line(BARE)])
    found = lives.of("plan_entry")
    own = next(code for code in found if code != BARE)
    assert own.startswith("2027:")
    assert len(own) == len("2027:") + 16
    assert values(found[own], "plan_entry_code", "name", "project_code", "is_on_platform") == [
        own, "计划 None", "absent", "absent",
    ]  # fmt: skip
    batch_id = lives.again("annual_plan", at(DAY, 3))
    lives.change("plan_entry", batch_id, _line(None), at(DAY, 3), project_code=FULL)
    assert set(lives.of("plan_entry")) == {FULL, BARE}
    lives.withdraw("annual_plan", _line(BARE))
    assert set(lives.of("plan_entry")) == {FULL}
    gone = {subject[1]: reason for subject, reason in lives.gone().items() if subject[0] == "plan_entry"}
    assert (gone[own], gone[BARE]) == (NOT_SUBJECT, WITHDRAWN)
    assert FULL not in gone


# -- contracts and notices --------------------------------------------------------------------------------------------------------


@BOTH
def test_a_contract_stands_with_the_others_of_its_project(lives: Lives) -> None:
    lives.reissue()
    lives.add("dossiers", [{"project_code": FULL, "name": "全项目", "track": "unit", "content_class": "upkeep"}])
    row = {"name": "合同", "amount_yuan": Decimal("1.00")}
    codes = {"C2": FULL, "C1": FORMER, "C3": BARE}
    lives.add("contracts", [row | {"contract_no": number, "project_code": code} for number, code in codes.items()])
    found = lives.of("contract")
    assert list(found) == ["C1", "C2", "C3"]
    first = found["C1"]
    assert first["contract"] == Fact(
        Contract("C1", FULL, "合同", Decimal("1.00")), "contracts", DAY, (lives.last["contracts"],)
    )
    assert [c.contract_no for c in first["siblings"].value] == ["C2"]
    names = ("contract_code", "name", "unit_name", "level", "track", "content_class", "fund_scope")
    assert values(first, *names) == ["C1", "合同", "市教育局", "city", "unit", "upkeep", "absent"]
    assert values(found["C3"], "siblings", "level", "track") == [(), "city", "absent"]


def test_stale_contracts_and_notices_are_subjects_of_which_nothing_is_known(lives: Lives) -> None:
    lives.add("contracts", [{"contract_no": "C1", "project_code": FULL, "name": "合同", "amount_yuan": Decimal(1)}])
    lives.add("rectifications", [{"notice_no": "N1", "issued_by": "市数据局", "issued_on": MAY, "due_on": DAY}])
    contract, notice = lives.of("contract", LATE)["C1"], lives.of("rectification", LATE)["N1"]
    assert values(contract, "contract_code", "name", "contract", "siblings", "level") == [
        "C1", "合同", "absent", "absent", "absent",
    ]  # fmt: skip
    assert values(notice, "rectification_code", "rectification") == ["N1", "absent"]


@BOTH
def test_withdrawn_contracts_and_notices_are_gone(lives: Lives) -> None:
    contract = {"contract_no": "C1", "project_code": FULL, "name": "合同", "amount_yuan": Decimal(1)}
    notice = {"notice_no": "N1", "issued_by": "市数据局", "issued_on": MAY, "due_on": DAY}
    lives.add("contracts", [contract, contract | {"contract_no": "C2"}])
    lives.add("rectifications", [notice])
    lives.withdraw("contracts", contract)
    lives.withdraw("rectifications", notice)
    gone = lives.gone()
    assert (gone["contract", "C1"], gone["rectification", "N1"]) == (WITHDRAWN, WITHDRAWN)
    assert ("contract", "C2") not in gone
    assert (list(lives.of("contract")), list(lives.of("rectification"))) == (["C2"], [])
    assert not [subject for subject in lives.gone(wanted=["level"]) if subject[0] == "contract"]


@BOTH
def test_a_notice_is_called_by_its_topic_or_its_number(lives: Lives) -> None:
    row = {"issued_by": "市数据局", "issued_on": MAY, "due_on": DAY, "project_code": BARE}
    lives.add("rectifications", [row | {"notice_no": "N1", "topic": "未联通"}, row | {"notice_no": "N2"}])
    found = lives.of("rectification")
    assert [values(f, "name")[0] for f in found.values()] == ["未联通", "N2"]
    expected = Rectification("N1", "市数据局", MAY, DAY, "未联通", BARE)
    assert found["N1"]["rectification"] == Fact(expected, "rectifications", DAY, (lives.last["rectifications"],))


# -- systems ----------------------------------------------------------------------------------------------------------------------


def _report(number: str, **more: object) -> dict[str, object]:
    return {"report_no": number, "kind": "protection", "issued_on": MAY} | more


@BOTH
def test_reports_belong_to_the_system_and_to_its_project(lives: Lives) -> None:
    lives.reissue()
    lives.add(
        "system_register",
        [
            {"system_code": c, "name": f"系统{c}", "project_codes": p, "protection_level": n}
            for c, p, n in (("S1", FORMER, 3), ("S2", FULL, None), ("S3", None, 2))
        ],
    )
    reports = [
        _report("R1", system_code="S1"), _report("R2", project_code=FULL), _report("R3", project_code=FULL, system_code="S2"),
        _report("R4", project_code=BARE), _report("R5", system_code="S9"),
        _report("R0", system_code="S1", issued_on=DAY),
    ]  # fmt: skip
    lives.add("assessments", reports)
    systems, projects = lives.of("system"), lives.of("project")

    def numbers(fact: Fact) -> list[str]:
        return [report.report_no for report in fact.value]

    assert numbers(systems["S1"]["assessments"]) == ["R1", "R2", "R0"], "what names the project alone is on its systems"
    assert numbers(systems["S2"]["assessments"]) == ["R2", "R3"]
    assert systems["S3"]["assessments"] == Fact((), "assessments", DAY)
    assert numbers(projects[FULL]["assessments"]) == ["R1", "R2", "R3", "R0"], "each once"
    assert numbers(projects[BARE]["assessments"]) == ["R4"]
    assert [values(f, "protection_level")[0] for f in systems.values()] == [3, "absent", 2]


@BOTH
def test_attestations_belong_to_what_they_name(lives: Lives) -> None:
    lives.add("system_register", [{"system_code": c, "name": f"系统{c}", "project_codes": FULL} for c in ("S1", "S2")])
    row = {"matter": "shareable_data", "conclusion": "met", "ground": "依据", "attested_by": "王某", "attested_on": MAY,
           "expires_on": DAY}  # fmt: skip
    lives.add("attestations", [
        row | {"attestation_no": "A1", "system_code": "S1"}, row | {"attestation_no": "A2", "project_code": FULL},
    ])  # fmt: skip
    systems, projects = lives.of("system"), lives.of("project")
    assert [a.attestation_no for a in systems["S1"]["attestations"].value] == ["A1"]
    assert systems["S2"]["attestations"] == Fact((), "attestations", DAY)
    assert [a.attestation_no for a in projects[FULL]["attestations"].value] == ["A2"]
    assert values(lives.of("system", LATE)["S1"], "attestations", "assessments") == ["absent", "absent"]
    assert values(lives.of("system", wanted=["status"])["S1"], "attestations", "assessments") == ["absent", "absent"]


# -- catalogues -------------------------------------------------------------------------------------------------------------------


@BOTH
def test_the_entries_of_a_project_are_those_of_its_systems(lives: Lives) -> None:
    lives.add(
        "system_register",
        [{"system_code": c, "name": f"系统{c}", "project_codes": FULL, "unit_name": "市教育局"} for c in ("S1", "S2")],
    )
    catalogue = lives.batch("catalogue", "resource", at(DAY, 2))
    row = {"kind": "data", "provider_name": "市教育局", "state": "registered"}
    named = {"S1": 2, "S2": 1, None: 4}
    rows = [
        row | {"resource_id": f"{s}-{n}", "system_code": s, "code": f"{s}-{n}"} for s, c in named.items() for n in range(c)
    ]  # fmt: skip
    lives.put("resource", catalogue, rows)
    wanted = ["data_entries", "cloud_entries"]
    projects = lives.of("project", wanted=wanted)
    fact = projects[FULL]["data_entries"]
    assert (fact.value.entries, fact.value.unlinked) == (3, 4), "a unit's unlinked entries are counted once"
    assert (fact.source, fact.seen_until, fact.evidence) == ("catalogue", DAY, (catalogue,))
    assert values(projects[FULL], "cloud_entries") == ["absent"], "nobody lists any"
    assert values(projects[BARE], "data_entries") == ["absent"], "it has no system"
    for source in SOURCES:
        if source != "system_register":
            lives.again(source, at(LATE, 1))
    lives.batch("catalogue", "resource", at(LATE, 1))
    assert values(lives.of("project", LATE, wanted=wanted)[FULL], "data_entries", "systems") == ["absent", "absent"]


@BOTH
def test_unlinked_entries_are_counted_by_unit_and_one_system_stands_for_itself(lives: Lives) -> None:
    owned = (("S1", FULL, "市教育局"), ("S2", FULL, "市公安局"), ("S3", BARE, "市教育局"))
    lives.add(
        "system_register",
        [{"system_code": s, "name": s, "project_codes": project, "unit_name": unit} for s, project, unit in owned],
    )
    named = [(s, unit) for s, _, unit in owned] + [(None, "市教育局")] * 4 + [(None, "市公安局")] * 2
    lives.put("resource", lives.batch("catalogue", "resource", at(DAY, 2)), [
        {"kind": "data", "state": "registered", "resource_id": f"r{n}", "code": f"r{n}", "system_code": s, "provider_name": unit}
        for n, (s, unit) in enumerate(named)
    ])  # fmt: skip
    facts = lives.of("project", wanted=["data_entries"])
    counted = {code: facts[code]["data_entries"].value for code in (FULL, BARE)}
    assert {code: (value.entries, value.unlinked) for code, value in counted.items()} == {FULL: (2, 6), BARE: (1, 4)}
