"""Write one data set into a folder: one reading of its view gives every file, checked on the way.

The database writes lines while the lines before are parsed, checked and written as CSV on one thread, and as Parquet on another.
"""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import pyarrow as pa
from sqlalchemy import Connection

from include.datasets.arrow_files import BlockReader, CsvFile, HashedFile, ParquetFile, Rows, arrow_schema
from include.datasets.checks import Checker, Problem
from include.datasets.definitions import Dataset
from include.datasets.snapshot_rows import Block, ViewFailed, blocks_of

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int | None], None]

FORMATS: Mapping[str, type[CsvFile | ParquetFile]] = {"parquet": ParquetFile, "csv": CsvFile}

_AHEAD = 2
"""Pieces that may wait for a thread: more would only be memory."""

T = TypeVar("T")


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
    connection: Connection,
    dataset: Dataset,
    folder: Path,
    progress: Progress = lambda step, done, total: None,
    *,
    formats: Collection[str] = tuple(FORMATS),
) -> Exported:
    """Write `<name>.v<version>` in these formats, and its schema; what is wrong with its rows is told, never raised."""
    writing = _Writing(dataset, folder, formats)
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
    with ExitStack() as threads:
        # A thread more than there is work for only keeps the one that receives waiting, and the database with it.
        here = [file for file in writing.files.values() if isinstance(file, CsvFile)]
        beside = [threads.enter_context(_Beside(file.write)) for file in writing.files.values() if file not in here]

        def take(block: Block) -> None:
            rows = writing.take(block)
            for other in beside:
                other.give(rows)
            for file in here:
                file.write(rows)

        taking = threads.enter_context(_Beside(take))
        with closing(blocks_of(connection, dataset)) as blocks:
            for block in blocks:
                taking.give(block)
                progress(f"导出 {dataset.title}", writing.result.rows, None)
            taking.finish()
            for other in beside:
                other.finish()
        progress(f"导出 {dataset.title}", writing.result.rows, None)


class _Beside(Generic[T]):
    """A thread that works on one piece after the other; who gives it more than it can do waits, and hears what it raised."""

    def __init__(self, work: Callable[[T], None]) -> None:
        self._work = work
        self._thread = ThreadPoolExecutor(1, initializer=_interrupt_nobody)
        self._pending: deque[Future[None]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._thread.shutdown(cancel_futures=True)

    def give(self, piece: T) -> None:
        """Let it work on a piece."""
        self._pending.append(self._thread.submit(self._work, piece))
        if len(self._pending) > _AHEAD:
            self._pending.popleft().result()

    def finish(self) -> None:
        """Wait until all is done."""
        while self._pending:
            self._pending.popleft().result()


def _interrupt_nobody() -> None:
    """Have the system let this thread, which computes, wait for its turn like any other, but never break into another's.

    By a unix socket the database stands still once 0.2 MB wait to be received, so that what receives must come at once.
    """
    if hasattr(os, "SCHED_BATCH") and os.sched_getscheduler(0) == os.SCHED_OTHER:  # Linux; 0 is the thread that asks
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


class _Writing:
    """The files of one data set while they are written."""

    def __init__(self, dataset: Dataset, folder: Path, formats: Collection[str]) -> None:
        self.result = Exported()
        self.checker = Checker(dataset)
        self._reader = BlockReader(arrow_schema(dataset))
        self.files = {kind: FORMATS[kind](folder / f"{dataset.id}.{kind}", dataset) for kind in formats}
        self._schema_file = folder / f"{dataset.id}.schema.json"
        self._schema_text = (json.dumps(dataset.schema, ensure_ascii=False, indent=1) + "\n").encode()

    def take(self, block: Block) -> Rows:
        """Parse and check a block."""
        rows = self._reader.read(block)
        self.checker.add(rows.table)
        self.result.rows += len(block.sizes)
        return rows

    def close(self) -> Exported:
        """Bring everything to the disk and return what there is."""
        schema = HashedFile(self._schema_file)
        schema.write(self._schema_text)
        schema.close()
        self.result.problems = self.checker.problems
        is_good = not self.result.problems and not self.result.failure
        for file in self.files.values():
            file.close() if is_good else file.abandon()
        written = {kind: file.file for kind, file in self.files.items()} | {"schema": schema}
        for kind, one in written.items():
            self.result.files[kind] = {"file": one.path.name, "sha256": one.sha256, "bytes": one.size}
        return self.result
