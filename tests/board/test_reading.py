"""How the board reads: only, never for long, what the ledger's own views say, and anew when something has changed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, column, insert, select, table, text
from sqlalchemy.exc import DBAPIError

from include.board import looking
from include.board.clocks import due_of
from include.board.current import among, current
from include.board.looking import Desk
from include.board.reference import References
from include.ledger.tables import batch, finding, project, system, watermark
from include.rules.deadlines import Term, by_deadline
from include.rules.parameters import ParameterBook
from tests.rules.evidence import DAY, Evidence, at

BOOK = ParameterBook.load()


def test_nothing_can_be_written_by_looking(city: Engine) -> None:
    row = {"source": "x", "changed_until": at(DAY), "filter_digest": "f", "batch_id": "b"}
    with Desk().look() as look, pytest.raises(DBAPIError, match=r"(?i)read.?only"):
        look.connection.execute(insert(watermark).values(**row))


def test_a_question_that_takes_too_long_is_cut_off(city: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "SECONDS", 0.2)
    endless = text("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n")
    with Desk().look() as look, pytest.raises(DBAPIError, match=r"interrupt|statement timeout"):
        look.connection.execute(endless)
    with Desk().look() as look:
        assert look.connection.execute(select(finding.c.finding_id)).first()


def test_subjects_are_whose_the_view_says(city: Engine) -> None:
    view = table("subject_unit", column("subject_type"), column("subject"), column("unit_name"), column("name"))
    with Desk().look() as look:
        register = look.register.subjects
        said = {(k, s): (unit, name) for k, s, unit, name in look.connection.execute(select(view)).tuples()}
    ours = {key: tuple(whose) for key, whose in register.items() if whose.name is not None}
    assert {"system", "project", "plan_entry", "department_year", "rectification"} <= {kind for kind, _ in ours}
    assert ours == {key: said[key] for key in ours}
    assert not [key for key in register if key in said and key not in ours]


def test_current_records_are_those_of_the_views(city: Engine) -> None:
    for entity, code in ((system, "system_code"), (project, "project_code")):
        view = table(f"current_{entity.name}", column(code), column("name"), column("unit_name"))
        mine = current(entity, code, ("name", "unit_name"), label="c")
        with city.connect() as connection:
            found = set(connection.execute(select(mine)).tuples())
            assert found == set(connection.execute(select(view)).tuples())
        assert len(found) >= 3


def test_any_number_of_values_is_one_parameter(city: Engine) -> None:
    many = [f"v{n}" for n in range(70_000)] + ["a'b", "busy", "𠮷"]
    query = select(system.c.system_code).where(among(system.c.system_code, many, city.dialect.name)).distinct()
    with city.connect() as connection:
        assert connection.execute(query).scalars().all() == ["busy"]


def test_the_register_is_read_anew_when_the_ledger_has_changed(engine: Engine) -> None:
    desk, evidence = Desk(), Evidence(engine)
    with desk.look() as look:
        assert look.register.naming == {}
        before = look.register
    with desk.look() as look:
        assert look.register is before
    number = evidence.batch("system_register", "system", at(DAY, 2))
    evidence.put("system", number, [{"system_code": "s", "name": "n", "project_codes": "p"}])
    with engine.connect() as connection:
        assert connection.execute(select(batch.c.batch_id)).scalars().all() == [number]
    with desk.look() as look:
        assert look.register.naming == {"p": [("s", "n")]}


def test_reference_files_are_read_anew_when_they_have_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    (tmp_path / "sources").mkdir()
    references = References()
    first = references.read()
    assert references.read() is first
    assert len(first.rules) > 40
    assert first.articles[0] >= 7
    assert first.chosen(scope=["systems"], article=[13])
    assert first.chosen(scope=None) is None
    (tmp_path / "sources" / "own.yaml").write_text("title: 自有来源\ngroup: projects\nentity: project\n", "utf-8")
    assert references.read().sources["own"] == "自有来源"
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.yaml").write_text("rules: 3\n", "utf-8")
    assert references.read().rules == {}, "wrong rules must not take the board down"
    assert references.read().sources["own"] == "自有来源"


@given(started=st.dates(date(2024, 10, 1), date(2026, 12, 30)), days=st.integers(1, 40), after=st.integers(0, 90))
@settings(max_examples=80, deadline=None)
def test_the_end_of_a_term_is_read_from_its_steps(started: date, days: int, after: int) -> None:
    on = started + timedelta(days=after)
    parameters = BOOK.on(on)
    found = by_deadline(Term("收到", "答复", days, started, None), parameters, on)
    due = parameters.workdays.after(started, days)
    assert due_of(found.steps) == (due.earliest, due.latest)
    assert due_of(["没有期限"]) == (None, None)
