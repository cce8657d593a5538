"""The API answers what the ledger holds, a page at a time, and tells what is wrong in its own form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, func, select, update

from include.alerts.watchdog import WATCH
from include.ledger.alert_tables import compliance_day, outbox
from include.ledger.tables import finding
from tests.board.asking import Board
from tests.board.planted import HOLD, HOSTILE, ODD_CODE, PROJECT
from tests.rules.evidence import DAY


def _count(engine: Engine, *where: Any) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(finding).where(*where)).scalar_one()


def _total(board: Board, asked: str) -> int:
    return int(board.get(f"/findings?{asked}")["total"])


def test_findings_are_filtered_as_asked(city: Engine, board: Board) -> None:
    f = finding.c
    is_open = (f.state == "open") & (f.handling != "settled")
    assert _total(board, "") == _total(board, "state=open") == _count(city, is_open) > 10
    settled = board.get("/findings?state=settled")
    assert [(row["state"], row["handling"]) for row in settled["items"]] == [("settled", "settled")]
    assert _total(board, "handling=settled") == 0, "what is settled is not open"
    assert _total(board, "state=all") == _count(city)
    for asked, where in {
        "outcome=fail": f.outcome == "fail", "severity=high&severity=medium": f.severity.in_(("high", "medium")),
        "rule=deployed-on-city-cloud": f.rule == "deployed-on-city-cloud", "handling=waived": f.handling == "waived",
        "subject_type=project": f.subject_type == "project", "is_overdue=true": f.overdue_since.is_not(None),
    }.items():  # fmt: skip
        assert _total(board, asked) == _count(city, is_open, where) > 0, asked
    of_13 = board.get("/findings?article=13&limit=500")
    assert {row["article"] for row in of_13["items"]} == {13}
    assert {row["scope"] for row in board.get("/findings?scope=regulation&limit=500")["items"]} == {"regulation"}
    assert {row["department"] for row in board.get(f"/findings?department={quote('局<b>&')}")["items"]} == {"局<b>&"}
    nobody = board.get(f"/findings?department={quote('未登记单位')}&limit=500")["items"]
    assert "nobody" in {row["subject"] for row in nobody}
    assert not [row for row in nobody if row["department"]]
    departments = {row["department"] or "未登记单位" for row in board.get("/findings?limit=500")["items"]}
    assert sum(_total(board, f"department={quote(name)}") for name in departments) == _count(city, is_open)


def test_text_is_searched_as_text(city: Engine, board: Board) -> None:
    first = board.get("/findings")["items"][0]
    assert _total(board, f"q={first['finding_id'][:10]}") == 1
    assert _total(board, f"q={quote('自建系统')}") > 0
    for sign in ("%", "_", "\\", "'"):
        found = board.get(f"/findings?q={quote('x' + sign + 'y')}")
        assert found["total"] == 0, sign


def test_pages_follow_one_another_without_gap(city: Engine, board: Board) -> None:
    for path in ("/findings?limit=7&sort=-since&state=all", "/systems?limit=2&sort=name", "/compliance?limit=100"):
        seen, step, whole = [], path, board.get(path)["total"]
        while step:
            page = board.get(step)
            seen += [json.dumps(row, sort_keys=True) for row in page["items"]]
            step = page["links"]["next"]
        assert len(seen) == len(set(seen)) == whole > 5
    last = board.get("/findings?limit=7&offset=1000")
    assert (last["items"], last["links"]["next"]) == ([], None)
    assert last["total"] > 0
    assert board.get("/systems?offset=100")["total"] == 7


@pytest.mark.parametrize("sort", ["severity", "since", "judged", "subject", "rule"])
def test_orders_are_kept_both_ways(city: Engine, board: Board, sort: str) -> None:
    key = {"since": "first_seen_on", "judged": "judged_on"}.get(sort, sort)
    up, down = (
        [row[key] for row in board.get(f"/findings?limit=500&sort={sign}{sort}")["items"]] for sign in ("", "-")
    )
    rank = (lambda v: ["critical", "high", "medium", "low", None].index(v)) if key == "severity" else str
    if sort != "subject":  # ordered by the type first
        assert [rank(v) for v in up] == sorted(rank(v) for v in up)
        assert [rank(v) for v in down] == sorted((rank(v) for v in down), reverse=True)
    assert sorted(map(str, up)) == sorted(map(str, down))


def test_a_finding_tells_everything(city: Engine, board: Board) -> None:
    told = board.get("/findings?handling=acknowledged")["items"][0]["finding_id"]
    found = board.get(f"/findings/{told}")
    assert found["law"]["text"]
    assert found["steps"]
    assert found["events"][-1]["kind"] == "opened"
    assert [(row["receiver"], row["state"]) for row in found["told"]] == [("unit", "sent")]
    with city.begin() as connection:
        connection.execute(update(outbox).where(outbox.c.department == "市教育局").values(state="dead"))
    assert [row["state"] for row in board.get(f"/findings/{told}")["told"]] == ["dead"], "decided, and yet not told"
    page = board.ask(f"/findings/{told}").text
    with city.begin() as connection:
        connection.execute(update(outbox).where(outbox.c.department == "市教育局").values(state="sent"))
    assert "未能送达" in page
    assert "未能送达" not in board.ask(f"/findings/{told}").text
    assert found["decisions"][0]["requested_by"] == HOSTILE
    assert found["stretches"][0]["until_day"] is None
    assert found["judged_day"] == str(DAY)
    again = board.get(f"/findings/{told}?is_again=true")
    assert {k: v for k, v in again.items() if k != "is_again"} == {k: v for k, v in found.items() if k != "is_again"}
    settled = board.get("/findings?state=settled")["items"][0]["finding_id"]
    assert board.get(f"/findings/{settled}")["decisions"][0]["result"] == "criticised"
    page = board.ask(f"/findings/{settled}").text
    assert ("通报批评" in page, "不再催办" in page) == (True, True)
    held = board.get("/findings?handling=waived")["items"][0]["finding_id"]
    assert board.get(f"/findings/{held}")["is_held"]


def test_dossiers_join_what_belongs_together(city: Engine, board: Board) -> None:
    busy = board.get("/systems/busy")
    assert [one["name"] for one in busy["projects"]] == ["繁忙项目"]
    assert len(busy["usage"]) == 100
    assert busy["usage"][-1]["logins"] == 60
    assert [one["code"] for one in busy["services"]] == ["s1"]
    odd = board.get(f"/systems/{quote(ODD_CODE, safe='')}")
    assert (odd["name"], [one["code"] for one in odd["projects"]]) == (HOSTILE, [PROJECT])
    assert odd["leads"] + odd["hints"] == len(odd["holes"]) > 0
    project = board.get(f"/projects/{PROJECT}")
    assert [one["code"] for one in project["named_systems"]] == [ODD_CODE]
    running = next(c for c in project["clocks"] if c["rule"] == "review-within-15-working-days")
    assert (running["due"], running["left"], running["reason"]) == ("2026-11-23", [1, 1], "due_soon")
    days = [entry["day"] for entry in project["timeline"]]
    assert days == sorted(days)
    assert {"合同", "建设", "整改"} <= {entry["kind"] for entry in project["timeline"]}


def test_the_state_of_the_whole_is_told(city: Engine, board: Board) -> None:
    overview = board.get("/overview")
    assert overview["open"] == sum(overview["severities"].values()) == sum(overview["ages"].values())
    assert sum(d["leads"] + d["hints"] for d in overview["departments"]) == _count(
        city,
        finding.c.state == "open",
        finding.c.handling != "settled",
        finding.c.subject_type.not_in(("source", "calendar", "plan_year")),
    )
    assert (overview["incidents"], overview["dead"], overview["holds"], overview["overdue"]) == (1, 1, 1, 1)
    assert len(overview["trend"]) == 91
    rate = next(r for r in overview["rates"] if r["name"] == "cloud_rate")
    assert (rate["denominator"], rate["unknown"] >= 0, rate["waived"] >= 0, rate["settled"] >= 0) == (
        6,
        True,
        True,
        True,
    )
    assert (overview["handlings"]["settled"], overview["trend"][-1]["settled"]) == (1, 8)
    assert overview["open"] == sum(n for handling, n in overview["handlings"].items() if handling != "settled")
    sources = {row["source"]: row for row in board.get("/sources")["items"]}
    assert sources["system_register"]["evidence"] == "pass"
    assert sources["system_register"]["last"]["is_complete"]
    assert sources["zj_projects"]["last"] is None
    alerts = board.get("/alerts?state=dead")
    assert alerts["messages"]["total"] == 1
    assert [h["hold_id"] for h in alerts["holds"]] == [HOLD]
    assert [one["cause"] for one in alerts["incidents"]] == ["failed"]
    ended = [(one["pipeline"], one["title"], one["last_ended_at"][:13]) for one in alerts["pipelines"]]
    assert ended == [
        ("sync_projects", "同步投资项目", f"{DAY}T08"), ("keep_house", "日常整理", f"{DAY}T07"),
        (WATCH, "运行监测", f"{DAY}T08"), ("own_pipeline", "own_pipeline", f"{DAY}T08"),
    ]  # fmt: skip
    message = board.get(f"/alerts/{alerts['messages']['items'][0]['message_id']}")
    assert message["content"]["sections"][0]["items"][0]["text"] == HOSTILE
    assert board.get("/alerts?channel=dingtalk")["messages"]["items"][0]["state"] == "sent"


def test_daily_figures_stand_beside_unknown_and_waived(city: Engine, board: Board) -> None:
    asked = f"/compliance?since={DAY}&department={quote('市教育局')}&rule=resources-not-idle"
    row = board.get(asked)["items"][0]
    assert (row["rate_bp"], row["unknown"], row["waived"], row["settled"]) == (8333, 0, 1, 2)
    with city.connect() as connection:
        whole = connection.execute(select(func.count()).select_from(compliance_day)).scalar_one()
    assert board.get("/compliance")["total"] == whole == 480


def test_what_is_published_is_read_as_it_is(empty: None, board: Board, tmp_path: Path) -> None:
    assert board.get("/datasets")["items"] == []
    folder = tmp_path / "datasets"
    folder.mkdir()
    held = {"since": "2026-11-27T08:00:00+08:00", "reasons": [{"guard": "rows_fewer", "text": "行数骤减"}]}
    entry = {"title": "信息系统", "version": 1, "release": "r1", "rows": 3, "files": {}, "held_back": held}
    (folder / "current.json").write_text(json.dumps({"datasets": {"systems": entry}}), "utf-8")
    shown = board.get("/datasets")["items"][0]
    assert (shown["title"], shown["rows"], shown["held_back"]) == ("信息系统", 3, "行数骤减")
    for broken in ("{", "[]", '{"datasets": 3}', '{"datasets": {"x": 1}}', '{"datasets": {"x": {"rows": "many"}}}'):
        (folder / "current.json").write_text(broken, "utf-8")
        assert board.get("/datasets")["problem"], broken
