"""A round over real endpoints: targets, sweep, evidence and ledger, once for each sweep."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine

from include.errors import ConfigurationError
from include.landing.store import LandingStore
from include.ledger.database import open_ledger
from include.ledger.probe_round import probe_round
from include.ledger.tables import probe_day, probe_state, probe_sweep
from include.sandbox.gateway import HEALTH_TEXT, TRAP_ADDRESS, Behaviour, Gateway
from tests.depth import MOSTLY_SQLITE
from tests.ledger.probing import everything, list_services, rows

ODD = {
    Behaviour.REFUSES: "refused", Behaviour.ERROR_500: "wrong_status", Behaviour.WRONG_BODY: "wrong_body",
    Behaviour.REDIRECTS_INSIDE: "redirected", Behaviour.RESETS: "reset", Behaviour.MALFORMED: "malformed",
    Behaviour.ENDLESS: "too_large",
}  # fmt: skip


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    behaviours = {"ok-1": Behaviour.OK, "ok-2": Behaviour.OK, **{str(b): b for b in ODD}}
    with Gateway(behaviours, addresses=20) as running:
        yield running


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    file = tmp_path / "probing.yaml"
    file.write_text(yaml.safe_dump({"networks": ["127.80.0.0/16"], "clear_after": 1, "confirm_after": 1}), "utf-8")
    return file


def _configure(file: Path, **keys: object) -> None:
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text("utf-8")) | keys), "utf-8")


def test_a_round_probes_a_shard_and_records_it(
    engine: Engine, store: LandingStore, gateway: Gateway, config: Path
) -> None:
    list_services(engine, gateway.urls, expected_text=HEALTH_TEXT)
    list_services(engine, {"trap": gateway.trap_url})
    steps: list[tuple[str, int, int | None]] = []
    counts = probe_round(engine, store, "run/1of1", 0, 1, lambda *step: steps.append(step))
    assert json.loads(json.dumps(counts)) == counts
    assert (counts["endpoints"], counts["succeeded"], counts["failed"], counts["inconclusive"]) == (10, 2, 6, 2)
    found = {r["service_code"]: r for r in rows(engine, probe_day)}
    expected = {str(behaviour): outcome for behaviour, outcome in ODD.items()}
    expected |= {"ok-1": "succeeded", "ok-2": "succeeded", "trap": "address_refused"}
    assert {code: row["last_outcome"] for code, row in found.items()} == expected
    states = {r["service_code"]: r["state"] for r in rows(engine, probe_state)}
    assert states == {c: "up" if c.startswith("ok") else "down" for c in expected if c not in ("trap", "endless")}
    assert gateway.connections(TRAP_ADDRESS) == 0
    assert steps[-1][1:] == (10, 10)


@MOSTLY_SQLITE
def test_a_round_tried_again_after_its_merge_calls_nobody(
    engine: Engine, store: LandingStore, gateway: Gateway, config: Path
) -> None:
    list_services(engine, {"ok-1": gateway.urls["ok-1"]})
    first = probe_round(engine, store, "run/1of1", 0, 1)
    before, came = everything(engine), gateway.connections("127.80.0.1")
    assert came == 1
    assert probe_round(engine, store, "run/1of1", 0, 1) == first | {"was_merged": True}
    assert (everything(engine), gateway.connections("127.80.0.1")) == (before, came)


@MOSTLY_SQLITE
def test_a_network_that_is_cut_off_concludes_nothing(
    engine: Engine, store: LandingStore, gateway: Gateway, config: Path
) -> None:
    _configure(config, canaries=[gateway.urls["refuses"]])
    list_services(engine, {"ok-1": gateway.urls["ok-1"]})
    counts = probe_round(engine, store, "run/1of1", 0, 1)
    assert (counts["is_cut_off"], counts["succeeded"], counts["failed"]) == (True, 0, 0)
    assert gateway.connections("127.80.0.1") == 0
    assert (len(rows(engine, probe_sweep)), rows(engine, probe_day), rows(engine, probe_state)) == (1, [], [])


@MOSTLY_SQLITE
def test_the_connection_probing_allows_networks_without_a_change_of_the_file(
    engine: Engine, store: LandingStore, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_services(engine, {"ok-1": gateway.urls["ok-1"]})
    assert probe_round(engine, store, "run/1", 0, 1)["outcomes"] == {"address_refused": 1}
    extra = {"networks": ["127.80.0.0/16"], "ca_file": str(gateway.ca_file)}
    monkeypatch.setitem(os.environ, "AIRFLOW_CONN_PROBING", json.dumps({"conn_type": "http", "extra": extra}))
    assert probe_round(engine, store, "run/2", 0, 1)["outcomes"] == {"succeeded": 1}


@MOSTLY_SQLITE
@pytest.mark.parametrize(
    "connection", ["{not json", '{"extra": {"networks": ["10.20.0.0/99"]}}', '{"extra": {"networks": 7}}',
                   '{"extra": {"ca_file": "/nowhere/ca.pem"}}']
)  # fmt: skip
def test_a_connection_that_is_wrong_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, ledger_url: str, store: LandingStore, connection: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_PROBING", connection)
    with pytest.raises(ConfigurationError, match=r"(?i)probing"):
        probe_round(open_ledger(ledger_url), store, "run/1", 0, 1)
