"""The whole way under Airflow's real scheduler: platforms → ledger → findings → people's channels, data sets and the board."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import func, select

from include.datasets.definitions import DATASETS
from include.ledger.alert_tables import outbox, told
from include.ledger.database import open_ledger
from include.ledger.tables import finding
from include.sandbox.demo_alerts import release
from include.sandbox.stack import Stack
from tests.board.served import CHROMIUM, browser
from tests.e2e.city.running import run_dag

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("heavy")]
PAGES = ("/", "/findings", "/systems", "/projects", "/sources", "/alerts", "/help")


def _taken(stack: Stack) -> list[dict[str, Any]]:
    return list(stack.channels()["taken"])


def _sent(stack: Stack) -> list[dict[str, Any]]:
    with open_ledger(f"sqlite:///{stack.home.ledger}").connect() as connection:
        return [dict(row) for row in connection.execute(select(outbox)).mappings()]


def test_people_are_told_over_every_channel_after_two_of_them_released_the_first_day(city: Stack) -> None:
    city.open_dag("record_decision")
    holds = city.ask("deliver", "--list", "--json")["holds"]
    assert holds, "the first day of a city brings too much at once"
    held_notices = [row for row in _sent(city) if "held" in row["reasons"]]
    assert {row["receiver"] for row in held_notices} == {"operator"}
    assert release(city, [hold["hold_id"] for hold in holds]) == "success"
    run_dag(city, "deliver_alerts")

    rows = _sent(city)
    assert Counter(row["state"] for row in rows) == {"sent": len(rows)}
    by_channel = Counter(row["channel"] for row in rows)
    assert by_channel.keys() >= {"dingtalk", "wecom", "feishu", "webhook", "mail", "spool"}
    took = Counter(one["channel"] for one in _taken(city))
    assert {name: took[name] for name in by_channel if name != "spool"} == {
        name: count for name, count in by_channel.items() if name != "spool"
    }
    assert city.channels()["refused"] == {}
    files = list((city.home.path / "spool").rglob("*.html"))
    assert len(files) == by_channel["spool"]

    with open_ledger(f"sqlite:///{city.home.ledger}").connect() as connection:
        open_ones = connection.execute(select(func.count()).where(finding.c.state == "open")).scalar_one()
        known = connection.execute(select(func.count(func.distinct(told.c.finding_id)))).scalar_one()
    assert open_ones * 0.8 < known <= open_ones  # what follows from a cause is not told beside it


def test_a_unit_gets_one_mail_a_judging_with_clause_remedy_and_how_to_object(city: Stack) -> None:
    mails = [one["content"] for one in _taken(city) if one["channel"] == "mail"]
    to = Counter(address for mail in mails for address in mail["to"] if address.endswith("@units.invalid"))
    assert len(to) >= 10
    passes = Counter((r["channel"], r["receiver"], r["department"], r["decided_at"]) for r in _sent(city))
    assert set(passes.values()) == {1}  # of a judging or a release, everything that concerns a unit is one message
    units = [mail for mail in mails if mail["to"][0] in to]
    assert not [mail for mail in mails if "违规" in mail["text"] + mail["html"]]
    body = max(units, key=lambda mail: len(mail["text"]))["text"]
    for words in ("第", "条", "异议", "签收"):
        assert words in body


def test_nothing_new_is_told_twice(city: Stack) -> None:
    before = {row["message_id"] for row in _sent(city)}
    city.ask("deliver", "--json")
    assert {row["message_id"] for row in _sent(city)} == before
    assert Counter(one["channel"] for one in _taken(city)).total() == len(
        [r for r in _sent(city) if r["channel"] != "spool"]
    )


def test_dashboards_read_back_what_the_ledger_holds(city: Stack) -> None:
    import duckdb
    import pandas

    run_dag(city, "publish_datasets")
    current = city.current_datasets()
    assert set(current) == set(DATASETS)
    folder = city.home.path / "datasets"
    with open_ledger(f"sqlite:///{city.home.ledger}").connect() as connection:
        for name, dataset in DATASETS.items():
            assert current[name]["held_back"] is None, name
            file = folder / current[name]["files"]["parquet"]["path"]
            count = connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()
            frame = pandas.read_parquet(file)
            assert list(frame.columns) == list(dataset.names)
            (by_duckdb,) = duckdb.sql(f"SELECT count(*) FROM read_parquet('{file}')").fetchone() or (None,)
            assert count == len(frame) == by_duckdb == current[name]["rows"], name
            assert len(frame) > 0, name
    people = pandas.read_csv(folder / "current" / f"{DATASETS['findings'].id}.csv", dtype=str)
    assert "线索编号" in people.columns or any("编号" in title for title in people.columns)


def test_the_house_is_kept_by_a_run_that_hung_and_goes_on(kept: str) -> None:
    assert kept == "success"


@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no Chromium at {CHROMIUM}: apt-get install chromium")
def test_the_board_opens_within_airflow_and_for_nobody_else(city: Stack) -> None:
    root = city.api.url
    with requests.Session() as anonymous:
        anonymous.trust_env = False
        for page in PAGES:
            answer = anonymous.get(f"{root}/shuheng{page}", allow_redirects=False, headers={"accept": "text/html"})
            assert answer.status_code in (302, 303, 307), page
            assert "login" in answer.headers["location"]
        assert anonymous.get(f"{root}/shuheng/api/v1/findings").status_code == 401
    token = requests.post(
        f"{root}/auth/token", json={"username": "leader", "password": city.home.passwords()["leader"]}, timeout=30
    ).json()["access_token"]
    wrong: list[str] = []
    with browser() as chromium:
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        context.add_cookies([{"name": "_token", "value": token, "domain": urlsplit(root).hostname, "path": "/"}])
        tab = context.new_page()
        tab.on("console", lambda m: wrong.append(f"{tab.url}: {m.text}") if m.type == "error" else None)
        tab.on("pageerror", lambda error: wrong.append(f"{tab.url}: {error}"))
        for page in PAGES:
            assert tab.goto(f"{root}/shuheng{page}").status == 200, page
            assert tab.locator("h1").count() == 1
        tab.goto(f"{root}/shuheng/findings")
        tab.locator("table.list a[href*='/findings/']").first.click()
        tab.wait_for_load_state("load")
        assert "/findings/" in tab.url
        assert tab.get_by_text("下一步").count() >= 1
    assert not wrong
