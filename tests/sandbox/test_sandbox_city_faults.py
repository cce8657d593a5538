"""Faults of the city's platforms: those of days, of the clock and of whole platforms, and paging as elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests
from sandbox_client import CloudCaller, ExchangeCaller, UsageCaller

from include.sandbox.faults import Fault
from include.sandbox.server import SandboxServer

TODAY = datetime.now(timezone(timedelta(hours=8))).date()
WINDOW = {"from": str(TODAY - timedelta(days=8)), "to": str(TODAY)}
LOG = {"dayFrom": WINDOW["from"], "dayTo": WINDOW["to"]}


@pytest.fixture
def exchange(server: SandboxServer) -> ExchangeCaller:
    return ExchangeCaller(server)


@pytest.fixture
def cloud(server: SandboxServer) -> CloudCaller:
    return CloudCaller(server)


@pytest.fixture
def usage(server: SandboxServer) -> UsageCaller:
    return UsageCaller(server)


@pytest.fixture
def hang_timeout(server: SandboxServer) -> Iterator[float]:
    yield 0.3
    server.clear_faults()


def days_of(rows: list[dict[str, Any]], field: str) -> set[str]:
    return {str(row[field]).replace("-", "") for row in rows}


def test_missing_days(server: SandboxServer, exchange: ExchangeCaller, cloud: CloudCaller, usage: UsageCaller):
    gone = {f"{TODAY - timedelta(days=n):%Y%m%d}" for n in (2, 3, 4)}
    whole = {f"{TODAY - timedelta(days=n):%Y%m%d}" for n in range(1, 9)}
    assert days_of(exchange.rows("calllog/daily", **LOG), "CALL_DAY") == whole
    for platform in ("exchange", "cloud", "usage"):
        server.fault("missing_days", platform, times=0)
    assert days_of(exchange.rows("calllog/daily", **LOG), "CALL_DAY") == whole - gone
    assert days_of(cloud.rows("metrics/daily", **WINDOW), "date") == whole - gone
    assert len({row["statDate"] for row in usage.rows(**WINDOW)}) == 5
    assert cloud.rows("resources")


def test_all_zero(server: SandboxServer, exchange: ExchangeCaller, cloud: CloudCaller, usage: UsageCaller):
    honest = len(cloud.rows("metrics/daily", **WINDOW)), len(exchange.rows("calllog/daily", **LOG))
    for platform in ("exchange", "cloud", "usage"):
        server.fault("all_zero", platform, times=0)
    metrics, log = cloud.rows("metrics/daily", **WINDOW), exchange.rows("calllog/daily", **LOG)
    assert (len(metrics), len(log)) == honest
    assert {row[name] for row in metrics for name in ("cpuAvg", "cpuMax", "memMax", "diskUse")} == {0, None}
    assert {row["TOTAL"] for row in log} == {0}
    assert {row["loginCount"] for row in usage.rows(**WINDOW)} == {0}


def test_hour_off_lets_callers_in_but_shows_another_hour_and_other_days(
    server: SandboxServer, exchange: ExchangeCaller, cloud: CloudCaller
):
    past = LOG | {"dayTo": str(TODAY - timedelta(days=1))}  # in the last hour of a day it shows the next one already
    honest = exchange.rows("calllog/daily", **past)
    server.fault("hour_off", "exchange", times=0)
    answer = exchange.call("application/list", pageNo=1)
    assert answer.json()["code"] == "0"
    assert 3590 < parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time() < 3610
    shifted = exchange.rows("calllog/daily", **past)
    assert shifted != honest
    assert sum(row["TOTAL"] for row in shifted) == pytest.approx(sum(row["TOTAL"] for row in honest), rel=0.1)
    date = parsedate_to_datetime(cloud.call("resources").headers["date"]).timestamp()
    assert abs(date - time.time()) < 10


def test_partial_pages_lose_rows_by_offset_but_not_by_cursor(
    server: SandboxServer, exchange: ExchangeCaller, cloud: CloudCaller, usage: UsageCaller
):
    resources = cloud.call("resources", offset=0, limit=50).json()["data"]
    everything = usage.rows(**WINDOW)
    for platform in ("exchange", "cloud", "usage"):
        server.fault("partial_pages", platform, times=0)
    partial = cloud.call("resources", offset=0, limit=50).json()["data"]
    assert (partial["rows"], partial["count"]) == (resources["rows"][:30], resources["count"])
    data = exchange.call("application/list", pageNo=2, pageSize=40).json()["data"]
    assert (len(data["list"]), data["total"]) == (24, 107)
    assert len(exchange.call("application/list", pageNo=3, pageSize=40).json()["data"]["list"]) == 27
    assert usage.rows(limit=100, **WINDOW) == everything


def test_down_is_everything_of_one_platform(server: SandboxServer, exchange: ExchangeCaller, cloud: CloudCaller):
    exchange.login()
    server.fault("down", "exchange")
    assert [exchange.call("application/list").status_code for _ in range(3)] == [503] * 3
    login = requests.post(f"{server.url}/exchange/auth/refreshappsecret", json={}, timeout=5)
    assert login.status_code == 503
    assert cloud.call("resources").status_code == 200
    server.clear_faults()
    assert exchange.call("application/list").status_code == 200


def test_gateway_down_silences_every_endpoint(server: SandboxServer, hang_timeout: float):
    services = server.truth()["systems"]["services"].values()
    url = next(s["url"] for s in services if s["answers"] == "ok" and s["url"])
    assert requests.get(url, timeout=2).status_code == 200
    server.fault("gateway_down", "exchange")
    for _ in range(2):
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(url, timeout=hang_timeout)
    server.clear_faults()
    assert requests.get(url, timeout=2).status_code == 200


def test_faults_may_be_narrowed_to_a_call_and_a_page(
    server: SandboxServer, exchange: ExchangeCaller, cloud: CloudCaller
):
    server.fault("html_200", "exchange", page=2, times=0, call="services")
    assert exchange.call("application/list", pageNo=2, pageSize=10).json()["code"] == "0"
    assert exchange.call("service/getlist", pageNo=1, pageSize=10).json()["code"] == "0"
    assert exchange.call("service/getlist", pageNo=2, pageSize=10).text.startswith("<!DOCTYPE")
    server.fault("error_500", "cloud", page=3)
    codes = [cloud.call("resources", offset=n * 20, limit=20).status_code for n in (0, 1, 2, 2)]
    assert codes == [200, 200, 500, 200]


@pytest.mark.parametrize("scenario", ["wrong_total", "repeated_page", "skipped_page", "shifting_pages", "empty_list"])
def test_faults_of_paging_as_elsewhere(server: SandboxServer, cloud: CloudCaller, scenario: str):
    honest = [cloud.call("resources", offset=n * 20, limit=20).json()["data"] for n in range(3)]
    server.fault(scenario, "cloud", times=0)
    data = cloud.call("resources", offset=20, limit=20).json()["data"]
    count, rows = honest[1]["count"], honest[1]["rows"]
    wanted = {
        "wrong_total": (count + 7, rows),
        "repeated_page": (count, honest[0]["rows"]),
        "skipped_page": (count, honest[2]["rows"]),
        "shifting_pages": (count, [honest[0]["rows"][-1], *rows[:-1]]),
        "empty_list": (0, []),
    }
    assert (data["count"], data["rows"]) == wanted[scenario]


def test_endless_paging_of_a_cursor(server: SandboxServer, usage: UsageCaller):
    server.fault("endless_paging", "usage", times=0)
    cursor = ""
    for _ in range(30):
        data = usage.call(limit=200, cursor=cursor, **WINDOW)["data"]
        assert data["next"] not in ("", cursor)
        cursor = data["next"]


def test_expired_secrets(server: SandboxServer, exchange: ExchangeCaller, cloud: CloudCaller, usage: UsageCaller):
    for platform in ("exchange", "cloud", "usage"):
        server.fault("expired_secret", platform)
    assert exchange.call("application/list").json()["code"] == "E-107"
    assert cloud.call("resources").status_code == 500
    assert usage.call(**WINDOW)["code"] == "40104"
    server.rotate()
    assert exchange.call("application/list").json()["code"] == "E-107"
    exchange.login()
    assert exchange.call("application/list").json()["code"] == "0"


def test_faults_of_the_city_are_refused_elsewhere():
    with pytest.raises(ValueError, match="exchange, cloud, usage"):
        Fault("missing_days", "provincial")
    assert Fault.parse("down:exchange") == Fault("down", "exchange", None, 0)
