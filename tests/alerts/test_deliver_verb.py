"""The verb `deliver` as people and cron use it: lists, retries, watches, and ends with a code that says how it went."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from include.alerts import incidents, outbox
from include.alerts.incidents import Cause, Sighting
from include.alerts.outbox import Claim, Try
from include.clock import now
from include.delivery_commands import exit_code
from include.delivery_tasks import Fared
from tests.alerts.sending import card, message, put, row, states
from tests.command import command, command_anew, json_of


def kill_one(engine: Engine) -> str:
    (only,) = put(engine, message(1, "robot"), at=now())
    with engine.begin() as connection:
        held = outbox.claim(connection, card(), "w", now())
        assert isinstance(held, Claim)
        outbox.settle_failed(connection, held, Try.REFUSED, "310000 sign not match", None, now())
    return only


def test_the_dead_are_listed_and_retried_by_their_number(engine: Engine) -> None:
    assert "未送达的消息 0 条;没有需要处理的" in command("deliver", "--dead").stdout
    only = kill_one(engine)
    listed = command("deliver", "--dead")
    assert listed.returncode == 0
    assert f"{only[:8]}  未送达  robot → drc" in listed.stdout
    assert "试 1 次, 最近错误: 310000 sign not match" in listed.stdout
    assert [r["message_id"] for r in json_of(command("deliver", "--dead", "--json"))] == [only]
    for wrong in ("ffff", ""):
        refused = command("deliver", f"--retry={wrong}x")
        assert refused.returncode == 2
        assert "no message begins with" in refused.stderr
    assert json_of(command("deliver", "--retry", only[:8], "--json")) == {"message_id": only}
    assert states(engine) == {"pending": 1}
    assert command("deliver", "--retry", only[:8]).returncode == 2


def test_all_that_died_of_late_on_a_channel_is_retried_at_once(engine: Engine) -> None:
    only = kill_one(engine)
    assert json_of(command("deliver", "--retry", "--channel", "mail", "--json")) == {"message_ids": []}
    assert json_of(command("deliver", "--retry", "--channel", "robot", "--json")) == {"message_ids": [only]}
    assert states(engine) == {"pending": 1}
    for wrong in (["--retry"], ["--retry", only[:8], "--channel", "robot"], ["--channel", "robot"]):
        refused = command("deliver", *wrong)
        assert refused.returncode == 2
        assert "--retry" in refused.stderr


def test_the_list_shows_channels_messages_and_what_is_wrong(engine: Engine) -> None:
    assert "待发箱为空,没有未恢复的问题" in command("deliver", "--list").stdout
    kill_one(engine)
    with engine.begin() as connection:
        incidents.see(connection, [Sighting("sync_projects", Cause.FAILED, "zj.land", "SourceRefused: no")], now())
    shown = command("deliver", "--list").stdout
    assert "渠道 robot: 待发 0, 已发 0, 未送达 1" in shown
    assert "问题 sync_projects failed zj.land 自 " in shown
    data = json_of(command("deliver", "--list", "--json"))
    assert data["counts"] == {"robot": {"pending": 0, "sent": 0, "dead": 1}}
    assert [one["pipeline"] for one in data["incidents"]] == ["sync_projects"]


def test_only_one_thing_is_done_at_a_time(engine: Engine) -> None:
    assert command("deliver", "--dead", "--watch").returncode == 2


def one(channel: str, died: int = 0) -> dict[str, Any]:
    return {"channel": channel, "died": died}


@pytest.mark.parametrize(("fared", "code"), [
    (Fared([one("spool"), one("mail")], [], {}, 0), 0), (Fared([one("spool"), one("mail")], ["mail"], {}, 0), 1),
    (Fared([one("spool"), one("mail", 1)], [], {"mail": 1}, 0), 1), (Fared([one("spool")], [], {}, 2), 1),
    (Fared([one("spool"), one("mail")], ["mail", "spool"], {}, 0), 3),
])  # fmt: skip
def test_the_exit_code_says_how_it_went(fared: Fared, code: int) -> None:
    assert exit_code(fared) == code


def test_once_does_what_the_dag_does(engine: Engine, tmp_path: Path) -> None:
    (mine,) = put(engine, message(1, "spool"), at=now())
    done = json_of(command_anew("deliver", "--json"))
    assert (done["down"], [c["sent"] for c in done["channels"]]) == ([], [1])
    assert row(engine, mine)["state"] == "sent"
    assert len(list((tmp_path / "spool").rglob("*.html"))) == 1
    again = command("deliver", "--once")
    assert again.returncode == 0
    assert "渠道 spool: 发出 0, 未成 0, 放弃 0, 待发 0" in again.stdout


def test_the_watch_finds_what_a_dead_scheduler_leaves_undone_and_tells_only_the_operator(
    engine: Engine, tmp_path: Path
) -> None:
    (other,) = put(engine, message(1, "spool"), at=now())
    with engine.begin() as connection:
        for pipeline in ("watchdog", "deliver_alerts"):
            incidents.beat(connection, pipeline, now() - timedelta(days=9))
    found = command("deliver", "--watch")
    assert found.returncode == 1, found.stderr
    assert row(engine, other)["state"] == "pending"
    (page,) = [p.read_text("utf-8") for p in (tmp_path / "spool").rglob("*.html")]
    assert "发送提示" in page
    assert "应有结果未到" in page
    assert json_of(command("deliver", "--watch", "--json"))["told"] == 0
