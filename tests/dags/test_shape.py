"""The DAGs as Airflow sees them: there, well-formed, quick to parse, and in need of no connection to be parsed."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(p.stem for p in (ROOT / "dags").glob("*.py"))
pytestmark = [pytest.mark.airflow, pytest.mark.xdist_group("airflow"), pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def bag() -> Any:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    return DagBag(str(ROOT / "dags"))


def test_every_file_is_one_dag_of_its_own_name(bag: Any) -> None:
    assert bag.import_errors == {}
    assert FILES, "there is no DAG file: this test would pass by finding nothing"
    assert sorted(bag.dags) == FILES


def test_every_dag_tells_people_what_it_is(bag: Any) -> None:
    for dag in bag.dags.values():
        assert any("一" <= ch <= "鿿" for ch in dag.dag_display_name), dag.dag_id
        assert dag.doc_md
        assert dag.description
        assert dag.tags
        assert dag.max_active_runs == (50 if dag.dag_id == "record_decision" else 1)
        assert dag.catchup is False
        assert dag.dagrun_timeout is not None


def test_every_task_has_owner_timeout_retries_and_a_policy(bag: Any) -> None:
    tasks = [task for dag in bag.dags.values() for task in dag.tasks]
    assert len(tasks) >= 10
    for task in tasks:
        assert task.owner == "data-bureau", task.task_id
        assert task.execution_timeout is not None, task.task_id
        assert task.retries >= 1, task.task_id
        assert task.retry_policy is not None, task.task_id


def test_what_a_task_returns_is_handed_over_as_one_value(bag: Any) -> None:
    tasks = [task for dag in bag.dags.values() for task in dag.tasks]
    assert len(tasks) >= 10
    assert not [task.task_id for task in tasks if task.multiple_outputs]


def test_every_platform_has_a_lane_in_its_own_pool(bag: Any) -> None:
    from include.sources.card_files import load_cards

    behind = {
        "projects": {"reconcile", "report"},
        "exchange": {"plan_probes", "report"},
        "systems": {"judge", "report"},
        "catalogues": {"judge", "report"},
        "dossiers": {"plan_scopes", "report"},
    }
    dags = {
        "projects": "sync_projects", "exchange": "check_interconnection", "systems": "watch_systems",
        "catalogues": "harvest_catalogues", "dossiers": "evaluate_rules",
    }  # fmt: skip
    cards = [c for c in load_cards() if c.enabled]
    assert {c.group for c in cards} == {*behind, "register"}
    of_register = [(c, group) for c in cards if c.group == "register" for group in ("exchange", "systems")]
    for card, group in [(c, c.group) for c in cards if c.group != "register"] + of_register:
        dag = bag.dags[dags[group]]
        land = dag.get_task(f"{card.pool}.land")
        assert land.pool == card.pool
        assert land.downstream_task_ids == {f"{card.pool}.merge"}
        assert dag.get_task(f"{card.pool}.merge").downstream_task_ids == behind[group]


def test_the_form_offers_every_source_in_chinese(bag: Any) -> None:
    from include.sources.card_files import load_cards

    params = bag.dags["sync_projects"].params
    source = params.get_param("source").schema
    assert source["enum"][0] == "all"
    assert set(source["enum"][1:]) == {c.source for c in load_cards() if c.enabled and c.group == "projects"}
    assert {params.get_param(n).schema["title"] for n in params} == {"来源", "方式", "起始时间", "截止时间", "试运行"}
    for name, bad in (("mode", "sideways"), ("dry_run", "perhaps"), ("source", "nobody")):
        with pytest.raises(Exception, match="is not|Invalid|not valid"):
            params.get_param(name).resolve(bad)


def test_the_form_of_a_harvest_offers_every_mode_and_clears_nothing_by_itself(bag: Any) -> None:
    from include.sources.card_files import load_cards

    params = bag.dags["harvest_catalogues"].params
    sources = params.get_param("source").schema["enum"]
    assert set(sources) == {"all"} | {c.source for c in load_cards() if c.enabled and c.group == "catalogues"}
    assert len(sources) > 5
    assert params.get_param("mode").schema["enum"] == ["normal", "force", "validate", "preview", "clear"]
    assert (params["mode"], params["confirm"]) == ("normal", "")
    assert {params.get_param(n).schema["title"] for n in params} == {"来源", "方式", "确认清空", "评判日"}


OUTLETS = {
    "sync_projects.reconcile": {"ledger/projects"},
    "check_interconnection.judge": {"ledger/interconnections", "findings"},
    "watch_systems.judge": {"ledger/systems", "ledger/usage", "findings"},
    "harvest_catalogues.judge": {"ledger/resources", "findings"},
    "evaluate_rules.judge": {"findings"},
    "publish_datasets.publish": {
        "datasets/projects",
        "datasets/approval_items",
        "datasets/systems",
        "datasets/interconnection",
        "datasets/usage_monthly",
        "datasets/resources",
        "datasets/findings",
        "datasets/compliance_daily",
        "datasets/dossier",
    },
}


@pytest.mark.parametrize("task", OUTLETS)
def test_an_asset_is_the_outlet_of_the_last_word_on_it(bag: Any, task: str) -> None:
    dag_id, _, task_id = task.partition(".")
    outlets = {o.uri.rstrip("/") for o in bag.dags[dag_id].get_task(task_id).outlets}
    assert outlets == {f"shuheng://{name}" for name in OUTLETS[task]}


def _uris(assets: Any) -> set[str]:
    return {a.uri.rstrip("/").removeprefix("shuheng://") for a in assets}


def test_the_rules_are_judged_on_working_mornings_and_when_data_comes_in_and_never_by_themselves(bag: Any) -> None:
    dag = bag.dags["evaluate_rules"]
    starting = _uris(dag.timetable.asset_condition.objects)
    assert starting == {f"ledger/{name}" for name in ("projects", "systems", "interconnections", "usage", "resources")}
    assert (type(dag.timetable.timetable).__name__, dag.timetable.timetable.at) == ("WorkdayTimetable", "08:10")
    given = {d.dag_id: {uri for t in d.tasks for uri in _uris(t.outlets)} for d in bag.dags.values()}
    assert not given["evaluate_rules"] & starting
    assert starting <= set().union(*given.values()), "an asset that no DAG gives out never starts anything"


def test_data_sets_are_published_when_ledger_or_findings_change_and_start_nothing(bag: Any) -> None:
    starting = _uris(bag.dags["publish_datasets"].timetable.asset_condition.objects)
    assert starting == {
        "findings",
        *(f"ledger/{n}" for n in ("projects", "systems", "interconnections", "usage", "resources")),
    }
    given = {uri for t in bag.dags["publish_datasets"].tasks for uri in _uris(t.outlets)}
    assert given and not given & starting
    accept = bag.dags["publish_datasets"].params.get_param("accept")
    assert accept.resolve(["projects"]) == ["projects"]
    with pytest.raises(Exception, match="is not one of|Invalid|not valid"):
        accept.resolve(["everything"])


def test_the_form_of_the_rules_offers_every_scope_in_its_order(bag: Any) -> None:
    from include.findings.titles import SCOPES as TITLES
    from include.rules.evaluation import SCOPES
    from include.tasks import DOSSIERS_SCOPE

    assert tuple(TITLES) == SCOPES
    assert DOSSIERS_SCOPE in SCOPES
    params = bag.dags["evaluate_rules"].params
    assert params.get_param("scope").schema["enum"] == ["all", *SCOPES]
    assert {params.get_param(n).schema["title"] for n in params} == {"范围", "评判日"}


def test_no_task_stands_for_a_single_system(bag: Any) -> None:
    assert len(bag.dags["check_interconnection"].tasks) < 20
    assert bag.dags["check_interconnection"].get_task("probe").is_mapped


def test_every_dag_survives_serialisation(bag: Any) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    for dag in bag.dags.values():
        data = DagSerialization.to_dict(dag)
        assert DagSerialization.from_dict(data).dag_id == dag.dag_id


THEIRS = (
    "pandas", "pyarrow", "sqlalchemy.orm", "requests", "httpx", "jsonschema", "jsonschema_rs", "alembic", "openpyxl", "numpy",
    "zstandard", "psycopg", "upath", "fsspec", "lxml",
)  # fmt: skip
"""What Airflow has not imported itself must not come by our files."""

OURS = (
    "include.ledger", "include.landing", "include.sources.card", "include.sources.card_files", "include.sources.page",
    "include.rules.engine", "include.findings.judging", "include.alerts.incidents", "include.health_notes", "include.datasets",
)  # fmt: skip
"""The work: imported by the task that does it."""


def test_parsing_needs_no_connection_no_ledger_and_nothing_heavy(tmp_path: Path) -> None:
    """Airflow's own modules and the plugins are there before; how long our part takes, `python -m benchmarks.dag_import` prints."""
    code = (
        "import sys, runpy\n"
        f"sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'plugins')!r}]\n"
        "import airflow.sdk, airflow.sdk.exceptions, shuheng_timetables\n"
        "before = set(sys.modules)\n"
        f"ours, theirs = {OURS!r}, {THEIRS!r}\n"
        "def heavy(): return [m for m in sys.modules if m in ours or (m in theirs and m not in before)]\n"
        "for path in sys.argv[1:]: runpy.run_path(path)\n"
        "print(len([m for m in sys.modules if m.startswith('include.')]), heavy())\n"
        "import include.ledger.sync, include.health_notes, openpyxl\n"
        "print(heavy())\n"
    )
    environment = {
        "PATH": "/usr/bin:/bin",
        "AIRFLOW_HOME": str(tmp_path),
        "LEDGER_URL": "postgresql://nobody@127.0.0.1:1/x",
    }
    files = [str(ROOT / "dags" / f"{name}.py") for name in FILES]
    done = subprocess.run(
        [sys.executable, "-c", code, *files], capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    parsed, worked = done.stdout.splitlines()[-2:]
    ours, _, heavy = parsed.partition(" ")
    assert (int(ours) > 10, heavy) == (True, "[]")
    assert {"include.ledger", "include.alerts.incidents", "openpyxl"} <= set(ast.literal_eval(worked)), (
        "nothing is seen at all"
    )
    assert all(find_spec(name) for name in OURS)


def test_a_broken_card_fails_in_its_own_lane_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "broken.yaml").write_text("source: [not, a, card", "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    dag = DagBag(str(ROOT / "dags")).dags["sync_projects"]
    assert dag.get_task("broken.land").pool == "broken"
    assert dag.get_task("provincial_approval.land")
