"""Publish every data set as of one moment: what passes its guards becomes a release, what does not keeps its last good version.

One transaction reads all views. Equal content makes no release. Whatever was published before a classified record was expunged is
removed in the same step, reports and the DCAT catalogue as well; a data set that has nothing newer is then not published at all.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from include.clock import SHANGHAI, now
from include.datasets.catalogue import FORMATS
from include.datasets.catalogue import MANIFEST as CATALOGUE_MANIFEST
from include.datasets.definitions import Dataset
from include.datasets.export import Exported, export
from include.datasets.guards import Guard, Hold, held_by_change, held_by_content, held_by_inputs, load_guards
from include.datasets.inputs import Input, read_inputs
from include.datasets.ledger_state import LedgerState, ledger_state
from include.datasets.one_publisher import one_publisher
from include.datasets.releases import MANIFEST, REPORTS, Releases
from include.errors import ConfigurationError
from include.ledger.snapshot import glance

log = logging.getLogger(__name__)

FORMAT = 1
"""The version of `current.json` and `manifest.json`."""

Progress = Callable[[str, int, int | None], None]


@dataclass(slots=True)
class Published:
    """What a publication brought. `release` is the newest one, `is_new` whether it was made now; `current` is `current.json`."""

    url: str
    release: str | None
    is_new: bool
    current: dict[str, Any]
    held: dict[str, list[Hold]]
    removed: list[str] = field(default_factory=list)

    @property
    def failed(self) -> dict[str, list[Hold]]:
        """Return what is held back although there was something to publish; what waits for a first reading is none of it."""
        return {name: holds for name, holds in self.held.items() if not all(hold.is_waiting for hold in holds)}

    def summary(self) -> dict[str, Any]:
        """Return names, counts and reasons; never records."""
        return {
            "url": self.url, "release": self.release, "is_new": self.is_new, "removed": self.removed,
            "rows": {name: entry["rows"] for name, entry in self.current["datasets"].items() if entry["release"]},
            "held": {name: [hold.text for hold in holds] for name, holds in self.held.items()},
            "failed": sorted(self.failed),
        }  # fmt: skip


def publish_datasets(
    engine: Engine,
    url: str,
    *,
    datasets: Mapping[str, Dataset] | None = None,
    accept: Collection[str] = (),
    by: str = "",
    progress: Progress = lambda step, done, total: None,
) -> Published:
    """Publish into a folder or fsspec location; `accept` names data sets that a person, `by`, lets pass their guards this time.

    Rows that break their schema pass for nobody. Raises `ConfigurationError` for an unknown name; what is held back is told.
    """
    if datasets is None:
        from include.datasets.definitions import DATASETS

        datasets = DATASETS
    if unknown := sorted(set(accept) - set(datasets)):
        raise ConfigurationError(f"no data set is named {', '.join(unknown)}; there are {', '.join(datasets)}")
    guards, releases = load_guards(datasets), Releases(url)
    with one_publisher(engine):
        releases.remove_left_overs()
        with releases.staging() as folder, glance(engine) as connection:
            at = now()
            _ease(connection)
            session = _Session(releases, folder, at, ledger_state(connection), read_inputs(connection, at))
            for name, dataset in datasets.items():
                session.take(connection, dataset, guards[name], by if name in accept else None, progress)
            return session.settle()


def _ease(connection: Connection) -> None:
    """Let PostgreSQL plan for whole views on a disk of today, and sort them in memory."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL random_page_cost = 1.1"))
        connection.execute(text("SET LOCAL work_mem = '64MB'"))


@dataclass(slots=True)
class _Session:
    """One publication: what was published before, what passes now, and what is held back."""

    releases: Releases
    folder: Path
    at: datetime
    state: LedgerState
    inputs: list[Input]
    before: dict[str, Any] = field(init=False)
    entries: dict[str, dict[str, Any]] = field(init=False)
    passed: dict[str, tuple[Dataset, Exported, dict[str, Any]]] = field(default_factory=dict)
    held: dict[str, tuple[Dataset, list[Hold]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = self.releases.current()
        self.entries = self.before.get("datasets", {})

    @property
    def as_of(self) -> str:
        """Return the moment that the files are of."""
        return self.at.isoformat(timespec="seconds")

    def take(
        self, connection: Connection, dataset: Dataset, guard: Guard, accepted_by: str | None, progress: Progress
    ) -> None:
        """Write a data set into the folder unless its guards hold it back."""
        note: dict[str, Any] = {"depends_on": list(guard.inputs), "accepted": None}
        is_published = bool(self.entries.get(dataset.name, {}).get("release"))
        holds = self._left(held_by_inputs(guard, self.inputs, is_published=is_published), accepted_by, note)
        if not holds:
            exported = export(connection, dataset, self.folder, progress)
            found = [*held_by_content(dataset, exported), *held_by_change(guard, self._rows(dataset), exported.rows)]
            holds = self._left(found, accepted_by, note)
            if not holds:
                self.passed[dataset.name] = dataset, exported, note
                return
            for file in exported.files.values():
                (self.folder / file["file"]).unlink()
        self.held[dataset.name] = dataset, holds
        log.warning("held back dataset=%s: %s", dataset.name, "; ".join(hold.text for hold in holds))

    def _left(self, holds: Any, accepted_by: str | None, note: dict[str, Any]) -> list[Hold]:
        """Return what a person has not let pass, and note what one has."""
        found = list(holds)
        passed = [hold for hold in found if accepted_by is not None and hold.can_be_accepted]
        if passed:
            earlier = note["accepted"]["reasons"] if note["accepted"] else []
            note["accepted"] = {"by": accepted_by, "reasons": [*earlier, *(hold.summary() for hold in passed)]}
        return [hold for hold in found if hold not in passed]

    def _rows(self, dataset: Dataset) -> int | None:
        entry = self.entries.get(dataset.name, {})
        return entry["rows"] if entry.get("release") and entry["version"] == dataset.version else None

    def settle(self) -> Published:
        """Make a release if there is something new, switch to it, and remove what must not stay."""
        stale = [name for name in self.releases.names() if self._is_stale(self.releases.manifest(name))]
        is_new = any(not self._is_unchanged(name, stale) for name in self.passed)
        release, entries = self.before.get("release"), self._entries(stale)
        if is_new:
            release = self._name()
            for name, (dataset, exported, _) in self.passed.items():
                entries[name] = self._entry(dataset, exported, release)
            self._write_manifest(release)
            links = {
                Path(f["path"]).name: f["path"] for e in entries.values() if e["release"] for f in e["files"].values()
            }
            self.releases.commit(self.folder, release, links)
        elif release in stale:
            release = None
        current = {
            "format": FORMAT, "checked_at": self.as_of, "release": release,
            "as_of": self.as_of if is_new else self.before.get("as_of") if release else None, "datasets": entries,
        }  # fmt: skip
        self.releases.switch(current)
        self.releases.point(release)
        removed = [*stale, *self._remove_reports(), *self._remove_catalogue()]
        for name in stale:
            self.releases.remove(name)
        held = {name: holds for name, (_, holds) in self.held.items()}
        log.info("published release=%s new=%s held=%s removed=%d", release, is_new, sorted(held), len(removed))
        return Published(self.releases.url, release, is_new, current, held, removed)

    def _is_stale(self, manifest: Mapping[str, Any]) -> bool:
        return self.state.is_before(manifest.get("expunged", {}))

    def _is_unchanged(self, name: str, stale: list[str]) -> bool:
        dataset, exported, _ = self.passed[name]
        entry = self.entries.get(name, {})
        is_there = entry.get("release") is not None and entry["release"] not in stale
        return is_there and (entry["version"], entry["content"]) == (dataset.version, exported.content)

    def _entries(self, stale: list[str]) -> dict[str, dict[str, Any]]:
        """Return what `current.json` says without a new release: what stands, and what is held back since when."""
        entries = {}
        for name, (dataset, _, _) in self.passed.items():
            entries[name] = (self.entries.get(name) or _nothing(dataset)) | {"held_back": None}
        for name, (dataset, holds) in self.held.items():
            entry = self.entries.get(name) or _nothing(dataset)
            if entry["release"] in stale:
                entry = _nothing(dataset)
                holds = [*holds, Hold("expunged", "此前版本含已转为涉密的记录,已删除")]
            since = (self.entries.get(name, {}).get("held_back") or {}).get("since") or self.as_of
            entries[name] = entry | {"held_back": {"since": since, "reasons": [hold.summary() for hold in holds]}}
        order = [*self.entries, *self.passed, *self.held]
        return {name: entries[name] for name in sorted(entries, key=order.index)}

    def _entry(self, dataset: Dataset, exported: Exported, release: str) -> dict[str, Any]:
        files = {kind: {"path": f"releases/{release}/{f['file']}", "sha256": f["sha256"], "bytes": f["bytes"]}
                 for kind, f in exported.files.items()}  # fmt: skip
        return {
            "title": dataset.title, "version": dataset.version, "release": release, "as_of": self.as_of,
            "rows": exported.rows, "content": exported.content, "files": files, "held_back": None,
        }  # fmt: skip

    def _name(self) -> str:
        said = [[name, exported.content] for name, (_, exported, _) in self.passed.items()]
        digest = hashlib.sha256(json.dumps([said, self.state.expunged()]).encode()).hexdigest()[:8]
        at = self.at.astimezone(SHANGHAI)
        return f"{at:%Y%m%dT%H%M%S}{at.microsecond // 1000:03}-{digest}"

    def _write_manifest(self, release: str) -> None:
        datasets = {
            name: {
                "title": dataset.title, "version": dataset.version, "key": list(dataset.key), "rows": exported.rows,
                "content": exported.content, "files": exported.files,
            } | note
            for name, (dataset, exported, note) in self.passed.items()
        }  # fmt: skip
        manifest = {
            "format": FORMAT, "release": release, "as_of": self.as_of, "ledger": self.state.summary(),
            "expunged": self.state.expunged(), "inputs": [one.summary() for one in self.inputs], "datasets": datasets,
            "held_back": {name: [hold.summary() for hold in holds] for name, (_, holds) in self.held.items()},
        }  # fmt: skip
        (self.folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", "utf-8")

    def _remove_reports(self) -> list[str]:
        """Remove the monthly reports that may name what was expunged since; the note beside a report goes last."""
        files, removed = self.releases.files(REPORTS), []
        for file in sorted(files, key=lambda name: name.endswith(".json")):
            note = self.releases.read_json(f"{REPORTS}/{file[:7]}.json")
            if self.state.is_before(note.get("expunged", {})):
                self.releases.drop(f"{REPORTS}/{file}")
                removed.append(file)
        return removed

    def _remove_catalogue(self) -> list[str]:
        """Remove the DCAT catalogue where it is older than the last expunging; `publish catalogue` makes it anew."""
        said = self.releases.read_json(CATALOGUE_MANIFEST).get("as_of")
        if not said or not self.state.expunged_at or datetime.fromisoformat(said) > self.state.expunged_at:
            return []
        files = [*(name for name, _ in FORMATS.values()), CATALOGUE_MANIFEST]
        for file in files:
            with suppress(FileNotFoundError):
                self.releases.drop(file)
        return files


def _nothing(dataset: Dataset) -> dict[str, Any]:
    return {
        "title": dataset.title, "version": dataset.version, "release": None, "as_of": None, "rows": None, "content": None,
        "files": {}, "held_back": None,
    }  # fmt: skip
