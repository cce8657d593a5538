"""A data set's two files, written block by block with their hashes: Parquet for programs, CSV for people and spreadsheets."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as arrow_parquet

from include.alerts.rendering.harmless import FORMULA_SIGNS
from include.datasets.definitions import Dataset
from include.datasets.snapshot_rows import TEXTS, Block

ROW_GROUP = 131_072
ROW_GROUP_BYTES = 64_000_000
PIECE_BYTES = 512_000
"""As much is worked on at once: what it becomes must still be in the processor's cache when it is taken up again."""

SENT_BYTES = 8_000_000
"""After so many bytes the disk gets work, instead of all of it at the end."""

REPEATS, JUDGED_ROWS = 8, 32_768
"""So many rows a value, among the first ones, and a column gets a dictionary."""

_SIGNS = tuple(sign.encode() for sign in FORMULA_SIGNS)
_FIRST_BYTES = frozenset(sign[0] for sign in _SIGNS)
_OPENING = re.compile(rb'((?:^|,)")(?=' + b"|".join(map(re.escape, _SIGNS)) + b")")
"""The quote that opens such a text in a line: every other quote is doubled, or stands before a comma or the line's end."""

_ARROW = {
    "text": pa.string(), "json": pa.string(), "integer": pa.int64(), "decimal(18,2)": pa.decimal128(18, 2), "flag": pa.bool_(),
    "date": pa.date32(), "moment": pa.timestamp("us", "Asia/Shanghai"),
}  # fmt: skip


def arrow_schema(dataset: Dataset) -> pa.Schema:
    """Return the types of the columns, with Chinese title, unit and description as metadata of each field."""
    fields = []
    for column in dataset.columns:
        said = {"title": column.title, "unit": column.unit, "description": column.description}
        metadata = {name: value for name, value in said.items() if value}
        fields.append(pa.field(column.name, _ARROW[column.type], column.is_nullable, metadata))
    about = {"dataset": dataset.name, "version": str(dataset.version), "title": dataset.title}
    return pa.schema(fields, about)


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows as the files take them: the block they came in, its lines joined, and its columns."""

    block: Block
    content: bytearray
    table: pa.Table


class BlockReader:
    """Turns lines into columns of the declared types; a value that is not of its type raises `pyarrow.ArrowInvalid`."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._read = arrow_csv.ReadOptions(column_names=schema.names, use_threads=False)
        self._parse = arrow_csv.ParseOptions(newlines_in_values=True)
        self._convert = arrow_csv.ConvertOptions(
            column_types={field.name: field.type for field in schema}, null_values=[""], strings_can_be_null=True,
            quoted_strings_can_be_null=False, true_values=["true"], false_values=["false"],
        )  # fmt: skip

    def read(self, block: Block) -> Rows:
        """Return a block with its columns, each in one piece: whoever works on them does so once and not for each piece."""
        content, sent = block.content(), len(block.sizes)
        self._convert.check_utf8 = not block.is_unicode
        # The reader refuses a line that does not fit into two of its own blocks.
        self._read.block_size = max(PIECE_BYTES, max(block.sizes, default=0))
        table = arrow_csv.read_csv(pa.BufferReader(content), self._read, self._parse, self._convert).combine_chunks()
        if table.num_rows != sent:
            raise pa.ArrowInvalid(f"{sent} rows were sent and {table.num_rows} read")
        return Rows(block, content, table)


class HashedFile:
    """A file that is being written, with size and hash of what was."""

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, 0
        self._hash = hashlib.sha256()
        self._sent = 0
        self._file = path.open("wb", buffering=0)

    @property
    def sha256(self) -> str:
        """Return the hash of what was written."""
        return self._hash.hexdigest()

    @property
    def closed(self) -> bool:
        """Return whether nothing more can be written; pyarrow asks."""
        return self._file.closed

    def write(self, content: Any) -> int:
        """Write bytes to the end."""
        view = memoryview(content).cast("B")
        self._hash.update(view)
        self.size += len(view)
        at = 0
        while at < len(view):
            at += self._file.write(view[at:])
        self._send_on()
        return len(view)

    def _send_on(self) -> None:
        """Have the system begin to write to the disk, where it knows how, so that little is left to wait for in the end."""
        if self.size - self._sent >= SENT_BYTES and hasattr(os, "posix_fadvise"):
            # Only what is on the disk already leaves memory; the rest starts on its way there.
            os.posix_fadvise(self._file.fileno(), self._sent, self.size - self._sent, os.POSIX_FADV_DONTNEED)
            self._sent = self.size

    def tell(self) -> int:
        """Return how much was written; pyarrow asks."""
        return self.size

    def flush(self) -> None:
        """Do nothing: every write goes through."""

    def close(self) -> None:
        """Bring everything to the disk."""
        if not self._file.closed:
            os.fsync(self._file.fileno())
            self._file.close()


class CsvFile:
    """UTF-8 with a byte order mark, so that spreadsheets know it; Chinese titles; lines end as RFC 4180 says."""

    def __init__(self, path: Path, dataset: Dataset) -> None:
        self.file = HashedFile(path)
        self._texts = [n for n, column in enumerate(dataset.columns) if column.type in TEXTS]
        header = ",".join('"' + column.title.replace('"', '""') + '"' for column in dataset.columns)
        self.file.write(b"\xef\xbb\xbf" + header.encode() + b"\r\n")

    def write(self, rows: Rows) -> None:
        """Write rows."""
        content = rows.content
        if formulas := formula_rows(rows.table, self._texts):
            lines = rows.block.lines()
            for row in formulas:
                # Without its end: after a text that ends with a comma it would look like a text that begins with a sign.
                lines[row] = _OPENING.sub(rb"\1'", lines[row][:-2]) + lines[row][-2:]
            content = rows.block.with_lines(lines).content()
        for at in range(0, len(content), PIECE_BYTES):
            self.file.write(memoryview(content)[at : at + PIECE_BYTES])

    def abandon(self) -> None:
        """End the file as it is: nobody will read it."""
        self.close()

    def close(self) -> None:
        """Bring everything to the disk."""
        self.file.close()


def formula_rows(table: pa.Table, columns: Sequence[int]) -> list[int]:
    """Return the rows in which a text of these columns begins like a formula."""
    import numpy as np

    found: set[int] = set()
    for column in columns:
        at = 0
        for chunk in table.column(column).chunks:
            _, offsets, data = chunk.buffers()
            if data is not None and data.size:
                places = np.frombuffer(offsets, dtype=np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
                # An empty text shows the first byte of the next one, or the last of all.
                first = np.frombuffer(data, dtype=np.uint8).take(places[:-1], mode="clip")
                seen = first.tobytes()
                # Looking for each of them takes a tenth of what it takes to look every one up.
                if any(byte in seen for byte in _FIRST_BYTES):
                    rows = np.flatnonzero(np.isin(first, list(_FIRST_BYTES)) & (places[1:] > places[:-1]))
                    # The full-width ones begin like many a Chinese bracket: look at these few whole.
                    found.update(
                        at + row for row in rows.tolist() if chunk[row].as_buffer().to_pybytes().startswith(_SIGNS)
                    )
            at += len(chunk)
    return sorted(found)


class ParquetFile:
    """Row groups of even size, compressed with zstd; equal rows give equal files."""

    def __init__(self, path: Path, dataset: Dataset) -> None:
        self.file = HashedFile(path)
        self._schema = arrow_schema(dataset)
        # Least and greatest of texts in no order leave nothing out for whoever filters, and take a fifth of the writing.
        self._bounded = [c.name for c in dataset.columns if c.type not in TEXTS or c.name in dataset.key] or False
        self._writer: Any = None
        self._waiting: list[pa.Table] = []

    def write(self, rows: Rows) -> None:
        """Take rows; they are written when they fill a row group."""
        self._waiting.append(rows.table)
        count, size = (sum(getattr(t, name) for t in self._waiting) for name in ("num_rows", "nbytes"))
        if count >= ROW_GROUP or size >= ROW_GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        # The reader calls every column nullable, and knows no titles.
        if not self._waiting:
            rows = self._schema.empty_table()
        else:
            rows = pa.Table.from_arrays(pa.concat_tables(self._waiting).columns, schema=self._schema)
        if self._writer is None:
            repeating = _repeating(rows.slice(0, JUDGED_ROWS))
            self._writer = arrow_parquet.ParquetWriter(
                self.file, self._schema, compression="zstd", compression_level=1, use_dictionary=repeating or False,
                write_statistics=self._bounded,
            )  # fmt: skip
        if rows.num_rows:
            self._writer.write_table(rows)
        self._waiting = []

    def abandon(self) -> None:
        """End the file as it is: rows that are not as they should be cannot be written, and nobody will read it."""
        self._waiting = []
        self.close()

    def close(self) -> None:
        """Write what is left and bring everything to the disk."""
        if not self.file.closed:
            self._flush()
            self._writer.close()
            self.file.close()


FILES: Mapping[str, type[CsvFile | ParquetFile]] = {"parquet": ParquetFile, "csv": CsvFile}


def _repeating(table: pa.Table) -> list[str]:
    """Return the columns whose values repeat: a dictionary of the others would only be built and thrown away."""
    most = max(1, table.num_rows // REPEATS)
    return [name for name in table.column_names if pc.count_distinct(table.column(name)).as_py() <= most]
