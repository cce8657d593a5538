"""The views of the data sets: what the migration makes is what stands in the tree, and their columns are those of the schemas."""

from __future__ import annotations

import importlib
import re

import pytest
from sqlalchemy import Engine, inspect, text

from include.datasets.definitions import DATASETS, TYPES, VIEWS, Dataset
from include.findings.titles import HANDLING, MODALITIES, OUTCOMES, SCOPES, SEVERITIES, STATES, SUBJECTS, Titles
from tests.test_map import _text

MIGRATION = importlib.import_module("include.ledger.migrations.versions.0009_add_datasets")
CHANGED = importlib.import_module("include.ledger.migrations.versions.0011_add_settlements")
BY_NAME = pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)


def test_the_migration_holds_the_views_of_the_tree_and_no_other() -> None:
    tree = {p.stem: p.read_text("utf-8") for p in VIEWS.glob("*.sql")}
    frozen, changed = ({p.stem: p.read_text("utf-8") for p in m.SQL.glob("*.sql")} for m in (MIGRATION, CHANGED))
    assert tree == frozen | changed, "a released migration stays: change a view by a new migration"
    assert sorted(changed) == sorted(CHANGED.VIEWS)
    assert sorted(tree) == sorted(MIGRATION.VIEWS)
    assert set(DATASETS) <= set(tree)


def test_the_ledger_has_every_view_with_the_columns_of_its_schema_in_order(engine: Engine) -> None:
    with engine.connect() as connection:
        views = set(inspect(connection).get_view_names())
        assert views >= set(MIGRATION.VIEWS)
        for dataset in DATASETS.values():
            found = connection.execute(text(f"SELECT * FROM {dataset.name}"))
            assert tuple(found.keys()) == dataset.names, dataset.id
            assert found.all() == [], "an empty ledger has no rows, and no view breaks on it"


@BY_NAME
def test_a_schema_says_all_that_readers_and_writers_need(dataset: Dataset) -> None:
    assert dataset.schema["$id"] == f"shuheng:datasets/{dataset.id}"
    assert dataset.schema["required"] == list(dataset.names)
    assert dataset.schema["additionalProperties"] is False
    assert len(dataset.columns) >= 14
    for column in dataset.columns:
        assert column.type in TYPES
        assert re.search(r"[\u4e00-\u9fff]", column.title), column.name
        assert not column.values or tuple(column.labels) == column.values
    titles = [column.title for column in dataset.columns]
    assert len(set(titles)) == len(titles), "titles head the columns of the CSV"
    nullable = {column.name for column in dataset.columns if column.is_nullable}
    assert dataset.key
    assert not nullable & set(dataset.key)


OF_FINDINGS: dict[str, Titles] = {
    "outcome": OUTCOMES, "severity": SEVERITIES, "handling": HANDLING, "subject_type": SUBJECTS, "modality": MODALITIES,
    "exchange_outcome": OUTCOMES, "cloud_outcome": OUTCOMES,
}  # fmt: skip


def test_values_are_called_what_they_are_called_elsewhere() -> None:
    rows = [line for line in _text("docs/glossary.md").splitlines() if line.startswith("| ")]
    checked = 0
    for dataset, column in ((d, c) for d in DATASETS.values() for c in d.columns):
        titles = STATES if (dataset.name, column.name) == ("findings", "state") else OF_FINDINGS.get(column.name)
        for value, label in column.labels.items():
            if column.name == "scope":
                assert SCOPES[value] == label
            elif titles:
                assert titles[value][0] == label, f"{dataset.id} {column.name} {value}"
            else:
                found = [row for row in rows if f"`{value}`" in row]
                assert any(row.startswith(f"| {label}") for row in found), f"{dataset.id} {column.name} {value} {label}"
            checked += 1
    assert checked > 150


def test_labels_in_the_views_are_those_of_the_schema() -> None:
    sql = (VIEWS / "resources.sql").read_text("utf-8")
    cases = re.findall(r"CASE r\.(\w+)\s+(.*?)\s+END AS \1_label", sql, re.S)
    columns = {column.name: column for column in DATASETS["resources"].columns}
    assert [name for name, _ in cases] == [n for n in columns if f"{n}_label" in columns]
    for name, body in cases:
        assert dict(re.findall(r"WHEN '(\w+)' THEN '([^']+)'", body)) == dict(columns[name].labels)
    assert len(cases) == 6


@pytest.mark.parametrize(
    ("written", "sqlite", "postgresql"),
    [
        ("days(a.day, b)", "CAST(julianday(a.day) - julianday(b) AS integer)", "(a.day - b)"),
        ("before(n.day, 30)", "date(n.day, '-30 days')", "(n.day - 30)"),
        ("day_of(p.at)", "substr(p.at, 1, 10)", "CAST(p.at AT TIME ZONE 'Asia/Shanghai' AS date)"),
        ("bytes(m.rule)", "m.rule", 'm.rule COLLATE "C"'),
        ("json_text(t.x)", "json_quote(t.x)", "CAST(to_json(CAST(t.x AS text)) AS text)"),
        ("group_concat(x, ',')", "group_concat(x, ',')", "string_agg(x, ',')"),
        ("holidays(a, b)", "holidays(a, b)", "holidays(a, b)"),
    ],
)
def test_words_of_the_views_are_spelled_for_each_database(written: str, sqlite: str, postgresql: str) -> None:
    assert MIGRATION.spell(written, "sqlite") == sqlite
    assert MIGRATION.spell(written, "postgresql") == postgresql
