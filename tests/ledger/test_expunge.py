"""A project that turns classified leaves ledger, history, quarantine, questions and landing zone without a trace."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.clock import now
from include.landing.batch import Manifest
from include.landing.store import LandingStore
from include.ledger.database import migrate, open_ledger, writing
from include.ledger.expunge import expunge
from include.ledger.merge import MergeResult
from include.ledger.question import Question, settle_questions
from include.ledger.reconcile import reconcile
from include.ledger.sync import land, merge_batch
from include.ledger.tables import (
    absence,
    approval_item,
    approval_item_change,
    batch,
    metadata,
    project,
    project_alias,
    project_change,
    quarantine,
    question,
)
from include.sources.card import Card
from include.sources.card_files import load_card
from tests.depth import MOSTLY_SQLITE
from tests.ledger import rows as made
from tests.ledger.project_platform import serving
from tests.ledger.rows import Row, code, item, row
from tests.sources.answering import Asked, Reply, reply
from tests.traces import everything_under, traces

SECRET = 3
NAME, UNIT = "深蓝工程支撑平台", "双鸭山市深蓝工程办公室"
WORDS = [code(SECRET), NAME, UNIT]


@pytest.fixture
def card() -> Card:
    return load_card("provincial_approval")


def open_row(number: int = SECRET, **changed: Any) -> Row:
    """Return the record of the project that will be classified, while it is still open."""
    return row(number, PROJECT_NAME=NAME, ENTERPRISE={"ENTERPRISENAME": UNIT}) | changed


def dump(engine: Engine) -> dict[str, bytes]:
    """Return the content of every table of the ledger."""
    with engine.connect() as connection:
        found = {name: connection.execute(select(table)).mappings().all() for name, table in metadata.tables.items()}
    return {
        name: json.dumps([dict(r) for r in rows], ensure_ascii=False, default=str).encode()
        for name, rows in found.items()
    }


def left(engine: Engine, folder: Path) -> dict[str, bytes]:
    """Return everything that is left: the tables, and every file that was written."""
    return dump(engine) | everything_under(folder)


def _count(engine: Engine, *tables: Any) -> list[int]:
    with engine.connect() as connection:
        return [len(connection.execute(select(t)).all()) for t in tables]


class Platform:
    """A platform without a signature that lists the rows it is given, ten a page."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def answer(self, asked: Asked) -> Reply:
        """Return one page."""
        begin = (int(asked.query["pageNo"]) - 1) * 10
        data = {"list": self.rows[begin : begin + 10], "total": len(self.rows)}
        return reply({"code": "0", "message": "成功", "data": data})


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    there = Platform()
    with serving(monkeypatch, tmp_path_factory.mktemp("config"), there.answer, 10):
        yield there


@pytest.fixture
def run(platform: Platform, engine: Engine, store: LandingStore) -> Callable[..., MergeResult]:
    def once(rows: list[Row], *, dry_run: bool = False, mode: str = "full") -> MergeResult:
        platform.rows = rows
        card = load_card("provincial_approval")
        return merge_batch(engine, store, card, land(engine, store, card, mode, dry_run=dry_run).batch_id)

    return once


def test_a_project_that_turns_classified_leaves_no_trace_after_the_next_run(
    run: Callable[..., MergeResult], engine: Engine, tmp_path: Path
) -> None:
    others = [row(n) for n in range(4, 25)]
    run([open_row(), *others])
    run([open_row(TOTAL_MONEY="200", ITEMS=[item(SECRET, 1, DEAL_STATE="ITEM_CX"), item(SECRET, 2)]), *others])
    run([open_row(PROJECT_NATURE="9"), *others])
    assert {name.split(",")[-1] for _, _, name in traces(WORDS, left(engine, tmp_path))} >= {
        "project",
        "project_change",
        " unpacked",
    }
    assert all(_count(engine, project_change, approval_item_change))
    result = run([open_row(SECRET_FLAG="1"), *others])
    assert (result.refused, result.is_complete, result.tombstoned, result.absent) == (1, True, 0, 0), result
    assert traces([*WORDS, "S000003-1"], left(engine, tmp_path)) == []
    assert _count(engine, project, approval_item, project_change, approval_item_change) == [21, 42, 0, 0]


@MOSTLY_SQLITE
def test_what_was_not_classified_stays_as_it_was(
    run: Callable[..., MergeResult], engine: Engine, store: LandingStore
) -> None:
    others = [row(n) for n in range(4, 25)]
    run([open_row(), *others])
    with engine.connect() as connection:
        before = connection.execute(select(project).where(project.c.record_key != code(SECRET))).all()
    result = run([open_row(SECRET_FLAG="1"), *others])
    assert (result.writes, result.unchanged) == (0, 21), result
    with engine.connect() as connection:
        assert connection.execute(select(project)).all() == before
    for batch_id in store.manifests("provincial_approval"):
        manifest = Manifest.from_dict(store.get_manifest("provincial_approval", batch_id))
        held = [len(store.get_page("provincial_approval", p.sha256)) for p in manifest.pages]
        assert held == [p.rows for p in manifest.pages]
        assert manifest.rows_received == 22
        assert [p.rows + p.refused for p in manifest.pages] == [p.rows_received for p in manifest.pages]


@MOSTLY_SQLITE
def test_running_again_is_stable(run: Callable[..., MergeResult], engine: Engine, tmp_path: Path) -> None:
    others = [row(n) for n in range(4, 25)]
    run([open_row(), *others])
    run([open_row(SECRET_FLAG="1"), *others])
    after = {k: v for k, v in dump(engine).items() if k != "batch"}
    for _ in range(3):
        again = run([open_row(SECRET_FLAG="1"), *others])
        assert (again.writes, again.is_complete, again.refused) == (0, True, 1), again
    assert {k: v for k, v in dump(engine).items() if k != "batch"} == after
    assert traces(WORDS, left(engine, tmp_path)) == []


@MOSTLY_SQLITE
def test_an_old_batch_can_still_be_merged_after_its_pages_were_rewritten(
    run: Callable[..., MergeResult], engine: Engine, store: LandingStore, card: Card
) -> None:
    landed = made.land(store, card, made.pages_of([open_row(), row(4)]))
    merge_batch(engine, store, card, landed.batch_id)
    assert expunge(engine, store, card, {code(SECRET)}) == 1
    assert merge_batch(engine, store, card, landed.batch_id).was_merged_before
    rewritten = Manifest.from_dict(store.get_manifest(card.source, landed.batch_id))
    assert [json.loads(x)["PROJECT_CODE"] for x in store.get_page(card.source, rewritten.pages[0].sha256)] == [code(4)]


def test_a_quarantined_record_is_expunged_too(run: Callable[..., MergeResult], engine: Engine, tmp_path: Path) -> None:
    assert run([open_row(TOTAL_MONEY="-5"), row(4)]).quarantined == 1
    assert traces(WORDS, {"quarantine": dump(engine)["quarantine"]})
    run([open_row(SECRET_FLAG="1", TOTAL_MONEY="-5"), row(4)])
    assert traces(WORDS, left(engine, tmp_path)) == []
    assert _count(engine, quarantine) == [0]


def test_aliases_and_absences_of_the_record_are_expunged(run: Callable[..., MergeResult], engine: Engine) -> None:
    run([open_row(VALIDITY_FLAG="0"), row(4), *(row(n) for n in range(10, 20))])
    run([open_row(8, OLD_PROJECT_CODE=code(SECRET)), row(4), *(row(n) for n in range(10, 20))])
    assert _count(engine, project_alias, absence) == [1, 1]
    run([open_row(8, SECRET_FLAG="1"), open_row(SECRET_FLAG="1"), row(4), *(row(n) for n in range(10, 20))])
    assert _count(engine, project_alias, absence) == [0, 0]
    assert traces([*WORDS, code(8)], dump(engine)) == []


@MOSTLY_SQLITE
def test_questions_about_the_record_are_expunged(run: Callable[..., MergeResult], engine: Engine, card: Card) -> None:
    run([open_row(), row(4)])
    mine = Question("name_disagrees", card.source, f"2027|{code(SECRET)}", f"“{NAME}”不一致", {"code": code(SECRET)})
    other = Question("name_disagrees", card.source, f"2027|{code(4)}", "测试系统4 不一致", {})
    with writing(engine, card.source) as connection:
        settle_questions(connection, card.source, {"name_disagrees"}, [mine, other], "b", now(), may_close=False)
    run([open_row(SECRET_FLAG="1"), row(4)])
    with engine.connect() as connection:
        assert list(connection.execute(select(question.c.subject)).scalars()) == [other.subject]


def test_questions_of_the_reconciliation_about_the_record_are_expunged(
    run: Callable[..., MergeResult], engine: Engine, store: LandingStore, tmp_path: Path
) -> None:
    plan = load_card("annual_plan")
    entry = {
        "计划年度": "2027",
        "项目名称": "别的名称",
        "建设单位": "市数据局",
        "项目代码": code(4),
        "计划投资(万元)": 100,
    }
    run([open_row(), row(4)])
    made.sync(engine, store, plan, [entry])
    found = reconcile(engine)
    assert found and found.open["platform_not_in_plan"] == 1, found
    assert traces(WORDS, {"question": dump(engine)["question"]})
    run([open_row(SECRET_FLAG="1"), row(4)])
    assert traces(WORDS, left(engine, tmp_path)) == []
    again = reconcile(engine)
    assert again and again.open["platform_not_in_plan"] == 0, again
    assert traces(WORDS, left(engine, tmp_path)) == []


@MOSTLY_SQLITE
def test_a_record_that_only_a_dry_run_landed_is_expunged(
    run: Callable[..., MergeResult], engine: Engine, tmp_path: Path
) -> None:
    run([row(4)])
    run([open_row(), row(4)], dry_run=True)
    assert {name.split(",")[-1] for _, _, name in traces(WORDS, left(engine, tmp_path))} == {" unpacked"}
    run([open_row(SECRET_FLAG="1"), row(4)])
    assert traces(WORDS, left(engine, tmp_path)) == []


@MOSTLY_SQLITE
def test_a_run_that_died_while_it_rewrote_pages_is_finished_by_the_next_one(
    run: Callable[..., MergeResult], engine: Engine, store: LandingStore, card: Card, tmp_path: Path
) -> None:
    """Pages of another batch that cannot be rewritten stop the first attempt."""
    run([open_row(), row(4)])
    stuck = store.put_page(card.source, [open_row(PROJECT_NATURE="3")])
    (file,) = (tmp_path / "landing").glob(f"*/pages/*/{stuck}*")
    whole = file.read_bytes()
    file.write_bytes(b"cut short")
    with pytest.raises(Exception, match=stuck):
        run([open_row(SECRET_FLAG="1"), row(4)])
    file.write_bytes(whole)
    run([open_row(SECRET_FLAG="1"), row(4)])
    assert traces(WORDS, left(engine, tmp_path)) == []


def test_the_file_of_the_ledger_keeps_no_remains(store: LandingStore, card: Card, tmp_path: Path) -> None:
    """SQLite leaves deleted rows in its file, where any editor shows them."""
    migrate()
    engine = open_ledger()
    made.sync(engine, store, card, [open_row(SCALE_CONTENT="深蓝" * 900), *(row(n) for n in range(4, 300))])
    assert traces(WORDS, everything_under(tmp_path))
    assert expunge(engine, store, card, {code(SECRET)}) == 1
    assert traces(WORDS, everything_under(tmp_path)) == []


@MOSTLY_SQLITE
def test_expunging_names_no_record_in_the_log(
    run: Callable[..., MergeResult], engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    run([open_row(), row(4)])
    run([open_row(SECRET_FLAG="1"), row(4)])
    assert "expunged source=provincial_approval records=1" in caplog.text
    assert traces(WORDS, {"log": caplog.text.encode()}) == []


def test_another_sources_record_of_the_same_code_is_left_alone(engine: Engine, store: LandingStore, card: Card) -> None:
    made.sync(engine, store, card, [open_row()])
    with writing(engine, "x") as connection:
        columns = [c for c in project.c if c.name != "source"]
        copied = connection.execute(select(*columns)).mappings().one()
        connection.execute(project.insert().values(source="another", **copied))
    assert expunge(engine, store, card, {code(SECRET)}) == 1
    with engine.connect() as connection:
        assert list(connection.execute(select(project.c.source)).scalars()) == ["another"]


def test_keys_that_nobody_holds_cost_nothing(engine: Engine, store: LandingStore, card: Card) -> None:
    made.sync(engine, store, card, [row(n) for n in range(5)])
    pages = store.pages(card.source)
    assert expunge(engine, store, card, {code(n) for n in range(1000, 2200)}) == 0
    assert store.pages(card.source) == pages
    assert _count(engine, project, batch) == [5, 1]
