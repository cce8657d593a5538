"""`evaluate_rules` as a whole in Airflow's own test executor: it reads the dossiers, judges every scope, and replays a past day."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from include.clock import now
from include.findings.titles import SCOPES
from include.ledger.database import open_ledger
from include.ledger.tables import batch, evaluation, finding
from include.sandbox.server import SandboxServer
from include.sources.card_files import load_cards
from include.sources.outlines import SHIPPED
from tests.dags.test_judging_runs import count, states

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.filterwarnings("default")]

NEEDED = ("contracts", "project_dossiers", "payments_frontdb")
"""Cards of dossiers without which nothing can be lost; one of them is turned off as it is shipped."""


@pytest.fixture
def dag(dags: Any) -> Any:
    return dags["evaluate_rules"]


def judged() -> list[tuple[str, str]]:
    with open_ledger().connect() as connection:
        return sorted((r.scope, r.day.isoformat()) for r in connection.execute(select(evaluation)))


def test_the_dossiers_are_read_and_every_scope_is_judged_under_its_chinese_name(dag: Any, city: SandboxServer) -> None:
    cards = [c for c in load_cards() if c.enabled and c.group == "dossiers"]
    assert len(cards) > 8
    run = dag.test()
    assert str(run.state) == "success", states(run)
    assert states(run) == {n: {"success"} for n in ("begin_reading", "land", "merge", "plan_scopes", "judge", "report")}
    named = {i.rendered_map_index for i in run.get_task_instances() if i.task_id == "judge"}
    assert named == set(SCOPES.values())
    assert count(batch) == len(cards)
    today = now().date()
    assert judged() == sorted((scope, today.isoformat()) for scope in SCOPES)
    assert count(finding) > 5

    calls = sum(city.calls.values())
    past = (today - timedelta(days=1)).isoformat()
    again = dag.test(run_conf={"day": past, "scope": "regulation"})
    assert str(again.state) == "success"
    found = states(again)
    assert (found["land"], found["merge"]) == ({"skipped"}, {"skipped"})
    assert (found["judge"], found["report"]) == ({"success"}, {"success"})
    assert sum(city.calls.values()) == calls  # not one call to the outside
    assert count(batch) == len(cards)
    assert ("regulation", past) in judged()
    assert len(judged()) == len(SCOPES) + 1


def test_a_scope_that_cannot_be_judged_fails_the_run_and_no_other_scope(
    dags: Any, city: SandboxServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for card in (
        SHIPPED / f"{c.source}.yaml" for c in load_cards() if c.group == "dossiers" and c.source not in NEEDED
    ):
        (tmp_path / "config" / "sources").mkdir(parents=True, exist_ok=True)
        (tmp_path / "config" / "sources" / card.name).write_text(
            f"{card.read_text('utf-8')}\nenabled: false\n", "utf-8"
        )
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path / "config"))
    dag = dags["evaluate_rules"]
    run = dag.test(run_conf={"scope": "regulation"})
    assert str(run.state) == "success", states(run)
    lost = json.dumps({"batches": {"contracts": "contracts-that-is-gone"}, "sweep": None})
    with open_ledger().begin() as connection:
        connection.execute(evaluation.update().values(known=lost, day=now().date() - timedelta(days=1)))
    past = (now().date() - timedelta(days=1)).isoformat()
    again = dag.test(run_conf={"day": past, "scope": "all"})
    assert str(again.state) == "failed"
    found = states(again)
    assert (found["judge"], found["report"]) == ({"success", "failed"}, {"failed"})
    assert {scope for scope, day in judged() if day == past} == set(SCOPES)
