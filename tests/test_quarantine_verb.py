"""What the verb `quarantine` prints of a row that was set aside, now and before remedies were kept."""

from __future__ import annotations

import argparse
import json

import pytest

from include.clock import now
from include.commands import quarantine
from include.ledger.database import open_ledger
from include.ledger.tables import quarantine as table

OLD = {"field": "name", "title": "项目名称", "problem": "is required and missing", "raw": ""}
NEW = {
    "field": "issued_on",
    "title": "发布日期",
    "problem": "“发布日期”不是能读懂的日期",
    "raw": "昨天",
    "fix": "写成年-月-日",
}


@pytest.fixture
def held(own_ledger: None) -> None:
    """Let the ledger hold one row that was set aside for two reasons."""
    with open_ledger().begin() as connection:
        values = {
            "source": "s", "record_hash": "ab" * 16, "entity": "resource", "record_key": "k", "page": 1, "line": 0,
            "problems": json.dumps([OLD, NEW]), "raw": "{}", "batch_id": "b", "opened_at": now(), "state": "open",
        }  # fmt: skip
        connection.execute(table.insert().values(values))


def shown(capsys: pytest.CaptureFixture[str], *, as_json: bool) -> str:
    assert quarantine(argparse.Namespace(source=None, hash=None, json=as_json)) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("held")
def test_a_problem_is_shown_with_its_remedy_and_an_old_one_without(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, as_json=False).splitlines()[2:] == [
        "    项目名称(name): is required and missing; 原值“”",
        "    issued_on: “发布日期”不是能读懂的日期; 原值“昨天”",
        "        改法: 写成年-月-日",
    ]


@pytest.mark.usefixtures("held")
def test_both_stand_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = json.loads(shown(capsys, as_json=True))
    assert row["problems"] == [OLD, NEW]
