"""`deliver_alerts` as a whole in Airflow's own test executor: it watches, decides, sends, and says what it lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from include.alerts import channel_states, incidents
from include.alerts.incidents import Cause, Sighting
from include.clock import now
from include.ledger.database import open_ledger
from tests.alerts.sending import message, put, row, states
from tests.dags.test_judging_runs import states as task_states

pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.filterwarnings("default")]

TASKS = ("tell", "channels", "deliver", "report")


@pytest.fixture
def dag(dags: Any) -> Any:
    return dags["deliver_alerts"]


@pytest.fixture
def ledger(own_ledger: None) -> Engine:
    return open_ledger()


def own_routing(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "config").mkdir(exist_ok=True)
    (folder / "config" / "routing.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(folder / "config"))


def test_what_stands_in_the_outbox_lies_in_the_spool_after_a_run(dag: Any, ledger: Engine, tmp_path: Path) -> None:
    (mine,) = put(ledger, message(1, "spool"), at=now())
    with ledger.begin() as connection:
        incidents.see(connection, [Sighting("sync_projects", Cause.FAILED, "zj.land", "SourceRefused: no")], now())
    run = dag.test()
    assert str(run.state) == "success", task_states(run)
    assert task_states(run) == {name: {"success"} for name in TASKS}
    assert {i.rendered_map_index for i in run.get_task_instances() if i.task_id == "deliver"} == {"spool"}
    assert row(ledger, mine)["state"] == "sent"
    assert states(ledger) == {"sent": 2}  # the one that was there, and what the operator is told
    pages = [p.read_text("utf-8") for p in (tmp_path / "spool").rglob("*.html")]
    assert len(pages) == 2
    assert any("SourceRefused: no" in page and "运行手册 docs/runbooks/sync" in page for page in pages)
    assert str(dag.test().state) == "success"
    assert states(ledger) == {"sent": 2}


def test_a_routing_that_cannot_be_used_stops_deciding_but_not_sending_and_is_told(
    dag: Any, ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine,) = put(ledger, message(1, "spool"), at=now())
    own_routing(tmp_path, "channels: {spool: {kind: pigeon}}\n", monkeypatch)
    run = dag.test()
    assert str(run.state) == "failed"
    found = task_states(run)
    assert (found["tell"], found["deliver"], found["report"]) == ({"failed"}, {"success"}, {"failed"})
    assert row(ledger, mine)["state"] == "sent"
    pages = [p.read_text("utf-8") for p in (tmp_path / "spool").rglob("*.html")]
    assert any("配置有误" in page and "pigeon" in page for page in pages)
    with ledger.connect() as connection:
        assert ("deliver_alerts", "configuration", "routing.yaml") in {
            i.key for i in incidents.open_incidents(connection)
        }


def test_a_channel_that_is_down_fails_the_run_and_stops_no_other(
    dag: Any, ledger: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_routing(
        tmp_path, "channels: {hook: {title: 回调, kind: webhook, connection: alert_hook, enabled: true}}\n"
        "receivers: {operator: {title: 值班, channels: [hook, spool]}}\n", monkeypatch,
    )  # fmt: skip
    extra = '"extra": {"networks": ["127.0.0.0/8"]}'
    monkeypatch.setenv(
        "AIRFLOW_CONN_ALERT_HOOK", f'{{"conn_type": "http", "host": "127.0.0.1", "port": 9, "password": "k", {extra}}}'
    )
    lost, kept = put(ledger, message(1, "hook"), message(2, "spool"), at=now())
    with ledger.begin() as connection:  # it has been down for a while
        channel_states.note_failed(connection, "hook", "no route", now() - timedelta(hours=1))
    run = dag.test()
    assert str(run.state) == "failed"
    found = task_states(run)
    assert (found["tell"], found["deliver"], found["report"]) == ({"success"}, {"success"}, {"failed"})
    assert (row(ledger, lost)["state"], row(ledger, kept)["state"]) == ("pending", "sent")
    with ledger.connect() as connection:
        open_ones = {i.key for i in incidents.open_incidents(connection)}
    assert open_ones == {("deliver_alerts", "channel_down", "hook"), ("deliver_alerts", "no_channel", "")}
