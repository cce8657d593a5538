"""The city: what its platforms and files say over the wire agrees with each other and with what is planted."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import requests
from openpyxl import load_workbook
from sandbox_client import CloudCaller, ExchangeCaller, UsageCaller

from include.sandbox.city_days import Days
from include.sandbox.codes import UNUSED_DEPARTMENT
from include.sandbox.profiles import PROFILES
from include.sandbox.server import SandboxServer
from include.sandbox.systems import FOREIGN_URLS, City, default_number
from include.sandbox.world import World

TODAY = datetime.now(timezone(timedelta(hours=8))).date()
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def city_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    home = tmp_path_factory.mktemp("city")
    with SandboxServer(projects=600, seed=5, systems=240, today=TODAY, home=home) as server:
        yield server


@pytest.fixture(scope="module")
def told(city_server: SandboxServer) -> dict[str, Rows]:
    """Return everything that the platforms say, daily data of 90 days."""
    exchange, cloud, usage = ExchangeCaller(city_server), CloudCaller(city_server), UsageCaller(city_server)
    begin, end = str(TODAY - timedelta(days=90)), str(TODAY)
    window = {"from": begin, "to": end}
    return {
        "systems": exchange.rows("application/list", 70),
        "services": exchange.rows("service/getlist", 70),
        "calls": exchange.rows("calllog/daily", 5000, dayFrom=begin, dayTo=end),
        "resources": cloud.rows("resources", 70),
        "metrics": cloud.rows("metrics/daily", 5000, **window),
        "usage": usage.rows(5000, **window) + usage_of_files(city_server, begin),
    }


def usage_of_files(server: SandboxServer, begin: str) -> Rows:
    rows: Rows = []
    for path in sorted((Path(str(server.options.home)) / "usage").glob("*.csv")):
        with path.open(encoding="gb18030", newline="") as file:
            for line in csv.DictReader(file):
                if line["日期"] >= begin:
                    counts = {"loginCount": int(line["登录次数"]), "activeUsers": int(line["活跃用户数"])}
                    rows.append({"appCode": line["系统编码"], "day": line["日期"], **counts})
    return rows


@pytest.fixture(scope="module")
def truth(city_server: SandboxServer) -> dict[str, Any]:
    found: dict[str, Any] = city_server.truth()["systems"]
    return found


def sheet(server: SandboxServer, name: str) -> Rows:
    book = load_workbook(Path(str(server.options.home)) / "register" / "信息系统台账.xlsx")
    heading, *lines = book[name].values
    return [dict(zip(heading, line, strict=True)) for line in lines]  # type: ignore[arg-type]


def test_every_profile_is_there_several_times(truth: dict[str, Any]):
    counts = Counter(system["profile"] for system in truth["systems"].values())
    assert set(counts) == set(PROFILES) - {"classified"}
    assert min(counts.values()) >= 4
    assert counts["healthy"] == 60
    assert len(truth["classified"]["names"]) >= 4
    assert (default_number(200), default_number(2000), default_number(10**6)) == (120, 400, 1000)


def test_the_registers_list_what_is_planted(city_server: SandboxServer, told: dict[str, Rows], truth: dict[str, Any]):
    open_ones = {row["APP_CODE"] for row in told["systems"] if row["SECRET_FLAG"] == "0"}
    unlisted = {"claimed_only", "none", "building", "stopped", "called_but_not_listed", "exempt_interconnection"}
    assert open_ones == {c for c, s in truth["systems"].items() if s["profile"] not in unlisted}
    lines = sheet(city_server, "信息系统")
    assert {line["系统编码"] for line in lines if line["密级"] != "秘密"} == set(truth["systems"])
    assert {line["系统名称"] for line in lines if line["密级"] == "秘密"} == set(truth["classified"]["names"])
    listed = {row["code"]: row for row in told["services"] if row["secretLevel"] != "秘密"}
    assert listed.keys() == truth["services"].keys()
    assert {row["cataType"] for row in listed.values()} == {"接口", "库表", "文件"}
    resources = {row["resourceId"] for row in told["resources"] if not row["secretLevel"]}
    assert resources == {code for s in truth["systems"].values() for code in s["resources"]}


def test_daily_data_is_dense_and_ends_with_yesterday(told: dict[str, Rows], truth: dict[str, Any]):
    yesterday = TODAY - timedelta(days=1)
    days = {row["CALL_DAY"] for row in told["calls"]}
    assert (max(days), len(days)) == (str(yesterday), 90)
    measured = Counter(row["resourceId"] for row in told["metrics"])
    for system in truth["systems"].values():
        count = {"missing_days": 60, "no_metrics": 0, "new": 30, "trial": 20, "stopped": 0}.get(system["profile"], 90)
        assert {measured[code] for code in system["resources"]} <= {count}, system


def test_classified_systems_have_no_daily_data_and_no_details(
    city_server: SandboxServer, told: dict[str, Rows], truth: dict[str, Any]
):
    hidden = {text for texts in truth["classified"].values() for text in texts}
    for kind, rows in told.items():
        marked = [r for r in rows if r.get("SECRET_FLAG") == "1" or r.get("secretLevel") == "秘密"]
        shown = [row for row in rows if row not in marked]
        assert not any(value in hidden for row in shown for value in row.values()), kind
    caller = ExchangeCaller(city_server)
    assert caller.call("service/getdetail", code=truth["classified"]["services"][0]).json()["code"] == "-1"


def by_system(told: dict[str, Rows], truth: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each system and what 30 and 90 days of served data say of it, counted here anew."""
    owner = {code: system for system, s in truth["systems"].items() for code in (*s["resources"], *s["services"])}
    loads, calls, logins = defaultdict(list), Counter[str](), defaultdict(list)
    late = TODAY - timedelta(days=30)
    for row in told["metrics"]:
        if date.fromisoformat(row["date"]) >= late and row["cpuAvg"] is not None:
            loads[owner[row["resourceId"]]].append(row)
    for row in told["calls"]:
        if row["CALLER_TYPE"] == "业务" and row["CALL_DAY"] >= str(late) and row["SERVICE_CODE"] in owner:
            calls[owner[row["SERVICE_CODE"]]] += row["TOTAL"] - row["FAILED"]
    for row in told["usage"]:
        logins[row["appCode"]].append(row)
    for code, system in truth["systems"].items():
        hosts = sum(name.startswith("ecs") for name in system["resources"])
        rows = loads[code]
        yield (
            system,
            {
                "coverage": len(rows) / (30 * hosts) if hosts else 0.0,
                "cpu": mean(row["cpuAvg"] for row in rows) if rows else None,
                "cpu_max": mean(row["cpuMax"] for row in rows) if rows else None,
                "memory": max(row["memMax"] for row in rows) if rows else None,
                "calls": calls[code],
                "logins": [row["loginCount"] for row in logins[code]],
                "late_logins": sum(r["loginCount"] for r in logins[code][-30:]),
                "active": mean(row["activeUsers"] for row in logins[code]) if logins[code] else None,
            },
        )


def test_what_is_planted_can_be_found_in_the_data(told: dict[str, Rows], truth: dict[str, Any]):
    compared = Counter[str]()
    for system, seen in by_system(told, truth):
        expected = system["expected"]
        if expected.get("idle") in ("pass", "fail"):
            is_idle = seen["cpu"] < 5 and seen["cpu_max"] < 20 and not seen["calls"] and not seen["late_logins"]
            assert (expected["idle"] == "fail") == is_idle, (system, seen)
        elif expected.get("idle") == "unknown":
            assert seen["coverage"] < 0.8 or not seen["logins"]
        if expected.get("low_use") in ("pass", "fail"):
            assert (expected["low_use"] == "fail") == (sum(map(bool, seen["logins"])) < 8), (system, seen)
        elif expected.get("low_use") == "unknown":
            assert not seen["logins"]
        if expected.get("oversized") in ("pass", "fail"):
            assert (expected["oversized"] == "fail") == (seen["cpu_max"] < 35 and seen["memory"] < 50), (system, seen)
        compared.update({rule: 1 for rule in expected})
    assert min(compared[rule] for rule in ("idle", "low_use", "oversized", "zombie", "stale", "cloud")) > 150


def test_stages_of_interconnection_are_in_the_call_log(told: dict[str, Rows], truth: dict[str, Any]):
    last: dict[str, str] = {}
    for row in told["calls"]:
        if row["CALLER_TYPE"] == "业务" and row["LAST_SUCCESS"]:
            for code in (row["SERVICE_CODE"], row["CALLER_CODE"]):
                last[code] = max(last.get(code, ""), row["CALL_DAY"])
    probed = {row["SERVICE_CODE"] for row in told["calls"] if row["CALLER_TYPE"] == "探测"}
    old = str(TODAY - timedelta(days=31))
    for code, system in truth["systems"].items():
        reached = max((last.get(service, "") for service in system["services"]), default="")
        if system["profile"] == "connected_by_calls":
            assert reached == str(TODAY - timedelta(days=1))
        elif system["profile"] == "last_success_too_old":
            assert "" < reached < old
        elif system["profile"] in ("registered_never_called", "connected_by_probe_only"):
            assert reached == ""
            assert (system["services"][0] in probed) == (system["profile"] == "connected_by_probe_only")
        elif system["profile"] in ("consumer_only", "called_but_not_listed"):
            assert last[code] == str(TODAY - timedelta(days=1))
        elif system["profile"] in ("claimed_only", "none"):
            assert code not in last
    listed = truth["services"].keys()
    assert {s for s in last if s.endswith("unlisted")} - listed


def test_flat_traffic_is_the_same_every_day(told: dict[str, Rows], truth: dict[str, Any]):
    for system in truth["systems"].values():
        rows = [r for r in told["calls"] if r["SERVICE_CODE"] in system["services"] and r["CALLER_TYPE"] == "业务"]
        by_day = Counter[str]()
        for row in rows:
            by_day[row["CALL_DAY"]] += row["TOTAL"]
        if system["profile"] == "flat_traffic":
            assert len(set(by_day.values())) == 1
            assert len(by_day) == 90
        elif system["profile"] == "healthy" and by_day:
            assert len(set(by_day.values())) > 30


def test_files_hold_the_usage_of_one_department(city_server: SandboxServer, truth: dict[str, Any]):
    in_files = {code for code, system in truth["systems"].items() if system["usage_in_files"]}
    on_platform = UsageCaller(city_server).rows(**{"from": str(TODAY - timedelta(days=2)), "to": str(TODAY)})
    assert in_files
    assert not in_files & {row["appCode"] for row in on_platform}
    assert {truth["systems"][code]["unit"] for code in in_files} == {"双鸭山市卫生健康委员会"}
    assert max(row["day"] for row in usage_of_files(city_server, "")) == str(TODAY - timedelta(days=1))
    moment = datetime.fromtimestamp(on_platform[0]["statDate"] / 1000, timezone(timedelta(hours=8)))
    assert (moment.date(), moment.hour) == (TODAY - timedelta(days=2), 0)


def test_exemptions_and_windows(city_server: SandboxServer, truth: dict[str, Any]):
    for line in sheet(city_server, "豁免登记"):
        profile = truth["systems"][line["系统编码"]]["profile"]
        assert (line["到期日期"] < str(TODAY)) == (profile == "exempt_expired")
        assert line["豁免事项"] == {"exempt_interconnection": "联通", "exempt_idle": "闲置"}.get(profile, "上云")
    windows = sheet(city_server, "检修窗口")
    now = datetime.now(timezone(timedelta(hours=8))).strftime("%Y-%m-%d %H:%M:%S")
    assert any(line["开始时间"] <= now < line["结束时间"] for line in windows)
    assert {truth["systems"][line["系统编码"]]["profile"] for line in windows} == {"healthy"}


def test_codes_join_with_projects(city_server: SandboxServer, truth: dict[str, Any]):
    whole = city_server.truth()
    digital = set(whole["provincial"]["digital_codes"])
    replaced = {pair["old"] for pair in whole["provincial"]["reissued"]}
    for system in truth["systems"].values():
        codes = set(system["project_codes"])
        if system["profile"] == "old_project_code":
            assert codes <= replaced
        elif system["profile"] == "project_not_found":
            assert all(f"-{UNUSED_DEPARTMENT}-" in code for code in codes)
        else:
            assert codes <= digital
            assert len(codes) == {"no_project": 0, "two_projects": 2}.get(system["profile"], 1)
    missing = set(truth["projects_without_system"])
    assert missing
    assert missing <= digital
    assert not missing & {code for system in truth["systems"].values() for code in system["project_codes"]}
    assert set(truth["without_project"]) == {c for c, s in truth["systems"].items() if not s["project_codes"]}


def test_details_lead_to_the_gateway(city_server: SandboxServer, truth: dict[str, Any]):
    caller, gateway = ExchangeCaller(city_server), city_server.gateway
    answers = {service["answers"] for service in truth["services"].values()}
    assert {"ok", "slow", "refuses", "error_500", "hangs"} <= answers
    assert answers & set(FOREIGN_URLS)
    for code, service in truth["services"].items():
        if service["answers"] == "ok" and service["kind"] == "接口" and service["state"] == "已发布":
            detail = caller.call("service/getdetail", code=code).json()["data"]
            assert detail["url"] == service["url"] == gateway.urls[code]
            assert detail["healthText"] in requests.get(detail["url"], timeout=5).text
            break
    foreign = next(c for c, s in truth["services"].items() if s["answers"] in FOREIGN_URLS)
    assert caller.call("service/getdetail", code=foreign).json()["data"]["url"] in FOREIGN_URLS


def test_sids_and_parameters_are_checked(city_server: SandboxServer):
    caller = ExchangeCaller(city_server)
    assert caller.login("s_sys_other").get("code") == "E-106"
    assert caller.login("s_sys_log001").get("code") == "0"
    assert caller.call("calllog/daily", sid="s_sys_supply009").json()["code"] == "E-106"
    assert caller.call("application/list", pageNo=1, pageSize=1001).json()["code"] == "-1"
    assert caller.call("calllog/daily", dayFrom="2026-13-01", dayTo="2026-01-01").json()["code"] == "-1"
    assert caller.call("calllog/daily", dayFrom=str(TODAY), dayTo=str(TODAY)).json()["data"] == ""


def test_signatures_of_cloud_and_usage_are_checked(city_server: SandboxServer):
    cloud, usage = CloudCaller(city_server), UsageCaller(city_server)
    for name, value in (("signature", "0" * 64), ("timestamp", "1000"), ("paasid", "nobody")):
        answer = cloud.call("resources", {f"x-tif-{name}": value})
        assert (answer.status_code, answer.json()["code"]) == (500, 400001)
    repeated = cloud.call("resources").request
    assert requests.Session().send(repeated, timeout=5).status_code == 500
    assert cloud.call("resources", limit=5001).json()["code"] == 400002
    window = {"from": str(TODAY), "to": str(TODAY)}
    assert usage.call(**window) == {"code": "200", "msg": "", "data": {"list": [], "next": ""}}
    for name, value in (("sign", "0" * 64), ("timestamp", "1000"), ("appKey", "nobody")):
        assert usage.call(**{name: value}, **window)["code"] in ("40101", "40102", "40103")
    assert usage.call(cursor="nonsense", **window)["code"] == "40001"


def test_a_day_is_the_same_whoever_asks_and_when():
    world = World(300, 7)
    first, second = (Days(City(world, 100, date(2026, 11, 24))) for _ in range(2))
    later = Days(City(world, 100, date(2026, 11, 25)))
    for kind in ("calls", "metrics", "usage"):
        for day in (date(2026, 11, 20), date(2026, 8, 1)):
            assert first.encoded(kind, day) == second.encoded(kind, day)
            ours, theirs = first.encoded(kind, day), set(later.encoded(kind, day))
            assert len([row for row in ours if row not in theirs]) <= len(ours) // 10
        other = Days(City(World(300, 8), 100, date(2026, 11, 24)))
        assert first.encoded(kind, date(2026, 11, 20)) != other.encoded(kind, date(2026, 11, 20))


def test_a_home_keeps_its_start_day(tmp_path: Path):
    with SandboxServer(projects=40, systems=60, today=date(2026, 9, 1), home=tmp_path) as server:
        assert server.truth()["systems"]["start"] == "2026-09-01"
    with SandboxServer(projects=40, systems=60, home=tmp_path) as server:
        assert server.truth()["systems"]["start"] == "2026-09-01"
    with pytest.raises(ValueError, match="at least one system"):
        SandboxServer(projects=40, systems=0)
