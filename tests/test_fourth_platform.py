"""A platform of a new shape needs one card and no code: the card is written here from scratch and synced into the ledger."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.checkup import check_all
from include.clock import SHANGHAI
from include.errors import SourceRefused
from include.landing.store import LandingStore
from include.ledger.merge import MergeResult
from include.ledger.sync import land, merge_batch
from include.ledger.tables import approval_item, project, project_change
from include.sources.card_files import load_card, load_cards
from include.tasks import choose_sources
from tests.ledger.rows import code
from tests.sources.answering import AnsweringServer, Asked, Reply, reply

PAASID, TOKEN = "shuangyashan_szh", "tok-5d1c0a7e9b3f4826"
PAGE_SIZE, PROJECTS = 7, 23

# Nothing of this platform is like the shipped ones: offset paging, x-tif signature, numeric success code, a total in pages,
# rows at result.items[…] with all that counts one level deeper, epoch milliseconds, amounts with their unit in the text.
CARD = """\
source: reform_commission
title: 发展改革委项目库
entity: project
authority: 5
reader: http
connection: reform_commission
signer: {profile: tif}
request:
  path: /gateway/v3/projects
  parameters: {region: "230500"}
paging: {style: offset, number: skip, size: take, page_size: 7}
envelope:
  code: status
  success: [200]
  message: info
  rows: result.items
  total: {path: result.pages, counts: pages}
cursor: {field: mtime, since: changedAfter, format: epoch_ms, overlap_seconds: 60}
key: [project_code]
classified:
  - {field: level, open: [G, null]}
personal: [people.owner]
fields:
  project_code: base.no
  name: base.title
  unit_name: base.org
  total_investment_yuan: {from: [money.final, money.plan], as: wan_yuan}
  nature: {from: base.kind, map: {新建工程: new, 改造工程: rebuilt}, raw: nature_raw}
  applied_at: base.ctime
  updated_at: mtime
  is_void: {from: dead, map: {alive: false, dead: true}}
constants: {division_code: "230500"}
nested:
  - entity: approval_item
    rows: steps
    key: [item_id]
    parent: {project_code: project_code}
    fields:
      item_id: id
      item_name: what
      state: {from: st, map: {P: in_review, Y: approved, N: rejected}, raw: state_raw}
      decided_at: done
      document_no: paper
ignore: [level, people.owner]
limits: {attempts: 2, backoff_seconds: 0.01}
"""


class Platform:
    """Projects behind an x-tif gateway."""

    def __init__(self) -> None:
        self.projects = [project_of(n) for n in range(PROJECTS)]
        self.refused: list[str] = []

    def answer(self, asked: Asked) -> Reply:
        """Check signature and parameters as a gateway does, then serve one stretch of the listing."""
        problem = self._problem(asked)
        if problem:
            self.refused.append(problem)
            return reply({"status": 401, "info": problem, "result": None})
        after = int(asked.query.get("changedAfter", 0))
        found = [p for p in self.projects if p["mtime"] >= after]
        skip, take = int(asked.query["skip"]), int(asked.query["take"])
        result = {"items": found[skip : skip + take], "pages": -(-len(found) // take)}
        return reply({"status": 200, "info": "ok", "result": result})

    def _problem(self, asked: Asked) -> str:
        stamp, nonce = asked.headers.get("x-tif-timestamp", ""), asked.headers.get("x-tif-nonce", "")
        expected = hashlib.sha256((stamp + TOKEN + nonce + stamp).encode()).hexdigest().upper()
        if asked.headers.get("x-tif-paasid") != PAASID or asked.headers.get("x-tif-signature") != expected:
            return "signature"
        if (asked.path, asked.query.get("region"), asked.query.get("take")) != ("/gateway/v3/projects", "230500", "7"):
            return "parameters"
        return ""


def moment(number: int) -> datetime:
    """Return the moment of the last change of a project; some fall on another day in UTC than here."""
    return datetime(2026, 9, 1, 2, 9, 50, tzinfo=SHANGHAI) + timedelta(days=number)


def epoch_ms(at: datetime) -> int:
    """Return epoch milliseconds."""
    return int(at.timestamp() * 1000)


def project_of(number: int) -> dict[str, Any]:
    """Return a project in the platform's own form; number 4 is classified, 5 has no final amount, 6 is dead."""
    return {
        "base": {
            "no": code(number), "title": f"云平台扩容{number}", "org": "市数据局", "ctime": epoch_ms(moment(number - 30)),
            "kind": "改造工程" if number % 2 else "新建工程",
        },
        "money": {"plan": "1,200.5万元", "final": "" if number == 5 else f"{number + 1}.23亿元"},
        "level": "S" if number == 4 else "G",
        "dead": "dead" if number == 6 else "alive",
        "people": {"owner": "欧阳测试"},
        "mtime": epoch_ms(moment(number)),
        "steps": [{
            "id": f"R{number}", "what": "立项", "st": "Y" if number % 3 else "P", "done": epoch_ms(moment(number)),
            "paper": "双数发(2026)12号",
        }],
    }  # fmt: skip


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Platform]:
    (tmp_path / "config" / "sources").mkdir(parents=True)
    (tmp_path / "config" / "sources" / "reform_commission.yaml").write_text(CARD, "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path / "config"))
    there = Platform()
    with AnsweringServer(there.answer) as server:
        known = {
            "conn_type": "http", "host": "127.0.0.1", "port": server.port, "login": PAASID, "password": TOKEN,
            "extra": {"networks": ["127.0.0.0/8"]},
        }  # fmt: skip
        monkeypatch.setenv("AIRFLOW_CONN_REFORM_COMMISSION", json.dumps(known))
        yield there


def _sync(engine: Engine, store: LandingStore, mode: str = "full") -> MergeResult:
    card = load_card("reform_commission")
    return merge_batch(engine, store, card, land(engine, store, card, mode).batch_id)


def _rows(engine: Engine, table: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table).order_by(table.c.record_key)).mappings())


def test_one_card_brings_its_records_into_the_ledger(platform: Platform, engine: Engine, store: LandingStore) -> None:
    result = _sync(engine, store)
    assert result.is_complete, result.reasons
    assert (result.rows_received, result.created, result.refused, result.quarantined) == (PROJECTS, PROJECTS - 1, 1, 0)
    assert platform.refused == []
    projects = {p["project_code"]: p for p in _rows(engine, project)}
    assert sorted(projects) == sorted(code(n) for n in range(PROJECTS) if n != 4)
    one = projects[code(3)]
    assert (one["name"], one["unit_name"], one["division_code"]) == ("云平台扩容3", "市数据局", "230500")
    assert str(one["total_investment_yuan"]) == "423000000.00"
    assert (one["nature"], one["nature_raw"], one["is_void"]) == ("rebuilt", "改造工程", False)
    assert (one["updated_at"], one["applied_at"]) == (moment(3), moment(-27))
    assert one["updated_at"].isoformat() == "2026-09-04T02:09:50+08:00"
    assert str(projects[code(5)]["total_investment_yuan"]) == "12005000.00"
    assert [c for c, p in projects.items() if p["is_void"]] == [code(6)]


def test_its_approval_items_come_with_their_states(platform: Platform, engine: Engine, store: LandingStore) -> None:
    _sync(engine, store)
    items = {i["item_id"]: i for i in _rows(engine, approval_item)}
    assert len(items) == PROJECTS - 1
    assert (items["R1"]["state"], items["R1"]["state_raw"], items["R3"]["state"]) == ("approved", "Y", "in_review")
    assert (items["R1"]["project_code"], items["R1"]["document_no"]) == (code(1), "双数发〔2026〕12号")
    assert items["R1"]["decided_at"] == moment(1)


def test_the_second_run_writes_nothing(platform: Platform, engine: Engine, store: LandingStore) -> None:
    first = _sync(engine, store)
    before = [_rows(engine, t) for t in (project, approval_item)]
    again = _sync(engine, store)
    assert first.writes > 0
    assert (again.is_complete, again.writes, again.unchanged) == (True, 0, PROJECTS - 1), again
    assert [_rows(engine, t) for t in (project, approval_item)] == before
    assert _rows(engine, project_change) == []


def test_changes_are_asked_for_from_the_watermark_on(platform: Platform, engine: Engine, store: LandingStore) -> None:
    _sync(engine, store)
    changed = project_of(2)
    changed["base"]["title"] = "改了名字"
    changed["mtime"] = epoch_ms(moment(PROJECTS + 5))
    platform.projects[2] = changed
    result = _sync(engine, store, "incremental")
    assert not result.is_full
    assert (result.rows_received, result.changed, result.unchanged) == (2, 1, 1), result
    assert {(c["field"], c["new"]) for c in _rows(engine, project_change)} >= {("name", "改了名字")}


def test_a_wrong_token_is_refused_and_said(
    platform: Platform, engine: Engine, store: LandingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = json.loads(os.environ["AIRFLOW_CONN_REFORM_COMMISSION"]) | {"password": "wrong-token"}
    monkeypatch.setenv("AIRFLOW_CONN_REFORM_COMMISSION", json.dumps(known))
    with pytest.raises(SourceRefused, match="signature"):
        _sync(engine, store)
    assert platform.refused


def test_the_dag_and_the_doctor_know_the_new_source(platform: Platform) -> None:
    assert "reform_commission" in choose_sources("projects")
    assert len(load_cards()) == 37
    checks = {c.name: c.is_ok for c in check_all()}
    assert (checks["卡片 reform_commission"], checks["连接 reform_commission"]) == (True, True)
