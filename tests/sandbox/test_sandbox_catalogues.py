"""The catalogues: what every portal, file and table lists over the wire agrees with what is planted."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pyoxigraph
import pytest
from catalogue_client import (
    DCAT,
    FORMS,
    HYDRA,
    Rows,
    component_lines,
    described,
    get,
    latest,
    municipal,
    packages,
    sheet_rows,
    table,
    values,
    walked,
)
from openpyxl import load_workbook
from sandbox_client import ExchangeCaller

from include.sandbox.catalogues.parts import PARTS
from include.sandbox.catalogues.portal_entries import UNMAPPED
from include.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def truth(shared_server: SandboxServer) -> dict[str, Any]:
    found: dict[str, Any] = shared_server.truth()["catalogues"]
    return found


def counted(rows: Rows, title: str, secret: str, issued: str) -> tuple[int, int, int]:
    """Return how many rows are listed, classified, and neither classified nor bad."""
    bad = re.compile(r"2026-0?2-30")
    hidden = [row for row in rows if row[secret] == "秘密"]
    good = [r for r in rows if r[secret] != "秘密" and r[title] and not bad.match(str(r[issued] or ""))]
    return len(rows), len(hidden), len({str(sorted(row.items(), key=str)) for row in good})


def wanted(truth: dict[str, Any], source: str) -> tuple[int, int, int]:
    said = truth["sources"][source]
    assert said["listed"] == said["classified"] + said["bad"] + said["duplicates"] + said["good"]
    assert min(said["classified"], said["good"]) > 0, said
    return said["listed"], said["classified"], said["good"]


def test_the_exchange_lists_what_is_planted_by_kind(server: SandboxServer, truth: dict[str, Any]):
    caller = ExchangeCaller(server)
    rows = caller.rows("catalog/list", 100)
    assert counted(rows, "cataTitle", "secretLevel", "releaseDate") == wanted(truth, "catalogue")
    by_kind = {kind: caller.rows("catalog/list", kind=kind) for kind in ("数据", "组件", "云资源")}
    assert [len(found) for found in by_kind.values()] == list(Counter(row["resKind"] for row in rows).values())
    assert {len(found) > 20 for found in by_kind.values()} == {True}
    assert {(r["shareType"], r["shareTypeName"]) for r in rows} == {("0", "有条件共享"), ("2", "不予共享")}
    assert {c["dataType"] for r in by_kind["数据"] for c in r["columns"]} >= {"C", "N", "D"}
    assert set(by_kind["组件"][0]) >= {"compType", "compVersion", "accessMode", "endpoint", "ipOwner"}
    resources = {code for s in server.truth()["systems"]["systems"].values() for code in s["resources"]}
    assert {r["cataCode"] for r in by_kind["云资源"] if r["secretLevel"] != "秘密"} <= resources
    assert caller.call("catalog/list", "s_sys_supply009").json()["code"] == "E-106"
    assert caller.call("catalog/list", kind="别的").json()["code"] == "-1"
    assert caller.call("catalog/list", pageSize=1001).json()["code"] == "-1"


def test_ckan_lists_what_is_planted(server: SandboxServer, truth: dict[str, Any]):
    found = packages(server)
    plain = [p["extra"] | {"title": p["title"], "id": p["id"]} for p in found]
    assert counted(plain, "title", "secret_level", "release_date") == wanted(truth, "ckan")
    answer = get(server, "/ckan/api/3/action/package_search", rows=5000).json()
    assert (answer["success"], len(answer["result"]["results"])) == (True, len(found))
    assert get(server, "/ckan/api/3/action/package_search", start=-1).status_code == 400
    assert {p["organization"]["title"] for p in found} and all(p["tags"] for p in found)
    assert {p["num_resources"] for p in found} >= {0, 1, 2, 3}


def test_ckan_caps_rows_at_a_thousand():
    with SandboxServer(projects=40, seed=1, systems=8, catalogue_entries=1200) as many:
        result = get(many, "/ckan/api/3/action/package_search", rows=3000).json()["result"]
        assert (len(result["results"]), result["count"] > 1200) == (1000, True)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_dcat_is_walked_by_its_links(server: SandboxServer, truth: dict[str, Any], form: str):
    pages = walked(server, form)
    assert len(pages) == 5
    totals = {int(value.value) for page in pages for value in values(page, f"{HYDRA}totalItems")}
    found = described(pages)
    listed = [o.value for page in pages for name in ("dataset", "service") for o in values(page, f"{DCAT}{name}")]
    assert sorted(listed) == sorted(found)
    total, hidden, good = wanted(truth, "dcat")
    assert totals == {total} == {len(found)}
    assert sum(one["secret"] == "秘密" for one in found.values()) == hidden
    assert sum(bool(one["titles"]) for one in found.values()) > good


def test_the_three_forms_of_dcat_say_the_same(server: SandboxServer):
    said = {form: described(walked(server, form)) for form in FORMS}
    blank = {form: [one["publisher"] for one in found.values()] for form, found in said.items()}
    assert {type(p) for p in blank["ttl"]} == {pyoxigraph.BlankNode, pyoxigraph.NamedNode}
    plain = [{iri: one | {"publisher": ""} for iri, one in found.items()} for found in said.values()]
    assert plain[0] == plain[1] == plain[2]
    languages = {language for one in plain[0].values() for _, language in one["titles"]}
    assert languages == {"zh", "en", "ru", None}
    awkward = [t for one in plain[0].values() for t in one["text"] if "引号" in t]
    assert awkward and all('"引号"、\\反斜线\\、<尖括号>&连接符，\r\n\t换行' in t for t in awkward)
    assert get(server, "/dcat/catalog.nt").status_code == 404


def test_data_json_lists_what_is_planted_in_both_versions(server: SandboxServer, truth: dict[str, Any]):
    first = get(server, "/datajson/data.json").json()
    assert first["conformsTo"].endswith("v1.1/schema")
    assert counted(first["dataset"], "title", "secretLevel", "issued") == wanted(truth, "datajson")
    third = get(server, "/datajson/data3.json").json()
    rows = third["dataset"] + third["service"]
    assert third["conformsTo"]["title"] == "DCAT-US 3.0"
    assert counted(rows, "title", "secretLevel", "issued") == wanted(truth, "datajson3")
    assert third["service"] and all(row["endpointURL"] for row in third["service"])
    assert {row["accrualPeriodicity"] for row in first["dataset"]} > {"R/P1Y", "R/P2Y", "irregular"}


def test_the_municipal_portal_writes_as_people_do(server: SandboxServer, truth: dict[str, Any]):
    rows = municipal(server)
    assert counted(rows, "标题", "密级", "发布日期") == wanted(truth, "municipal")
    cycles = {row["更新周期"] for row in rows}
    assert cycles > {"每年", "年", "按年更新", "每天", "每日", "每两年", "不定期", "财税金融"}
    days = {row["发布日期"] for row in rows}
    assert {"", "1900-1-1"} < days and any(re.fullmatch(r"\d{4}-0\d-\d\d", day) for day in days)
    assert {type(row["资源格式"]) for row in rows} == {str, list}
    assert any(row["标签"].endswith("\r\n") for row in rows) and all("\t" in row["标签"] for row in rows)
    assert not {"id", "标识", "代码"} & set(rows[0])
    repeated = [row for row in rows if rows.count(row) == 2]
    assert len(repeated) == 2 * truth["sources"]["municipal"]["duplicates"] > 0
    assert any(re.search("1380000[0-9]{4}", row["摘要"]) for row in rows)


def test_the_workbook_has_a_line_for_each_mounted_resource(server: SandboxServer, truth: dict[str, Any]):
    lines, said = sheet_rows(server), truth["sources"]["workbook"]
    assert len(lines) == said["rows"] > said["listed"]
    entries = latest(lines, "信息资源代码")
    assert counted(list(entries.values()), "信息资源名称", "密级", "发布日期") == wanted(truth, "workbook")
    without = {code for code, line in entries.items() if not line["资源名称"] and line["密级"] != "秘密"}
    assert without >= set(said["not_mounted"]) and said["not_mounted"]
    book = load_workbook(Path(str(server.options.home)) / "catalogues" / "部门资源目录.xlsx")
    heading, *items = book["信息项"].values
    assert heading == ("信息资源代码", "信息项名称", "数据类型", "长度")
    assert {item[0] for item in items} <= set(entries) and len(items) >= said["items"] > 0


def test_the_component_file_has_stray_commas_and_repeats(server: SandboxServer, truth: dict[str, Any]):
    heading, *lines = component_lines(server)
    assert {len(line) - len(heading) for line in lines} == {0, 1, 3}
    rows = [dict(zip(heading, line, strict=False)) for line in lines]
    assert counted(rows, "组件名称", "密级", "发布日期") == wanted(truth, "component_file")
    assert truth["sources"]["component_file"]["duplicates"] > 0


def test_the_tables_hold_corrections_and_withdrawals(server: SandboxServer, truth: dict[str, Any]):
    rows, said = table(server, "ML_ZYML"), truth["sources"]["frontdb"]
    newest = latest(rows, "ZYBM")
    assert sorted(code for code, row in newest.items() if not row["SJYXBS"]) == said["void_codes"] != []
    valid = [row for row in newest.values() if row["SJYXBS"]]
    assert counted(valid, "ZYMC", "MJ", "FBRQ") == wanted(truth, "frontdb")
    assert len(rows) > len(newest) + len(said["void_codes"])
    assert not any("填错" in str(row["ZYMC"]) for row in newest.values())
    items = table(server, "ML_XXX")
    good = {row["ZYBM"] for row in valid if row["ZYMC"] and row["MJ"] != "秘密"}
    assert sum(item["ZYBM"] in good for item in items) == said["items"] > 20


def test_the_holes_of_every_system_are_those_told(server: SandboxServer, truth: dict[str, Any]):
    kinds = {
        "数据": "data",
        "组件": "component",
        "云资源": "cloud_resource",
        "Dataset": "data",
        "DataService": "component",
    }
    told: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(system: str | None, kind: str, title: Any, secret: str | None, issued: Any) -> None:
        if system and title and secret != "秘密" and not re.match("2026-0?2-30", str(issued or "")):
            told[system][kind] += 1

    def once(rows: Rows) -> Rows:
        return list({str(sorted(row.items(), key=str)): row for row in rows}.values())

    for r in once(ExchangeCaller(server).rows("catalog/list")):
        add(r["appCode"], kinds[r["resKind"]], r["cataTitle"], r["secretLevel"], r["releaseDate"])
    for line in latest(sheet_rows(server), "信息资源代码").values():
        add(line["所属系统编码"], "data", line["信息资源名称"], line["密级"], line["发布日期"])
    for line in latest(
        [dict(zip(component_lines(server)[0], x, strict=False)) for x in component_lines(server)[1:]], "组件编码"
    ).values():
        add(line["所属系统编码"], "component", line["组件名称"], line["密级"], line["发布日期"])
    for row in latest(table(server, "ML_ZYML"), "ZYBM").values():
        add(row["XTBM"], "data", row["ZYMC"], row["MJ"], None)
    for p in once(packages(server)):
        e = p["extra"]
        add(e["system_code"], kinds[e["res_kind"]], p["title"], e["secret_level"], e["release_date"])
    bad = set(truth["sources"]["dcat"]["bad_keys"])
    for iri, one in described(walked(server, "ttl")).items():
        add(one["system"], kinds[one["kind"]], iri.rpartition("/")[2] not in bad, one["secret"], None)
    for r in once(municipal(server)):
        add(r["所属系统编码"], "data", r["标题"], r["密级"], r["发布日期"])
    third = get(server, "/datajson/data3.json").json()
    datasets = get(server, "/datajson/data.json").json()["dataset"] + third["dataset"]
    for kind, rows in (("data", datasets), ("component", third["service"])):
        for r in once(rows):
            add(r["systemCode"], kind, r["title"], r["secretLevel"], r["issued"])
    planted = {code: {k: n for k, n in s["counts"].items() if n} for code, s in truth["systems"].items()}
    assert {code: counts for code, counts in planted.items() if counts} == {c: dict(n) for c, n in told.items()}
    assert len(told) > 80


HOLES = {
    "complete": set(),
    "no_data": {"data"},
    "no_component": {"component"},
    "no_cloud": {"cloud_resource"},
    "nothing": {"data", "component", "cloud_resource"},
    "not_collected": {"collected"},
    "partly_collected": {"collected"},
    "not_mounted": {"mounted"},
    "overdue": {"updated"},
    "overdue_quarterly": {"updated"},
    "unlinked": {"data", "component"},
}


def test_every_part_is_there_with_just_its_holes(truth: dict[str, Any]):
    seen: Counter[str] = Counter()
    for system in truth["systems"].values():
        part, expected = system["part"], system["expected"]
        if set(expected.values()) == {"not_applicable"}:
            continue
        holes = {name for name, outcome in expected.items() if outcome in ("fail", "warn")}
        assert holes in (HOLES.get(part, set()), HOLES.get(part, set()) - {"cloud_resource"}), system
        seen[part] += bool(holes) or part not in HOLES or part == "complete"
    assert set(seen) == set(PARTS)
    assert min(seen.values()) >= 2, seen


def test_what_is_wrong_with_entries_is_told_by_source(truth: dict[str, Any]):
    sources = truth["sources"]
    for name in (
        "placeholder_dates",
        "overdue",
        "not_mounted",
        "unlinked",
        "conditional_without_condition",
        "not_shared_without_basis",
    ):
        assert sources["catalogue"][name] or sources["workbook"][name] or sources["frontdb"][name], name
    for portal, word in UNMAPPED.items():
        said = sources[portal]
        assert said["placeholder_dates"] and said["overdue"] and said["undated"], portal
        if portal != "datajson3":
            assert set(said["unmapped"]["update_cycle"]) == {word}
    assert sources["catalogue"]["unmapped"]["data_type"]["X"] > 0
    owners = truth["two_owners"]
    assert owners and {len(one["owners"]) for one in owners} == {2}
    assert {source for one in owners for source, _ in one["owners"]} == {"catalogue", "ckan"}


def test_classified_entries_are_served_with_tell_tale_names(server: SandboxServer, truth: dict[str, Any]):
    hidden = truth["classified"]
    assert len(hidden["names"]) == len(hidden["codes"]) == sum(s["classified"] for s in truth["sources"].values())
    assert all("XK-" in name for name in hidden["names"])
    assert all("机要" in unit for unit in hidden["units"])
    served = ExchangeCaller(server).call("catalog/list", pageSize=1000).text + get(server, "/datajson/data.json").text
    assert sum(name in served for name in hidden["names"]) >= 4


def test_same_seed_and_day_same_entries():
    answers = []
    for _ in range(2):
        with SandboxServer(projects=60, seed=3, systems=20, today=date(2026, 11, 20)) as one:
            paths = ("/datajson/data.json", "/municipal/api/list?size=500", "/ckan/api/3/action/package_search?rows=99")
            answers.append([get(one, path).content for path in paths] + [one.truth()["catalogues"]])
    assert answers[0] == answers[1]
