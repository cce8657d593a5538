"""Daily series for the benchmark of the rules: a host, a service and users of every system, each day, and probes of the services.

Written by SQL inside the database, day by day, as syncs and sweeps would have left them; and what one more morning brings.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, text, update

from benchmarks.made_ledger import note_batch

REGISTERS = {
    "exchange_systems": "system", "exchange_services": "exchange_service", "city_cloud": "cloud_resource",
    "exemptions": "exemption",
}  # fmt: skip
SERIES = {
    "cloud_metrics": "cloud_usage_day",
    "usage_statistics": "system_usage_day",
    "exchange_calls": "exchange_call_day",
}

_IDLE = "i % 11 = 0"
"""Of these systems next to nothing is seen."""

_CONTENTS = {
    "exchange_services": ("code", "", {
        "service_code": "'s' || code", "name": "'Service ' || code", "system_code": "code", "kind": "'api'",
        "state": "'published'",
    }),
    "city_cloud": ("code", "", {
        "resource_code": "'h' || code", "system_code": "code", "status": "'running'", "vcpu": "2 + i % 3 * 2",
    }),
    "cloud_metrics": (":day || '|h' || code", "", {
        "resource_code": "'h' || code", "disk_bp": "3000 + i % 50", "memory_max_bp": "3000 + (i + :j) % 4000",
        "cpu_mean_bp": f"CASE WHEN {_IDLE} THEN 100 + (i + :j) % 90 ELSE 300 + (i * 7 + :j * 13) % 2500 END",
        "cpu_max_bp": f"CASE WHEN {_IDLE} THEN 400 + (i + :j) % 900 ELSE 1500 + (i * 11 + :j * 29) % 6000 END",
    }),
    "usage_statistics": (":day || '|' || code", "", {
        "system_code": "code", "logins": f"CASE WHEN {_IDLE} THEN 0 ELSE (i + :j) % 40 END",
        "active_users": f"CASE WHEN {_IDLE} THEN 0 ELSE (i + :j) % 20 END", "registered_users": "100 + i % 30",
    }),
    "exchange_calls": (":day || '|s' || code || '|caller'", f" WHERE NOT ({_IDLE}) AND (i + :j) % 7 > 0", {
        "service_code": "'s' || code", "caller_code": "'caller'", "calls": "10 + (i * 3 + :j * 7) % 90",
        "failures": "CASE WHEN (i + :j) % 17 = 0 THEN 1 ELSE 0 END",
    }),
}  # fmt: skip
"""Of a source the key, which systems have a row, and its fields; of a series those of the day `:day`, its number `:j`."""

_PROBED = {
    "service_code": "'s' || code", "probes": "96", "inconclusive": "1", "total_ms_sum": "96 * (20 + i % 70)",
    "successes": "CASE WHEN (i + :j) % 23 = 0 THEN 0 ELSE 95 END", "failures": "CASE WHEN (i + :j) % 23 = 0 THEN 95 ELSE 0 END",
    "total_ms_max": "200 + i % 70", "last_outcome": "'success'",
}  # fmt: skip


def add_series(engine: Engine, systems: int, day: date, days: int) -> None:
    """Add hosts and services of so many systems, and what was seen of them on each of so many days before a day."""
    from include.ledger.tables import source_authority

    with engine.begin() as connection:
        writer = _Writer(connection, systems)
        for source, entity in (REGISTERS | SERIES).items():
            note_batch(connection, source, entity, day, f"{source}-1")
            connection.execute(insert(source_authority).values(source=source, authority=1))
        for source in _CONTENTS.keys() - SERIES.keys():
            writer.write(source, f"{source}-1")
        for ago in range(days, 0, -1):
            writer.write_day(day - timedelta(days=ago), dict.fromkeys(SERIES, "1"))


def read_series(engine: Engine, systems: int, day: date, percent: int) -> None:
    """Let all be read on the morning of a day: the day before is new, and of some per cent the logins of the day before that."""
    name = f"{day:%Y%m%d}"
    with engine.begin() as connection:
        for source, entity in (REGISTERS | SERIES).items():
            note_batch(connection, source, entity, day, f"{source}-{name}", changed=systems if source in SERIES else 0)
        _Writer(connection, systems).write_day(day - timedelta(days=1), dict.fromkeys(SERIES, name))
        if percent:
            _correct(connection, systems * percent // 100, systems, day, f"usage_statistics-{name}")


def _correct(connection: Connection, count: int, of: int, day: date, batch: str) -> None:
    """Let a batch say one login more of `count` systems of `of`, two days before a day, as a merge would."""
    from include.clock import SHANGHAI
    from include.ledger.tables import system_usage_day as usage
    from include.ledger.tables import system_usage_day_change as change

    when, seen_on = datetime(day.year, day.month, day.day, 2, tzinfo=SHANGHAI), day - timedelta(days=2)
    this = usage.c.record_key.in_([f"{seen_on}|X{n * of // count:06d}" for n in range(count)])
    before = connection.execute(select(usage.c.record_key, usage.c.logins).where(this)).all()
    connection.execute(update(usage).where(this).values(logins=usage.c.logins + 1, changed_batch=batch))
    lines: list[dict[str, Any]] = [
        {
            "source": "usage_statistics", "record_key": key, "batch_id": batch, "field": "logins", "old": str(old),
            "new": str(old + 1), "changed_at": when,
        }
        for key, old in before
    ]  # fmt: skip
    connection.execute(insert(change), lines)


class _Writer:
    """Writes rows of all systems at once, one statement for each source and day."""

    def __init__(self, connection: Connection, systems: int) -> None:
        self._connection = connection
        self._is_postgres = connection.dialect.name == "postgresql"
        self._uuid = "gen_random_uuid()" if self._is_postgres else "lower(hex(randomblob(16)))"
        connection.execute(text("CREATE TEMPORARY TABLE n (i INTEGER, code TEXT)"))
        rows = [{"i": i, "code": f"X{i:06d}"} for i in range(systems)]
        connection.execute(text("INSERT INTO n VALUES (:i, :code)"), rows)

    def write(self, source: str, batch: str, day: date | None = None) -> None:
        """Write the rows of a source, of a day where it is a series."""
        key, where, fields = _CONTENTS[source]
        stamps = {
            "source": f"'{source}'",
            "source_hash": self._uuid,
            "created_batch": f"'{batch}'",
            "changed_batch": f"'{batch}'",
        }
        self._insert((REGISTERS | SERIES)[source], {"record_key": key} | stamps | fields, where, day)

    def write_day(self, day: date, batches: dict[str, str]) -> None:
        """Write what all series and the probes saw of a day, and that each series was read whole."""
        from include.ledger.tables import observed_day

        for source, batch in batches.items():
            self.write(source, f"{source}-{batch}", day)
            seen = {
                "source": source,
                "day": day,
                "batch_id": f"{source}-{batch}",
                "is_trusted": True,
                "rows": 1,
                "doubts": "",
            }
            self._connection.execute(insert(observed_day), [seen])
        self._insert("probe_day", _PROBED, "", day)

    def _insert(self, table: str, fields: dict[str, str], where: str, day: date | None) -> None:
        if day:
            fields = fields | {"day": f"CAST(:day AS {'date' if self._is_postgres else 'text'})"}
        query = f"INSERT INTO {table} ({', '.join(fields)}) SELECT {', '.join(fields.values())} FROM n{where}"
        for name, value in ((":day", f"'{day}'"), (":j", str(day.toordinal() if day else 0))):
            query = query.replace(name, value)
        self._connection.execute(text(query))
