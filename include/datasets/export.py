"""Write one data set into a folder: one reading of its view gives every file, checked on the way.

The database writes lines while the lines before are parsed, checked and written as CSV on one thread, and as Parquet on another.
What these need is loaded on the first of them when the database is at work already: Arrow takes a tenth of a second.
"""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from sqlalchemy import Connection

from include.collection import no_collection
from include.datasets.definitions import Dataset
from include.datasets.snapshot_rows import Block, ViewFailed, blocks_of

if TYPE_CHECKING:
    from include.datasets.arrow_files import BlockReader, CsvFile, ParquetFile, Rows
    from include.datasets.checks import Checker, Problem

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int | None], None]

FORMATS = ("parquet", "csv")

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
    formats: Collection[str] = FORMATS,
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
    except BaseException as error:
        if not writing.notes(error):  # a full disk, an engine that is gone: nothing of it is kept
            with suppress(OSError):
                writing.close()
            raise
    return writing.close()


def _run(connection: Connection, dataset: Dataset, writing: _Writing, progress: Progress) -> None:
    with ExitStack() as threads, blocks_of(connection, dataset) as blocks:
        taking = threads.enter_context(_Beside(writing.take))
        taking.prepare(writing.begin)
        for block in blocks:
            taking.give(block)
            progress(f"导出 {dataset.title}", writing.result.rows, None)
        taking.finish()
    writing.finish()
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

    def prepare(self, begin: Callable[[], None]) -> None:
        """Have it do something once, before all work."""
        self._pending.append(self._thread.submit(begin))

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


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let numpy, which Arrow loads and nobody multiplies by here, start no threads: one of them spins for a tenth of a second."""
    name = "OPENBLAS_NUM_THREADS"
    if name in os.environ:
        yield
        return
    os.environ[name] = "1"
    try:
        yield
    finally:
        del os.environ[name]


class _Writing:
    """The files of one data set while they are written: Parquet on a thread of its own, the rest on that which gives the blocks."""

    _reader: BlockReader
    _checker: Checker
    _is_begun = False

    def __init__(self, dataset: Dataset, folder: Path, formats: Collection[str]) -> None:
        self.result = Exported()
        self._dataset, self._folder, self._formats = dataset, folder, formats
        self._files: dict[str, CsvFile | ParquetFile] = {}
        self._here: list[Callable[[Rows], None]] = []
        self._beside: list[_Beside[Rows]] = []
        self._threads = ExitStack()

    def begin(self) -> None:
        """Load what it takes, and open the files."""
        with no_collection(), _one_thread():  # modules are kept
            from include.datasets.arrow_files import FILES, BlockReader, arrow_schema
            from include.datasets.checks import Checker

        self._reader = BlockReader(arrow_schema(self._dataset))
        self._checker = Checker(self._dataset)
        self._is_begun = True
        for kind in self._formats:
            file = self._files[kind] = FILES[kind](self._folder / f"{self._dataset.id}.{kind}", self._dataset)
            # A thread more than there is work for only keeps the one that receives waiting, and the database with it.
            if kind == "csv":
                self._here.append(file.write)
            else:
                self._beside.append(self._threads.enter_context(_Beside(file.write)))

    def take(self, block: Block) -> None:
        """Parse, check and write a block."""
        rows = self._reader.read(block)
        self._checker.add(rows.table)
        self.result.rows += len(block.sizes)
        for beside in self._beside:
            beside.give(rows)
        for write in self._here:
            write(rows)

    def finish(self) -> None:
        """Wait until all is written."""
        for beside in self._beside:
            beside.finish()

    def notes(self, error: BaseException) -> bool:
        """Note what Arrow says of rows that it cannot take; return whether this is such an error."""
        if not self._is_begun:
            return False
        from pyarrow import ArrowInvalid

        if not isinstance(error, ArrowInvalid):
            return False
        self._checker.note("", "type", 1, str(error))
        return True

    def close(self) -> Exported:
        """Bring everything to the disk and return what there is."""
        from include.datasets.arrow_files import HashedFile

        if not self._is_begun:  # the database refused at once
            self.begin()
        self._threads.close()
        schema = HashedFile(self._folder / f"{self._dataset.id}.schema.json")
        schema.write((json.dumps(self._dataset.schema, ensure_ascii=False, indent=1) + "\n").encode())
        schema.close()
        self.result.problems = self._checker.problems
        is_good = not self.result.problems and not self.result.failure
        for file in self._files.values():
            file.close() if is_good else file.abandon()
        written = {kind: file.file for kind, file in self._files.items()} | {"schema": schema}
        for kind, one in written.items():
            self.result.files[kind] = {"file": one.path.name, "sha256": one.sha256, "bytes": one.size}
        return self.result
