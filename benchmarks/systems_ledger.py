"""Systems by the hundred thousand for the benchmark of the rules: beside those of whole lives such as belong to no project.

Written by SQL inside the database, as a sync would have left them; and changes of some of them, as a merge would bring them.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine, insert, select, text, update

from benchmarks.made_ledger import note_batch

_NUMBERS = """
WITH RECURSIVE n(i) AS (SELECT CAST(:first AS integer) UNION ALL SELECT i + 1 FROM n WHERE i < :last)
INSERT INTO {table} (source, record_key, source_hash, created_batch, changed_batch, {columns})
SELECT :source, {key}, {uuid}, :batch, :batch, {values} FROM n{more}
"""
_CODE = "'X' || substr('000000' || i, -6)"
_CODE_POSTGRES = "'X' || lpad(CAST(i AS text), 6, '0')"
_UNIT = "'Unit ' || CAST(i % 60 AS text)"
_CYCLES = "CASE WHEN i % 100 = 0 THEN 'weekly' WHEN i % 4 = 0 THEN 'yearly' WHEN i % 4 = 1 THEN 'monthly' ELSE 'irregular' END"
_KINDS = " CROSS JOIN (SELECT 'protection' AS kind UNION ALL SELECT 'cipher' UNION ALL SELECT 'risk') AS kinds"


def add_systems(engine: Engine, first: int, count: int, day: date) -> None:
    """Add systems up to a count, numbered from `first`: each with three reports and one entry of a catalogue with its cycle.

    Every ninth lacks its report on ciphers and every seventh has old ones, every fifth entry was updated too long ago. No report
    ends within the days that are judged: what changes is what the benchmark changes.
    """
    is_postgres = engine.dialect.name == "postgresql"
    day_type, code = ("date", _CODE_POSTGRES) if is_postgres else ("text", _CODE)

    def on(text_: str) -> str:
        return f"CAST({text_} AS {day_type})"

    def ago(days: str) -> str:
        return f"CAST('{day}' AS date) - ({days})" if is_postgres else f"date('{day}', '-' || ({days}) || ' days')"

    tables = [
        ("system", "system_register", "'s' || CAST(i AS text)", "", {
            "system_code": code, "name": "'System ' || CAST(i AS text)", "unit_name": _UNIT, "status": "'in_use'",
            "deployment": "'city_cloud'", "went_live_on": on("'2024-05-01'"), "protection_level": "2 + i % 2",
        }),
        ("assessment", "assessments", "kind || CAST(i AS text)", _KINDS, {
            "report_no": "kind || CAST(i AS text)", "kind": "kind", "system_code": code,
            "issued_on": f"CASE WHEN i % 7 = 0 THEN {ago('400 + i % 90')} ELSE {ago('15 + 30 * (i % 10)')} END",
            "conclusion": "'conform'", "has_major_risk": "false",
        }),
        ("resource", "exchange_catalogue", "'e' || CAST(i AS text)", "", {
            "resource_id": "'e' || CAST(i AS text)", "kind": "'data'", "code": "'e' || CAST(i AS text)",
            "provider_name": _UNIT, "system_code": code, "state": "'published'",
            "share_type": "'unconditional'", "distribution_count": "1", "collection": "'delivered'", "update_cycle": _CYCLES,
            "data_updated_on": f"CASE WHEN i % 5 = 0 THEN {ago('500')} ELSE {ago('i % 37')} END",
        }),
    ]  # fmt: skip
    uuid = "gen_random_uuid()" if is_postgres else "lower(hex(randomblob(16)))"
    with engine.begin() as connection:
        for table, source, key, more, fields in tables:
            where = f"{more} WHERE NOT (kind = 'cipher' AND i % 9 = 0)" if more else more
            query = _NUMBERS.format(
                table=table,
                columns=", ".join(fields),
                key=key,
                uuid=uuid,
                values=", ".join(fields.values()),
                more=where,
            )
            numbers = {"first": first, "last": count - 1, "source": source, "batch": f"{source}-1"}
            connection.execute(text(query), numbers)


def change_systems(engine: Engine, count: int, of: int, day: date) -> None:
    """Let a new batch of the register move the release day of `count` systems of `of`, as a merge would."""
    from include.clock import SHANGHAI
    from include.ledger.tables import system, system_change

    number = f"system_register-{day:%Y%m%d}"
    when = datetime(day.year, day.month, day.day, 2, tzinfo=SHANGHAI)
    codes = [f"X{n * of // count:06d}" for n in range(count)]
    with engine.begin() as connection:
        note_batch(connection, "system_register", "system", day, number, changed=count)
        for at in range(0, count, 500):
            this = system.c.system_code.in_(codes[at : at + 500])
            before = connection.execute(select(system.c.record_key, system.c.last_released_on).where(this)).all()
            connection.execute(update(system).where(this).values(last_released_on=day, changed_batch=number))
            lines: list[dict[str, Any]] = [
                {
                    "source": "system_register", "record_key": key, "batch_id": number, "field": "last_released_on",
                    "old": None if old is None else str(old), "new": str(day), "changed_at": when,
                }
                for key, old in before
            ]  # fmt: skip
            connection.execute(insert(system_change), lines)
