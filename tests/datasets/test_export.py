"""What stands in the files is what the view shows: alike from both databases, whatever a text holds, and safe in a spreadsheet."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from include.clock import SHANGHAI
from include.datasets import arrow_files, snapshot_rows
from include.datasets import export as exporting
from include.datasets.checks import as_json
from include.datasets.definitions import DATASETS
from include.datasets.export import Exported, export
from include.ledger.snapshot import glance
from include.settings import ROOT
from tests.datasets.made_rows import AT, PROPERTIES, made_dataset, plant, row
from tests.datasets.planted import planted
from tests.datasets.schema_rows import json_rows
from tests.depth import MOSTLY_SQLITE, deep

HOSTILE = [
    "", "'", '"', '""', ",", "a,b", 'x,"=1', "一行\r\n两行", "\r\n", "=1+1", "+86", "-", "@SUM(A1)", "\tx", "\rx", "'=1",
    "<b>&", "𠮷", "e\u0301", "\u202eabc", "x,", ',"', '\n"=', "NULL", "\\N", "%s%w", "\x01", "😀" * 50,
    "＝1", "＋86", "－", "＠x", "（甲）", "！", 'x,"＝1',
]  # fmt: skip


def exported(engine: Engine, folder: Path, dataset: Any = None) -> Exported:
    with glance(engine) as connection:
        return export(connection, dataset or made_dataset(), folder)


def cells(folder: Path) -> list[list[str]]:
    content = (folder / "shops.v1.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def safe(value: str | None) -> str:
    return "" if value is None else f"'{value}" if value[:1] in tuple("=+-@\t\r＝＋－＠") else value


def test_both_files_hold_the_rows_in_the_order_of_the_key(engine: Engine, tmp_path: Path) -> None:
    empty = dict.fromkeys(("name", "count", "amount", "is_open", "issued_on", "seen_at", "note"))
    rows = [row("乙"), row("a", **empty)]
    plant(engine, [*rows, row("B", is_open=False, amount=Decimal("9999999999999.99"), count=0)])
    found = exported(engine, tmp_path)
    assert (found.rows, found.problems, found.failure) == (3, [], "")
    header, *lines = cells(tmp_path)
    assert header == [spec["title"] for spec in PROPERTIES.values()]
    assert [line[0] for line in lines] == ["B", "a", "乙"]
    assert lines[0][3:8] == ["0", "9999999999999.99", "false", "2026-11-02", "2026-11-03T08:30:01+08:00"]
    assert lines[1] == ["a", "", "data", "", "", "", "", "", ""]
    table = pq.read_table(tmp_path / "shops.v1.parquet")
    assert [str(field.type) for field in table.schema] == [
        "string", "string", "string", "int64", "decimal128(18, 2)", "bool", "date32[day]", "timestamp[us, tz=Asia/Shanghai]",
        "string",
    ]  # fmt: skip
    first, second, _ = table.to_pylist()
    assert (first["amount"], first["seen_at"], first["is_open"]) == (Decimal("9999999999999.99"), AT, False)
    assert second == dict.fromkeys(PROPERTIES) | {"code": "a", "kind": "data"}
    assert table.schema.field("amount").metadata == {b"title": "金额(元)".encode(), b"unit": "元".encode()}
    assert not table.schema.field("code").nullable and table.schema.metadata[b"dataset"] == b"shops"
    assert json.loads((tmp_path / "shops.v1.schema.json").read_text("utf-8"))["x-key"] == ["code"]


def test_hashes_and_sizes_are_those_of_the_files(engine: Engine, tmp_path: Path) -> None:
    plant(engine, [row(f"{n:03}") for n in range(300)])
    found = exported(engine, tmp_path)
    assert set(found.files) == {"csv", "parquet", "schema"}
    for file in found.files.values():
        content = (tmp_path / file["file"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["bytes"])


def test_hostile_texts_come_through_and_compute_nothing(engine: Engine, tmp_path: Path) -> None:
    rows = [row(f"{n:02}", name=value, note=value) for n, value in enumerate(HOSTILE)]
    plant(engine, rows)
    assert not exported(engine, tmp_path).problems
    assert [r["name"] for r in pq.read_table(tmp_path / "shops.v1.parquet").to_pylist()] == HOSTILE
    lines = cells(tmp_path)[1:]
    assert [line[1] for line in lines] == [line[8] for line in lines] == [safe(value) for value in HOSTILE]
    assert sum(line[1].startswith("'") for line in lines) == 13
    assert not [c for line in lines for c in (line[0], line[1], line[8]) if c[:1] in tuple("=+-@\t\r")]


def test_hostile_texts_side_by_side_come_through(engine: Engine, tmp_path: Path) -> None:
    pairs = list(product(HOSTILE, HOSTILE))
    plant(engine, [row(f"{n:04}", name=name, note=note) for n, (name, note) in enumerate(pairs)])
    assert not exported(engine, tmp_path).problems
    assert [(line[1], line[8]) for line in cells(tmp_path)[1:]] == [(safe(name), safe(note)) for name, note in pairs]


def test_moments_are_cut_to_the_second_and_never_rounded(engine: Engine, tmp_path: Path) -> None:
    ends = [datetime(1969, 7, 20, 20, 17, 39, tzinfo=SHANGHAI), datetime(1999, 12, 31, 23, 59, 59, tzinfo=SHANGHAI), AT]
    parts = [timedelta(microseconds=part) for part in (0, 1, 499_999, 500_000, 999_999)]
    moments = [end + part for end in ends for part in parts]
    plant(engine, [row(f"{n:02}", seen_at=moment) for n, moment in enumerate(moments)] + [row("x", seen_at=None)])
    assert not exported(engine, tmp_path).problems
    wanted = [end for end in ends for _ in parts]
    assert [line[7] for line in cells(tmp_path)[1:]] == [*(end.isoformat() for end in wanted), ""]
    assert [r["seen_at"] for r in pq.read_table(tmp_path / "shops.v1.parquet").to_pylist()] == [*wanted, None]


def test_missing_and_empty_are_not_the_same(engine: Engine, tmp_path: Path) -> None:
    plant(engine, [row("a", name=None), row("b", name="")])
    exported(engine, tmp_path)
    assert [r["name"] for r in pq.read_table(tmp_path / "shops.v1.parquet").to_pylist()] == [None, ""]
    lines = (tmp_path / "shops.v1.csv").read_bytes().splitlines()
    assert lines[1].startswith(b'"a",,"data"') and lines[2].startswith(b'"b","","data"')


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
AMOUNTS = st.decimals(Decimal("-9999999999999.99"), Decimal("9999999999999.99"), places=2)


@settings(max_examples=deep(12, 25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.none() | TEXTS, st.none() | AMOUNTS), max_size=12))
def test_any_text_and_amount_comes_back(engine: Engine, values: list[tuple[str | None, Decimal | None]]) -> None:
    plant(engine, [row(f"{n:02}", name=name, amount=amount) for n, (name, amount) in enumerate(values)])
    with tempfile.TemporaryDirectory() as folder:
        assert not exported(engine, Path(folder)).problems
        found = pq.read_table(Path(folder) / "shops.v1.parquet").to_pylist()
        assert [(r["name"], r["amount"]) for r in found] == values
        assert [line[1] for line in cells(Path(folder))[1:]] == [safe(name) for name, _ in values]


@pytest.mark.parametrize("name", ["y\nz", "y"])
def test_blocks_and_pieces_of_any_size_give_the_same_files(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    plant(engine, [row(f"{n:03}", name="=x" if n % 7 == 0 else name) for n in range(100)])
    whole = exported(engine, tmp_path)
    content = (tmp_path / "shops.v1.csv").read_bytes()
    assert content.count(b"\r\n") == 101 and content.count(b"\n") == 101 + 85 * name.count("\n")
    for piece in (1, 7, 5_000):
        monkeypatch.setattr(arrow_files, "PIECE_BYTES", piece)
        assert exported(engine, tmp_path).content == whole.content
    for rows, size in ((1, 10**9), (7, 10**9), (10**6, 300)):
        monkeypatch.setattr(snapshot_rows, "_FETCH", 1)
        monkeypatch.setattr(snapshot_rows, "BLOCK_ROWS", rows)
        monkeypatch.setattr(snapshot_rows, "BLOCK_BYTES", size)
        found = exported(engine, tmp_path)
        assert (found.rows, found.content, found.files["parquet"]["sha256"]) == (
            100,
            whole.content,
            whole.files["parquet"]["sha256"],
        )


def test_a_view_that_fails_is_told_and_the_next_one_is_read(engine: Engine, tmp_path: Path) -> None:
    plant(engine, [row("a"), row("b")], ["shops", "broken"])
    with engine.begin() as connection:
        connection.execute(text("DROP VIEW broken"))
    with glance(engine) as connection:
        broken = export(connection, made_dataset("broken"), tmp_path)
        fine = export(connection, made_dataset(), tmp_path)
    assert "broken" in broken.failure and not broken.rows
    assert (fine.rows, fine.failure) == (2, "")


def test_a_value_that_is_not_of_its_type_is_told(engine: Engine, tmp_path: Path) -> None:
    plant(engine, [row("a", name="x")])
    found = exported(engine, tmp_path, made_dataset(name={"type": "integer", "x-type": "integer"}))
    assert [(p.code, p.rows) for p in found.problems] == [("type", 1)]


def test_bytes_that_are_no_text_are_told(ours: Engine, tmp_path: Path) -> None:
    plant(ours, [row("a"), row("b")])
    with ours.begin() as connection:
        connection.execute(text("UPDATE made SET name = CAST(x'ff' AS TEXT) WHERE code = 'b'"))
    assert [(p.code, p.rows) for p in exported(ours, tmp_path).problems] == [("type", 1)]


@pytest.mark.postgres
def test_a_server_sends_no_such_bytes_even_where_it_holds_them(postgres_server: str, tmp_path: Path) -> None:
    server = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    made = "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    with server.connect() as connection:
        connection.execute(text(made))
    options = {"options": "-c TimeZone=Asia/Shanghai -c client_encoding=UTF8"}
    engine = create_engine(make_url(postgres_server).set(database="bytes"), poolclass=NullPool, connect_args=options)
    try:
        plant(engine, [row("a"), row("b")])
        assert exported(engine, tmp_path).rows == 2
        with engine.begin() as connection:
            connection.execute(text("UPDATE made SET name = E'\\xff' WHERE code = 'b'"))
        assert "invalid byte sequence" in exported(engine, tmp_path).failure
    finally:
        with server.connect() as connection:
            connection.execute(text("DROP DATABASE bytes WITH (FORCE)"))
        server.dispose()


def test_a_text_longer_than_what_is_fetched_at_once_comes_whole(engine: Engine, tmp_path: Path) -> None:
    long = "长" * (snapshot_rows._HELD + 1)
    plant(engine, [row("a"), row("b", name=long), row("c")])
    assert not exported(engine, tmp_path).problems
    assert [r["name"] for r in pq.read_table(tmp_path / "shops.v1.parquet").to_pylist()] == ["名称a", long, "名称c"]


@pytest.mark.parametrize("ledger_url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_lines_that_come_late_are_waited_for(engine: Engine, tmp_path: Path) -> None:
    plant(engine, [row(f"{n:02}", name="y" * 9_000) for n in range(20)])
    with engine.begin() as connection:
        late = "SELECT made.* FROM made, LATERAL (SELECT pg_sleep(0.005 + 0 * length(code))) AS late"
        connection.execute(text(f"CREATE OR REPLACE VIEW shops AS {late}"))
    found = exported(engine, tmp_path)
    assert (found.rows, found.problems, found.failure) == (20, [], "")
    assert [r["code"] for r in pq.read_table(tmp_path / "shops.v1.parquet").to_pylist()] == [
        f"{n:02}" for n in range(20)
    ]


def test_an_error_in_the_middle_ends_the_reading_and_not_the_transaction(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(engine, [row(f"{n:04}") for n in range(500)])
    monkeypatch.setattr(snapshot_rows, "_FETCH", 10)
    monkeypatch.setattr(snapshot_rows, "BLOCK_ROWS", 10)

    def take(self: Any, block: Any) -> int:
        raise OSError("disk full")

    with glance(engine) as connection:
        with monkeypatch.context() as patch, pytest.raises(OSError, match="disk full"):
            patch.setattr(exporting._Writing, "take", take)
            export(connection, made_dataset(), tmp_path)
        assert connection.execute(text("SELECT count(*) FROM shops")).scalar() == 500
        assert export(connection, made_dataset(), tmp_path).rows == 500


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_that_cannot_be_written_is_heard_of(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    plant(engine, [row(f"{n:04}") for n in range(50)])

    def write(self: Any, rows: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(arrow_files.FILES[kind], "write", write)
    with glance(engine) as connection:
        with pytest.raises(OSError, match="disk full"):
            export(connection, made_dataset(), tmp_path)
        assert connection.execute(text("SELECT count(*) FROM shops")).scalar() == 50


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_format_alone_holds_the_same(engine: Engine, tmp_path: Path, kind: str) -> None:
    plant(engine, [row(f"{n:03}", name="=x" if n % 7 == 0 else "y") for n in range(100)])
    both = exported(engine, tmp_path)
    (tmp_path / "alone").mkdir()
    with glance(engine) as connection:
        alone = export(connection, made_dataset(), tmp_path / "alone", formats=(kind,))
    assert alone.files == {name: both.files[name] for name in (kind, "schema")} and alone.rows == 100
    assert sorted(path.name for path in (tmp_path / "alone").iterdir()) == [f"shops.v1.{kind}", "shops.v1.schema.json"]


@MOSTLY_SQLITE
def test_rows_with_moments_are_checked_and_written_without_pandas(engine: Engine, tmp_path: Path) -> None:
    plant(engine, [row(f"{n:03}") for n in range(3)])
    program = (
        "import sys; from pathlib import Path; from include.datasets.export import export; "
        "from include.ledger.database import open_ledger; from include.ledger.snapshot import glance; "
        "from tests.datasets.made_rows import made_dataset\n"
        "with glance(open_ledger(sys.argv[1])) as connection:\n"
        "    found = export(connection, made_dataset(), Path(sys.argv[2]))\n"
        "print(found.rows, found.problems, 'pandas' in sys.modules)"
    )
    url = engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", program, url, str(tmp_path)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.strip() == "3 [] False"


def test_a_judged_city_comes_out_of_the_parquet_as_the_views_show_it(engine: Engine, tmp_path: Path) -> None:
    planted(engine)
    filled = 0
    for dataset in DATASETS.values():
        moments = [column.name for column in dataset.columns if column.type == "moment"]
        with glance(engine) as connection:
            wanted = [row | {n: row[n] and row[n][:19] for n in moments} for row in json_rows(connection, dataset)]
        found = exported(engine, tmp_path, dataset)
        assert (found.problems, found.failure, found.rows) == ([], "", len(wanted))
        table = pq.read_table(tmp_path / f"{dataset.id}.parquet")
        rows = as_json(table)
        assert [row | {n: row[n] and row[n][:19] for n in moments} for row in rows] == wanted, dataset.name
        filled += bool(rows)
    assert filled >= 8
