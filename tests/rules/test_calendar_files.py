"""The files of the calendar: a bureau's own laid over, and what cannot be a notice refused with file, line and fix."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.errors import CardError
from include.rules.regulation_files import REGULATION
from include.rules.workdays import Workdays

FOLDER = REGULATION / "calendar"

NOTICE: dict[str, Any] = {
    "year": 2027, "source": "国办发明电〔2026〕99号", "title": "关于2027年部分节假日安排的通知(测试用)", "status": "unconfirmed",
    "holidays": [
        {"name": "元旦", "from": "2027-01-01", "to": "2027-01-03", "days": 3},
        {"name": "春节", "from": "2027-02-05", "to": "2027-02-11", "days": 7, "work": ["2027-01-31", "2027-02-20"]},
        {"name": "清明节", "from": "2027-04-05", "to": "2027-04-05", "days": 1},
        {"name": "劳动节", "from": "2027-05-01", "to": "2027-05-05", "days": 5, "work": ["2027-05-08"]},
        {"name": "端午节", "from": "2027-06-09", "to": "2027-06-09", "days": 1},
        {"name": "国庆节", "from": "2027-10-01", "to": "2027-10-07", "days": 7, "work": ["2027-10-09"]},
    ],
}  # fmt: skip
LOCAL = {"day": "2026-11-24", "kind": "off", "reason": "暴雪停工", "source": "双政办函〔2026〕1号"}


@pytest.fixture
def lay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    (tmp_path / "calendar").mkdir()

    def write(data: dict[str, Any], name: str = "2027.yaml") -> Path:
        file = tmp_path / "calendar" / name
        file.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), "utf-8")
        return file

    return write


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    notice = copy.deepcopy(NOTICE)
    change(notice)
    return notice


def test_the_shipped_years_cite_their_notice_and_await_confirmation() -> None:
    assert [p.name for p in sorted(FOLDER.glob("*.yaml"))] == ["2024.yaml", "2025.yaml", "2026.yaml"]
    cited = {p.stem: yaml.safe_load(p.read_text("utf-8"))["source"] for p in FOLDER.glob("*.yaml")}
    assert cited == {"2024": "国办发明电〔2023〕7号", "2025": "国办发明电〔2024〕12号", "2026": "国办发明电〔2025〕7号"}


def test_a_new_year_makes_its_terms_certain(lay: Callable[..., Path]) -> None:
    before = Workdays.load()
    lay(NOTICE)
    after = Workdays.load()
    estimate, due = before.after(date(2026, 12, 20), 30), after.after(date(2026, 12, 20), 30)
    assert due.is_certain
    assert estimate.earliest <= due.latest <= estimate.latest
    assert after.covered_until == date(2027, 12, 31)
    assert after.is_workday(date(2027, 1, 31))
    assert before.digest != after.digest


def test_a_bureaus_year_replaces_the_shipped_one(lay: Callable[..., Path]) -> None:
    shipped = yaml.safe_load((FOLDER / "2026.yaml").read_text("utf-8"))
    shipped["holidays"][6] |= {"work": [date(2026, 10, 10)]}
    shipped["status"] = "confirmed"
    text = yaml.safe_dump(shipped, allow_unicode=True)
    lay({}, "2026.yaml").write_text(text, "utf-8")
    found = Workdays.load()
    assert found.is_workday(date(2026, 9, 20)) is False
    assert found.is_workday(date(2026, 10, 10)) is True
    assert found.notices[2026].status == "confirmed"


def test_a_citation_alone_changes_no_version(lay: Callable[..., Path]) -> None:
    before = Workdays.load()
    text = (FOLDER / "2026.yaml").read_text("utf-8").replace("unconfirmed", "confirmed")
    lay({}, "2026.yaml").write_text(text, "utf-8")
    assert Workdays.load().digest == before.digest


@pytest.mark.parametrize(("kind", "day"), [("off", "2026-11-24"), ("work", "2026-11-28")])
def test_a_local_day_lies_over_the_notice(lay: Callable[..., Path], kind: str, day: str) -> None:
    before = Workdays.load()
    lay({"year": 2026, "local": [LOCAL | {"kind": kind, "day": day}]}, "snow.yaml")
    after = Workdays.load()
    assert before.is_workday(date.fromisoformat(day)) is (kind == "off")
    assert after.is_workday(date.fromisoformat(day)) is (kind == "work")
    assert before.digest != after.digest
    assert before.between(date(2026, 11, 1), date(2026, 11, 30)) - after.between(
        date(2026, 11, 1), date(2026, 11, 30)
    ) == (1 if kind == "off" else -1)


def test_local_days_hide_no_year_behind_them(lay: Callable[..., Path]) -> None:
    lay({"year": 2026, "local": [LOCAL]}, "2026-snow.yaml")
    lay(NOTICE)
    assert Workdays.load().covered_until == date(2027, 12, 31)


def first(name: str, value: Any, index: int = 0) -> dict[str, Any]:
    return changed(lambda n: n["holidays"][index].update({name: value}))


def spanning(index: int, begin: str, end: str) -> dict[str, Any]:
    return changed(lambda n: n["holidays"][index].update({"from": begin, "to": end}))


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("no such day", first("from", "2027-02-30", 1), "2027-02-30", "existing day"),
    ("another form", first("from", "1月1日", 0), "holidays.0.from", "A day as"),
    ("wrong count", first("days", 4), "3 days, not 4", "notice"),
    ("more than counted", first("days", 2), "3 days, not 2", "notice"),
    ("turned round", first("to", "2026-12-31"), "not in 2027", "local"),
    ("backwards", spanning(1, "2027-02-11", "2027-02-05"), "days, not 7", "compare"),
    ("off and work", first("work", ["2027-02-06"], 0), "a day off and as work", "keep"),
    ("no weekend", first("work", ["2027-03-01"], 2), "no weekend", "compare"),
    ("made up twice", first("work", ["2027-10-09"], 2), "made up twice", "once"),
    ("wrong year", first("work", ["2026-12-26"], 0), "not in 2027", "local"),
    ("a later year", first("work", ["2028-01-08"], 0), "2028-01-08 is not in 2027", "under `local` of 2028"),
    ("a friday", first("work", ["2027-03-05"], 2), "no weekend", "compare"),
    ("overlapping", spanning(4, "2027-05-05", "2027-05-05"), "2027-05-05 is off for two festivals", "once"),
    ("half a notice", spanning(5, "2027-10-02", "2027-10-08"), "2027-10-01 is a holiday", "whole"),
    ("too few", changed(lambda n: n["holidays"].pop()), "holidays", "the whole notice"),
    ("no citation", changed(lambda n: n.pop("source")), "source", ""),
    ("unknown word", changed(lambda n: n.update({"sauce": 1})), "sauce", ""),
    ("nothing in it", {"year": 2027}, "neither", "whole notice"),
    ("local without ground", {"year": 2026, "local": [{"day": "2026-11-24", "kind": "off", "source": "某份文件"}]}, "reason", ""),
    ("local to no effect", {"year": 2026, "local": [LOCAL | {"day": "2026-11-28"}]}, "is off without this", "leave"),
    ("local extra for nothing", {"year": 2026, "local": [LOCAL | {"kind": "work"}]}, "a working day without this", "leave"),
    ("local of no year", {"year": 2028, "local": [LOCAL | {"day": "2028-11-24"}]}, "no notice covers 2028", "add 2028.yaml"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "problem", "fix"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_what_cannot_be_is_refused_with_file_line_and_fix(
    lay: Callable[..., Path], data: dict[str, Any], problem: str, fix: str
) -> None:
    file = lay(data)
    with pytest.raises(CardError) as caught:
        Workdays.load()
    assert caught.value.file == str(file)
    assert problem in caught.value.problem
    assert fix in caught.value.fix


def test_the_line_is_the_line(lay: Callable[..., Path]) -> None:
    file = lay(first("work", ["2027-03-01"], 2))
    with pytest.raises(CardError) as caught:
        Workdays.load()
    assert "2027-03-01" in file.read_text("utf-8").splitlines()[caught.value.line - 1]


def test_a_year_must_not_be_left_out_and_a_file_is_named_after_its_year(lay: Callable[..., Path]) -> None:
    for name in ("next.yaml", "2026.yaml"):
        file = lay(NOTICE, name)
        with pytest.raises(CardError, match=r"name it 2027\.yaml"):
            Workdays.load()
        file.unlink()
    lay(yaml.safe_load(yaml.safe_dump(NOTICE).replace("2027", "2028")), "2028.yaml")
    with pytest.raises(CardError, match=r"2028 is here but 2027 is not. Fix: add 2027\.yaml"):
        Workdays.load()
