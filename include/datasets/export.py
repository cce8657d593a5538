"""Write one data set into a folder: one reading of its view gives both files, checked on the way.

The database writes lines while the lines before are parsed, checked and written on a thread beside it.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection

from include.datasets.arrow_files import BlockReader, CsvFile, HashedFile, ParquetFile, arrow_schema
from include.datasets.checks import Checker, Problem
from include.datasets.definitions import Dataset
from include.datasets.snapshot_rows import Block, ViewFailed, blocks_of

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int | None], None]

_AHEAD = 2
"""Blocks that may wait for the thread: more would only be memory."""


@dataclass(slots=True)
class Exported:
    """What became of a data set: its rows, its files by kind with name, hash and size, and what is wrong with it."""

    rows: int = 0
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    failure: str = ""

    @property
    def content(self) -> str:
        """Return what tells equal data sets: the hashes of rows and schema, not Parquet's, which may change with its library."""
        return ":".join(self.files[kind]["sha256"] for kind in ("csv", "schema"))


def export(
    connection: Connection, dataset: Dataset, folder: Path, progress: Progress = lambda step, done, total: None
) -> Exported:
    """Write `<name>.v<version>` as Parquet, CSV and schema; what is wrong with its rows is told, never raised."""
    writing = _Writing(dataset, folder)
    try:
        with connection.begin_nested() as point:
            try:
                _run(connection, dataset, writing, progress)
            finally:
                point.rollback()  # a view that failed must not take the others' transaction with it
    except ViewFailed as error:
        log.error("view=%s failed: %s", dataset.name, error)
        writing.result.failure = str(error)
    except pa.ArrowInvalid as error:
        writing.checker.note("", "type", 1, str(error))
    except BaseException:  # a full disk, an engine that is gone: nothing of it is kept
        with suppress(OSError):
            writing.close()
        raise
    return writing.close()


def _run(connection: Connection, dataset: Dataset, writing: _Writing, progress: Progress) -> None:
    with ThreadPoolExecutor(1) as thread, closing(blocks_of(connection, dataset)) as blocks:
        pending: deque[Future[int]] = deque()
        for block in blocks:
            pending.append(thread.submit(writing.take, block))
            if len(pending) > _AHEAD:
                progress(f"导出 {dataset.title}", pending.popleft().result(), None)
        for taken in pending:
            progress(f"导出 {dataset.title}", taken.result(), None)


class _Writing:
    """The files of one data set while they are written."""

    def __init__(self, dataset: Dataset, folder: Path) -> None:
        stem, schema = dataset.id, arrow_schema(dataset)
        self.result = Exported()
        self.checker = Checker(dataset)
        self._reader = BlockReader(schema)
        self._parquet = ParquetFile(folder / f"{stem}.parquet", schema)
        self._csv = CsvFile(folder / f"{stem}.csv", dataset)
        said = json.dumps(dataset.schema, ensure_ascii=False, indent=1) + "\n"
        self._schema_file = folder / f"{stem}.schema.json"
        self._schema_text = said.encode()

    def take(self, block: Block) -> int:
        """Parse, check and write a block; return how many rows there are so far."""
        content = block.content()
        table = self._reader.table(content, len(block.lines))
        self.checker.add(table)
        self._csv.write(block, content, table)
        self._parquet.write(table)
        self.result.rows += len(block.lines)
        return self.result.rows

    def close(self) -> Exported:
        """Bring everything to the disk and return what there is."""
        schema = HashedFile(self._schema_file)
        schema.write(self._schema_text)
        self.result.problems = self.checker.problems
        if self.result.problems or self.result.failure:
            self._parquet.abandon()
        else:
            self._parquet.close()
        for file in (self._csv, schema):
            file.close()
        for kind, written in (("parquet", self._parquet.file), ("csv", self._csv.file), ("schema", schema)):
            self.result.files[kind] = {"file": written.path.name, "sha256": written.sha256, "bytes": written.size}
        return self.result
