"""Publish the whole catalogue as files: DCAT in JSON-LD and Turtle, and a manifest that says what they hold and what they lack."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping

from include.clock import now
from include.datasets.catalogue_graph import LINKS, SharedNodes, catalogue_node, entry_node
from include.datasets.catalogue_rows import LivingEntries, reading
from include.datasets.files import Folder, NewFile
from include.datasets.graph_text import CatalogueWriter, JsonLdWriter, TurtleWriter
from include.datasets.identity import CATALOGUE
from include.ledger.last_batch import last_full

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int | None], None]

FORMATS: dict[str, tuple[str, type[JsonLdWriter] | type[TurtleWriter]]] = {
    "jsonld": ("catalogue.jsonld", JsonLdWriter),
    "turtle": ("catalogue.ttl", TurtleWriter),
}
MANIFEST = "catalogue.manifest.json"


def publish_catalogue(
    engine: Engine,
    url: str,
    formats: tuple[str, ...] = tuple(FORMATS),
    progress: Progress = lambda step, done, total: None,
) -> dict[str, Any]:
    """Write the catalogue into the folder and return its manifest, which is written last.

    Equal ledgers give equal files; only the manifest tells when. A reader that finds a hash of the manifest not to be that of
    the file has come between two files of a new export, and reads again.
    """
    with reading(engine) as connection, Folder(url).writing(*(FORMATS[f][0] for f in formats), MANIFEST) as files:
        at = now()
        entries = LivingEntries(connection)
        *documents, manifest_file = files
        writers: list[CatalogueWriter] = [FORMATS[f][1](file.write) for f, file in zip(formats, documents, strict=True)]
        items = _write(entries, writers, progress)
        manifest = _manifest(connection, entries, items, documents, at)
        manifest_file.write(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    log.info("published catalogue entries=%d items=%d", sum(entries.by_kind.values()), items)
    return manifest


def _write(entries: LivingEntries, writers: list[CatalogueWriter], progress: Progress) -> int:
    """Write every entry in each syntax and return the number of information items."""
    total, done, items = sum(entries.by_kind.values()), 0, 0
    shared = SharedNodes()
    catalogue = catalogue_node(total, entries.newest, shared)
    for writer in writers:
        writer.begin(catalogue)
    for link in LINKS:
        for writer in writers:
            writer.begin_link(link)
        for page in entries.pages(link):
            for subject, record, own in page:
                node = entry_node(subject, record, own, shared)
                for writer in writers:
                    writer.add(node)
                items += len(own)
            done += len(page)
            progress("导出目录", done, total)
    for writer in writers:
        writer.end(shared.nodes())
    return items


def _manifest(
    connection: Connection, entries: LivingEntries, items: int, documents: list[NewFile], at: datetime
) -> dict[str, Any]:
    for file in documents:
        file.close()
    return {
        "catalogue": CATALOGUE,
        "as_of": at.isoformat(timespec="seconds"),
        "rows": entries.by_kind,
        "items": items,
        "files": {file.name: {"sha256": file.sha256, "bytes": file.size} for file in documents},
        "sources": [_standing(connection, source, count) for source, count in entries.by_source.items()],
    }


def _standing(connection: Connection, source: str, entries: int) -> dict[str, Any]:
    """Return how much of a source is known: its last full batch, what it lacked, and the last complete one."""
    last = last_full(connection, source)
    complete = last_full(connection, source, complete=True)
    return {
        "source": source,
        "entries": entries,
        "is_complete": bool(last and last["is_complete"]),
        "missing": json.loads(last["reasons"]) if last else [],
        "last_batch": _named(last),
        "last_complete_batch": _named(complete),
    }


def _named(row: RowMapping | None) -> dict[str, str] | None:
    return {"batch": row["batch_id"], "started_at": row["started_at"].isoformat()} if row else None
