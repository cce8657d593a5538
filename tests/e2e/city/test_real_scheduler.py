"""Airflow's real components on SQLite: projects, the exchange, a second person, who may do what, and secrets."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests

from include.clock import now
from include.ledger.database import open_ledger
from include.sandbox.airflow_api import AirflowAnswered, AirflowApi
from include.sandbox.demo_alerts import POLLS_BEFORE_ANSWER
from include.sandbox.stack import Stack
from tests.e2e.city.running import failures, run_dag
from tests.findings.deciding import everything, handled, id_of, judge_by_hand, said

DAG = "sync_projects"
SOURCES = {"provincial_approval", "zj_projects", "approval_frontdb", "annual_plan"}
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900), pytest.mark.xdist_group("heavy")]


def test_the_exchange_is_read_probed_and_judged_under_the_real_scheduler(city: Stack) -> None:
    judged = city.ask("check", "--no-sync", "--no-probe", "--json")["judged"]
    assert judged["is_new"] is False  # the run has judged the day; asking again writes nothing
    assert judged["outcomes"]["interconnected-with-exchange"]["pass"] > 30
    assert judged["outcomes"]["evidence-current"] == {"pass": 3}
    assert judged["open"] > 10


def test_the_run_after_the_killed_one_fills_the_ledger_as_the_sandbox_has_it_and_writes_nothing_twice(
    city: Stack,
) -> None:
    truth = city.truth()
    sources = city.ask("doctor", "--summary")["sources"]
    assert set(sources) > SOURCES
    for source, name in (("provincial_approval", "provincial"), ("zj_projects", "zj"), ("approval_frontdb", "frontdb")):
        assert truth[name]["good"] > 50
        assert sources[source]["rows"]["project"] == truth[name]["good"], source
        assert sources[source]["rows"]["approval_item"] == truth[name]["good_items"], source
        assert sources[source]["last_batch"]["refused"] == truth[name]["classified"] > 0, source
    assert sources["annual_plan"]["rows"]["plan_entry"] == truth["plan"]["entries"] - truth["plan"]["refused"] > 5
    for source in SOURCES:
        batch = sources[source]["last_batch"]
        assert batch["is_full"] and batch["is_complete"], source
        written = {k: batch[k] for k in ("created", "changed", "restored", "tombstoned")}
        lost = sources[source]["rows"]["project"] if source == "provincial_approval" else 0
        assert written == {"created": lost, "changed": 0, "restored": 0, "tombstoned": 0}, source
        assert batch["unchanged"] > 0 or lost, source


def _user(stack: Stack, name: str) -> AirflowApi:
    api = AirflowApi(stack.api.url)
    api.login(name, stack.home.passwords()[name])
    return api


def test_a_waiver_waits_for_the_second_person_and_for_no_other(city: Stack) -> None:
    engine = open_ledger(f"sqlite:///{city.home.ledger}")
    judge_by_hand(engine, now().date(), said("fail", "S-of-a-test"))
    city.open_dag("record_decision")
    until = (now() + timedelta(days=30)).date()
    engineer = _user(city, "engineer")
    run = engineer.trigger(
        "record_decision", findings=id_of("S-of-a-test"), kind="waived", ground="第三十三条", reason="年底下线", approver="ops",
        until=until.isoformat(),
    )  # fmt: skip

    answer = f"/api/v2/dags/record_decision/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"
    approved = {"chosen_options": ["同意"], "params_input": {}}
    asked: list[str] = []
    polls = 0

    def approve_when_asked() -> None:
        nonlocal polls
        instances = engineer.task_instances("record_decision", run)
        polls += "awaiting_input" in [i["state"] for i in instances if i["task_id"] == "approve"]
        if asked or polls < POLLS_BEFORE_ANSWER:
            return
        for name in ("engineer", "leader", "admin"):
            with pytest.raises(AirflowAnswered, match="HTTP 403"):
                _user(city, name).call("PATCH", answer, approved)
        assert handled(engine, "S-of-a-test")[1] == "new"
        _user(city, "ops").call("PATCH", answer, approved)
        asked.append("ops")

    state = engineer.wait("record_decision", run, 120, approve_when_asked)
    assert (state, asked) == ("success", ["ops"]), failures(city)
    assert handled(engine, "S-of-a-test") == ("open", "waived", until)
    (row,) = [r for r in everything(engine)["decision"] if r["decision_id"] == run]
    assert (row["requested_by"], row["approved_by"]) == ("engineer", "ops")


def test_nothing_is_shown_or_started_without_a_login(city: Stack) -> None:
    url = city.api.url
    with requests.Session() as anonymous:
        anonymous.trust_env = False
        assert anonymous.get(f"{url}/api/v2/dags").status_code == 401
        assert anonymous.post(f"{url}/api/v2/dags/{DAG}/dagRuns", json={"logical_date": None}).status_code == 401
        assert anonymous.get(f"{url}/ui/dags").status_code == 401
        # The interface is one page; whoever has no session is sent to the log-in by it.
        answer = anonymous.get(f"{url}/api/v2/auth/login", allow_redirects=False)
        assert (answer.status_code, answer.headers["location"].removeprefix(url)) == (307, "/auth/login")
        assert anonymous.get(f"{url}/auth/token").status_code in (401, 403)
        wrong = anonymous.post(f"{url}/auth/token", json={"username": "admin", "password": "admin"})
        assert wrong.status_code == 401


def test_a_viewer_may_look_but_not_start_a_run(city: Stack) -> None:
    leader = AirflowApi(city.api.url)
    leader.login("leader", city.home.passwords()["leader"])
    assert leader.dag(DAG) is not None
    with pytest.raises(AirflowAnswered, match="HTTP 403"):
        leader.trigger(DAG)


def test_secrets_are_readable_by_their_owner_only_and_stand_in_no_log(city: Stack) -> None:
    folder = city.home.path / "secrets"
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["fernet", "jwt", "passwords.json"]
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    ready = city.ready
    secrets = [ready["provincial"]["appkey"], ready["zj"]["app_secret"], ready["control_token"]]
    secrets += [*city.home.passwords().values(), city.home.secret("jwt"), city.home.fernet_key()]
    channels = ready["channels"].values()
    secrets += [c[n] for c in channels for n in ("access_token", "secret", "key", "hook", "password") if n in c]
    assert len(secrets) > 15
    if not list(city.home.logs.rglob("*deliver_alerts*")):
        run_dag(city, "deliver_alerts")
    logs = [path for path in city.home.logs.rglob("*") if path.is_file()]
    assert len(logs) > 10
    assert [path for path in logs if "deliver_alerts" in str(path)], "nothing was sent, so nothing could be logged"
    for log in logs:
        text = log.read_text(errors="replace")
        assert not [secret for secret in secrets if secret in text], log
