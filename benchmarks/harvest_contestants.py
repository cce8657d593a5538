"""Who takes part in W4, in which form of the catalogue, and what it must hold afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.contestants import PEERS
from benchmarks.postgres import Postgres

PHASES = ("first", "again", "changed", "broken")
"""First load; again, unchanged; again after 1 % changed; first load of a catalogue in which one dataset has no title."""

FORMS = ("ckan", "datajson", "turtle", "rdfxml", "jsonld")
LIMITS = {"ckan": "plain", "datajson": "plain", "turtle": "pyoxigraph", "rdfxml": "pyoxigraph", "jsonld": "pyoxigraph"}
"""The line that a form's goal is a share of."""
_RDF = ("include.sources.documents.rdf",)
NEEDED = {"ckan": ("include.sources.cutting",), "datajson": (), "turtle": _RDF, "rdfxml": _RDF, "jsonld": _RDF}
"""What ours imports for a form besides what every sync over HTTP does."""
SLOW_UP_TO = 20_000
"""Datasets up to which rdflib runs: 100,000 take it minutes and gigabytes and prove nothing new."""

_ROW = "resource_id, title, provider_name, description, theme, keywords, update_cycle{raw}, {dates}, landing_page, distributions"
_SHARED = ("title", "format", "url")


@dataclass(frozen=True, slots=True)
class Harvester:
    """One way to bring one form of the catalogue into one kind of database."""

    way: str
    form: str
    database: str = "sqlite"

    @property
    def key(self) -> str:
        """Return a name that fits a folder and a database."""
        return f"{self.form}_{self.way}_{self.database}"

    @property
    def is_ours(self) -> bool:
        """Return whether it is the project's own way."""
        return self.way == "ours"

    @property
    def phases(self) -> tuple[str, ...]:
        """Return what it runs: rdflib takes a minute each time, so only the first load is asked of it."""
        return PHASES[:1] if self.way == "rdflib" else PHASES

    def command(self) -> list[str]:
        """Return what harvests once."""
        if self.is_ours:
            verb = ["sync", f"harvest_{self.form}", "--mode", "full", "--json"]
            return [sys.executable, "-m", "benchmarks.ours", *NEEDED[self.form], *verb]
        if self.way == "plain":
            return [sys.executable, str(PEERS / "harvest_json.py"), self.form]
        return [sys.executable, str(PEERS / "harvest_rdf.py"), self.way, self.form]

    def digest(self, server: Postgres | None, home: Path) -> tuple[int, str]:
        """Return how many rows it holds, and a digest of their sorted values in the columns that all have."""
        return digest(self._rows(server, home))

    def _rows(self, server: Postgres | None, home: Path) -> Iterable[tuple[Any, ...]]:
        if not self.is_ours:
            query = f"SELECT {_ROW.format(raw='', dates='issued_on, modified_on')} FROM line"
        elif self.database == "postgres":
            query = f"SELECT {_ROW.format(raw='_raw', dates='issued_on::text, modified_on::text')} FROM resource"
        else:
            query = f"SELECT {_ROW.format(raw='_raw', dates='issued_on, modified_on')} FROM resource"
        if self.database == "postgres" and server:
            return server.run(query, self.key)
        with sqlite3.connect(home / "data.db") as file:
            return file.execute(query).fetchall()


def environment(home: Path, config: Path, port: int, database: str) -> dict[str, str]:
    """Return the environment of a contestant's process; `database` is a file or a URL."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "SHUHENG", "LEDGER", "LANDING"))}
    connection = {
        "conn_type": "http", "host": "127.0.0.1", "port": port, "extra": {"networks": ["127.0.0.0/8"]},
    }  # fmt: skip
    ledger = database if "://" in database else f"sqlite:///{database}"
    return kept | {
        "BENCH_DATABASE": database, "BENCH_CATALOGUE": f"http://127.0.0.1:{port}", "TZ": "Asia/Shanghai",
        "LEDGER_URL": ledger, "LANDING_URL": str(home / "landing"), "SHUHENG_CONFIG": str(config),
        "AIRFLOW_CONN_CATALOGUE": json.dumps(connection),
    }  # fmt: skip


def digest(rows: Iterable[tuple[Any, ...]]) -> tuple[int, str]:
    """Return the number of rows and a digest of them; of a distribution counts what every form says."""
    lines = sorted(json.dumps([*row[:-1], _files(row[-1])], ensure_ascii=False) for row in rows)
    return len(lines), hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _files(text: str) -> list[list[Any]]:
    return sorted([entry.get(name) for name in _SHARED] for entry in json.loads(text))


def all_harvesters(forms: Iterable[str], databases: Iterable[str], size: int) -> list[Harvester]:
    """Return who runs: in each form the limits, what others use, and ours into each database."""
    found = []
    for form in forms:
        ways = {"ckan": ["plain"], "datajson": ["plain"], "rdfxml": ["etree", "pyoxigraph", "rdflib"]}.get(
            form, ["pyoxigraph", "rdflib"]
        )
        found += [Harvester(way, form) for way in ways if way != "rdflib" or size <= SLOW_UP_TO]
        found += [Harvester("ours", form, database) for database in sorted(databases)]
    return found
