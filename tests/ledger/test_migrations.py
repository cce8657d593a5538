"""The migrations make the tables that the code knows, on both databases, and a ledger of before keeps what it holds."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, select

from include.clock import now
from include.ledger import alert_tables  # noqa: F401 - its tables join the metadata
from include.ledger.database import HEAD, MIGRATIONS, migrate
from include.ledger.tables import ENTITIES, batch, metadata

DOSSIERS = {
    "project_dossier", "suspension", "contract", "payment", "acceptance", "assessment", "performance_review", "rectification",
    "plan_year", "department_year", "attestation",
}  # fmt: skip


def test_the_migrations_make_the_tables_that_the_code_knows(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        tables = set(inspect(connection).get_table_names())
    assert {name for entity in ENTITIES for name in (entity, f"{entity}_change")} <= tables
    assert ENTITIES.keys() >= DOSSIERS


def test_what_a_rule_joins_by_project_has_an_index(engine: Engine) -> None:
    joined = {name for name in DOSSIERS if "project_code" in metadata.tables[name].c}
    assert len(joined) == 9
    with engine.connect() as connection:
        for name in joined:
            found = [index["column_names"] for index in inspect(connection).get_indexes(name)]
            assert ["project_code"] in found, name


def test_the_newest_migration_is_the_one_the_code_asks_for() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]


def test_a_ledger_from_before_the_dossiers_keeps_what_it_holds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        assert not DOSSIERS & set(inspect(connection).get_table_names())
        counts = {
            c.name: 0 for c in batch.c if c.name in ("rows_received", "refused", "created", "changed", "unchanged")
        }
        counts |= dict.fromkeys(("repeated", "quarantined", "restored", "absent", "tombstoned"), 0)
        texts = dict.fromkeys(("filter_digest", "card_digest", "children", "reasons", "notes"), "")
        moments = dict.fromkeys(("started_at", "sealed_at", "merged_at"), now())
        row = {"batch_id": "b1", "source": "s", "entity": "project", "is_full": True, "is_complete": True}
        connection.execute(batch.insert().values(row | counts | texts | moments))
    migrate(url)
    with engine.connect() as connection:
        assert connection.execute(select(batch.c.batch_id)).scalars().all() == ["b1"]
        assert set(inspect(connection).get_table_names()) >= DOSSIERS
