"""The data: same seed same bytes, valid identifiers, a truth that adds up, lists in order."""

from __future__ import annotations

import csv
import re
from collections import Counter

import orjson
import pytest
import requests
from openpyxl import load_workbook
from sandbox_client import ProvincialCaller, ZhejiangCaller
from sqlalchemy import create_engine, text
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_10

from include.sandbox.frontdb import append_changes
from include.sandbox.layout import Kind, Layout
from include.sandbox.motion import advance
from include.sandbox.server import SandboxServer
from include.sandbox.world import World

NEW_FORM = re.compile(r"\d{2}(0[1-9]|1[0-2])-\d{6}-\d{2}-\d{2}-\d{6}")


def encoded(world: World) -> list[bytes]:
    return [world.encoded(index) for index in world.listing().indexes(0, 10**9)]


def test_same_seed_and_size_give_the_same_bytes():
    assert encoded(World(300, 5)) == encoded(World(300, 5))
    assert encoded(World(300, 5)) != encoded(World(300, 6))


def test_any_record_can_be_made_alone():
    far = World(1_000_000, 3)
    assert orjson.loads(far.encoded(765_432)) == World(1_000_000, 3).current(765_432)
    assert far.listing().total == 1_000_000


def test_records_weigh_about_what_real_ones_do():
    sizes = list(map(len, encoded(World(2000, 7))))
    assert 1200 < sum(sizes) / len(sizes) < 1600


@pytest.mark.parametrize("size", [1, 2, 19, 20, 50, 333, 5000])
def test_every_size_has_unique_codes_and_parts_that_fit(size: int):
    world = World(size, 1)
    records = [world.current(index) for index in range(size)]
    assert len({record["PROJECT_CODE"] for record in records}) == size
    kinds = Counter(world.layout.kind(index) for index in range(size))
    assert kinds[Kind.OLD_CODE] == kinds[Kind.NEW_CODE]
    assert kinds[Kind.DIGITAL] == world.layout.digital_count


@pytest.mark.parametrize(("size", "low", "high"), [(40, 20, 20), (2000, 55, 70), (100_000, 2900, 3100)])
def test_digital_projects_are_about_three_percent_but_twenty(size: int, low: int, high: int):
    assert low <= Layout(size).digital_count <= high


def test_codes_pass_their_check_but_for_old_and_spoilt_ones():
    world = World(3000, 7)
    for index in range(3000):
        record, kind = world.current(index), world.layout.kind(index)
        code = record["PROJECT_CODE"]
        is_valid = bool(NEW_FORM.fullmatch(code)) and mod_11_10.is_valid(code.replace("-", ""))
        if kind is not Kind.OLD_FORM:
            assert is_valid == (kind is not Kind.FAILED_CHECK), code
        assert uscc.is_valid(record["ENTERPRISE"]["LEREPCERTNO"])


def test_classified_codes_and_units_occur_nowhere_else(server: SandboxServer, provincial: ProvincialCaller):
    truth, rows = server.truth(), provincial.everything()
    markers = truth["classified"]
    assert len(markers["codes"]) == truth["provincial"]["classified"] > 0
    opened = orjson.dumps([row for row in rows if row["SECRET_FLAG"] == "0"]).decode()
    for marker in (*markers["codes"], *markers["units"], *markers["names"]):
        assert marker not in opened


def test_listing_is_sorted_and_complete(server: SandboxServer, provincial: ProvincialCaller):
    rows = provincial.everything(size=77)
    keys = [(row["UPDATETIME"], row["PROJECT_CODE"]) for row in rows]
    assert keys == sorted(keys)
    first = provincial.page(1, 77)["data"]
    assert first["total"] == len(rows) == server.truth()["provincial"]["listed"]
    assert first["totalPage"] == -(-len(rows) // 77)


def test_truth_adds_up(server: SandboxServer, provincial: ProvincialCaller):
    truth, rows = server.truth()["provincial"], provincial.everything()
    opened = [row for row in rows if row["SECRET_FLAG"] == "0"]
    assert truth["unclassified"] == len(opened) == truth["good"] + truth["bad"]
    assert truth["items"] == sum(len(row["ITEMS"]) for row in opened)
    assert truth["void"] == sum(row["VALIDITY_FLAG"] == "0" for row in opened)
    bad = [
        row
        for row in opened
        if row["APPLY_DATE"].startswith("2026-13") or row["TOTAL_MONEY"].startswith("-") or not row["PROJECT_NAME"]
    ]
    assert sorted(row["PROJECT_CODE"] for row in bad) == sorted(sum(truth["bad_codes"].values(), []))
    marks = [
        row["PROJECT_CODE"]
        for row in opened
        if (row["THE_INDUSTRY"], row["PROJECT_TYPE"], row["DIVISION_CODE"]) == ("A00009", "A00001", "230500")
        and row["VALIDITY_FLAG"] == "1"
    ]
    assert sorted(marks) == truth["digital_codes"]
    formers = {row["PROJECT_CODE"]: row["OLD_PROJECT_CODE"] for row in opened if row["OLD_PROJECT_CODE"]}
    assert formers == {pair["new"]: pair["old"] for pair in truth["reissued"]}
    void = {row["PROJECT_CODE"] for row in opened if row["VALIDITY_FLAG"] == "0"}
    assert set(formers.values()) <= void


def test_truth_pages_hold_the_unclassified_rows(server: SandboxServer, provincial: ProvincialCaller):
    url, rows, number = f"{server.url}/control/truth/projects", [], 1
    while True:
        query = {"pageNo": number, "pageSize": 200}
        page = requests.get(url, params=query, headers=server.control_headers, timeout=5).json()
        rows += page["list"]
        number += 1
        if number > page["totalPage"]:
            break
    assert rows == [row for row in provincial.everything() if row["SECRET_FLAG"] == "0"]


def test_window_holds_just_the_rows_between_both_times(provincial: ProvincialCaller):
    rows = provincial.everything()
    low, high = rows[100]["UPDATETIME"], rows[180]["UPDATETIME"]
    data = provincial.page(1, 500, updateTimeStart=low.replace("T", " "), updateTimeEnd=high.replace("T", " "))["data"]
    assert data["list"] == rows[100:181]
    assert data["total"] == 81
    assert provincial.page(1, 500, updateTimeStart="2030-01-01 00:00:00")["data"] == ""


def test_zhejiang_lists_the_first_projects_in_its_own_words(
    server: SandboxServer, provincial: ProvincialCaller, zhejiang: ZhejiangCaller
):
    first, second, third = (zhejiang.page(number)["datas"] for number in range(3))
    rows = first["rows"] + second["rows"]
    assert (len(rows), third["rows"], first["dataCount"]) == (250, [], 250)
    theirs = provincial.everything()[:250]
    assert [row["deal_code"] for row in rows] == [row["PROJECT_CODE"] for row in theirs]
    assert all(re.fullmatch(r"-?[\d,]+\.\d\d万元", row["invest"]) for row in rows)
    assert sum(row["secretLevel"] == "秘密" for row in rows) == server.truth()["zj"]["classified"]
    later = zhejiang.page(modifiedFrom=rows[200]["gmt_modified"])["datas"]
    assert later["dataCount"] == 50
    assert zhejiang.page(size=201)["code"] != "00"


def test_front_end_database_holds_corrections(server: SandboxServer):
    truth = server.truth()["frontdb"]
    newest = "SELECT MAX(LSH) FROM SPGL_XMJBXXB GROUP BY XMDM"
    engine = create_engine(server.sandbox.engine.url)
    with engine.connect() as connection:
        latest = connection.execute(text(f"SELECT * FROM SPGL_XMJBXXB WHERE LSH IN ({newest})")).mappings().all()
        rows = connection.execute(text("SELECT COUNT(*) FROM SPGL_XMJBXXB")).scalar_one()
    engine.dispose()
    opened = [row for row in latest if row["MJ"] == "非密"]
    assert len(latest) == truth["listed"] == 300
    assert len(opened) == truth["unclassified"]
    assert sorted(row["XMDM"] for row in opened if row["SJYXBS"] == 0) == truth["void_codes"]
    assert rows == truth["rows"] > 300
    assert not any("填错" in row["XMMC"] for row in latest)


def test_front_end_database_follows_time():
    engine, world = create_engine("sqlite://"), World(60, 2)
    from include.sandbox.frontdb import write_frontdb

    write_frontdb(engine, world, 60)
    movement = advance(world, {"changes": 10})
    append_changes(engine, world, world.changed)
    with engine.connect() as connection:
        for changed in movement["changed"]:
            query = "SELECT SJYXBS, GXSJ FROM SPGL_XMJBXXB WHERE XMDM = :code ORDER BY LSH DESC"
            newest = connection.execute(text(query), {"code": changed["code"]}).first()
            if set(changed["fields"]) != {"UPDATETIME", "ITEMS"}:
                assert newest is not None
                assert newest[1] > "2026-11-21"
    engine.dispose()


def test_plan_says_what_the_truth_says(server: SandboxServer):
    truth = server.truth()
    plan, platform = truth["plan"], truth["provincial"]["digital_codes"]
    sheet = load_workbook(plan["files"][0])["2027年度计划"]
    rows = list(sheet.iter_rows(min_row=2, values_only=True))
    assert rows[0][1:4] == ("项目代码", "项目名称", "建设单位")
    assert rows[-1][0] == "合计"
    with open(plan["files"][1], encoding="gb18030", newline="") as file:
        theirs = list(csv.reader(file))[1:-1]
    assert len(theirs) == plan["in_department_file"] > 0
    assert len(rows) - 2 + len(theirs) == plan["entries"]
    names = [row[2].strip() for row in rows[1:-1]]
    for kind in (
        "name_differs",
        "amount_differs",
        "code_missing_matched",
        "code_check_fails",
        "not_on_platform",
    ):
        assert plan[kind], kind
        assert all(said["name"] in names for said in plan[kind])
    assert [row[8] for row in rows].count("秘密") == plan["refused"] == 1
    assert plan["not_in_plan"]
    assert set(plan["not_in_plan"]) <= set(platform)
    (pair,) = plan["two_codes"]
    assert set(pair["codes"]) <= set(platform)
    matched = [said["platform_code"] for kind in ("name_differs", "amount_differs", "amount_within_tolerance",
               "code_missing_matched", "code_check_fails") for said in plan[kind]]  # fmt: skip
    listed = [*matched, *plan["agrees"], *plan["not_in_plan"], pair["codes"][1]]
    assert sorted(listed) == platform
    for said in plan["code_check_fails"]:
        assert not mod_11_10.is_valid(said["code"].replace("-", ""))
    for said in plan["not_on_platform"]:
        assert said["code"] is None or said["code"] not in platform
