"""Releases and their switch: what is published, what is held back and why, and what writes nothing."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, event, text

from include.clock import SHANGHAI, now
from include.datasets.publication import Published, publish_datasets
from include.datasets.releases import Releases
from include.errors import ConfigurationError
from include.ledger.alert_tables import expunged
from tests.datasets.made_rows import guard_them, made_dataset, plant, row
from tests.depth import MOSTLY_SQLITE

ROWS = [row(f"{n:03}") for n in range(100)]
TWO = {name: made_dataset(name) for name in ("shops", "stalls")}


@pytest.fixture(autouse=True)
def _guarded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    guard_them(monkeypatch, tmp_path / "config", TWO, change={"fewer_percent": 20, "more_percent": 50, "least_rows": 5})


def published(engine: Engine, to: Path, datasets: Any = None, **how: Any) -> Published:
    return publish_datasets(engine, str(to), datasets=datasets or {"shops": TWO["shops"]}, **how)


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def current(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "current.json").read_text("utf-8")))


def codes(folder: Path, name: str = "shops", said: dict[str, Any] | None = None) -> list[str]:
    """Return the keys of what `current.json` says counts, having checked every hash on the way."""
    said = said or current(folder)
    for file in said["datasets"][name]["files"].values():
        content = (folder / file["path"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["bytes"])
    path = folder / said["datasets"][name]["files"]["parquet"]["path"]
    return [r["code"] for r in pq.read_table(path, partitioning=None).to_pylist()]


def test_a_release_holds_every_data_set_and_says_what_it_rests_on(engine: Engine, tmp_path: Path) -> None:
    to = tmp_path / "to"
    plant(engine, ROWS, TWO)
    found = published(engine, to, TWO)
    assert (found.is_new, found.held, list(found.current["datasets"])) == (True, {}, ["shops", "stalls"])
    assert codes(to) == codes(to, "stalls") == [r["code"] for r in ROWS]
    manifest = json.loads((to / f"releases/{found.release}/manifest.json").read_text("utf-8"))
    assert manifest["datasets"]["shops"]["rows"] == 100 and manifest["datasets"]["shops"]["key"] == ["code"]
    assert manifest["ledger"] | {"evaluations": []} == manifest["ledger"]
    assert (manifest["ledger"]["unknown_verdicts"], manifest["ledger"]["waived_findings"]) == (0, 0)
    assert {one["source"] for one in manifest["inputs"]} > {"system_register", "exchange_calls"}
    assert all(one["last_batch"] is None and one["age_days"] is None for one in manifest["inputs"])
    linked = sorted(p.name for p in (to / "current").iterdir())
    assert linked == sorted(f"{n}.v1.{kind}" for n in TWO for kind in ("csv", "parquet", "schema.json"))
    assert all(
        (to / "current" / name).resolve() == (to / "releases" / str(found.release) / name).resolve() for name in linked
    )
    assert not list(to.rglob(".part-*"))


def test_the_same_again_writes_nothing_but_when_it_was_looked_at(engine: Engine, tmp_path: Path) -> None:
    to = tmp_path / "to"
    plant(engine, ROWS, TWO)
    first = published(engine, to, TWO)
    before = files(to)
    second = published(engine, to, TWO)
    after = files(to)
    assert (second.release, second.is_new) == (first.release, False)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert changed <= {"current.json"}
    assert json.loads(before["current.json"]) | {"checked_at": ""} == json.loads(after["current.json"]) | {
        "checked_at": ""
    }


@MOSTLY_SQLITE
def test_one_changed_row_makes_a_release_and_the_old_one_stays(engine: Engine, tmp_path: Path) -> None:
    to = tmp_path / "to"
    plant(engine, ROWS)
    first = published(engine, to)
    kept = files(to / "releases")
    plant(engine, [*ROWS[:-1], row("zzz")])
    second = published(engine, to)
    assert second.is_new and second.release != first.release and codes(to)[-1] == "zzz"
    assert kept.items() <= files(to / "releases").items()
    assert Releases(str(to)).names() == sorted(map(str, (first.release, second.release)))


@MOSTLY_SQLITE
@pytest.mark.parametrize(
    ("rows", "guard"), [(ROWS[:79], "rows_fewer"), ([*ROWS, *(row(f"x{n:03}") for n in range(51))], "rows_more")]
)
def test_a_leap_in_rows_waits_for_a_person_and_the_other_goes_out(
    engine: Engine, tmp_path: Path, rows: list[dict[str, Any]], guard: str
) -> None:
    to = tmp_path / "to"
    plant(engine, ROWS, TWO)
    first = published(engine, to, TWO)
    plant(engine, rows, ["shops"])
    held = published(engine, to, TWO)
    assert [hold.guard for hold in held.held["shops"]] == [hold.guard for hold in held.held["stalls"]] == [guard]
    assert len(codes(to)) == 100 and held.release == first.release and set(held.failed) == {"shops", "stalls"}
    accepted = published(engine, to, TWO, accept=["shops"], by="张三")
    assert len(codes(to)) == len(rows) and len(codes(to, "stalls")) == 100
    entry = current(to)["datasets"]["stalls"]
    assert (
        entry["release"] == first.release
        and entry["held_back"]["since"] == held.current["datasets"]["stalls"]["held_back"]["since"]
    )
    note = Releases(str(to)).manifest(str(accepted.release))["datasets"]["shops"]["accepted"]
    assert (note["by"], [r["guard"] for r in note["reasons"]]) == ("张三", [guard])
    # The one that is held back is reached through the links as well, where it lies.
    assert {p.name.split(".")[0]: p.resolve().parent.name for p in (to / "current").iterdir()} == {
        "shops": accepted.release, "stalls": first.release,
    }  # fmt: skip
    assert not published(engine, to, {"shops": TWO["shops"]}).held


@MOSTLY_SQLITE
def test_a_change_within_bounds_or_of_few_rows_is_believed(engine: Engine, tmp_path: Path) -> None:
    for rows, then in ((100, 80), (100, 150), (4, 0), (0, 4)):
        to = tmp_path / f"{rows}-{then}"
        for count in (rows, then):
            plant(engine, [row(f"{n:03}") for n in range(count)])
            assert not published(engine, to).held
        assert len(codes(to)) == then


@MOSTLY_SQLITE
def test_rows_that_break_the_schema_pass_for_nobody(engine: Engine, tmp_path: Path) -> None:
    to = tmp_path / "to"
    plant(engine, ROWS, TWO)
    published(engine, to, TWO)
    plant(engine, [*ROWS, row("new", kind="gift")], TWO)
    strict = TWO | {"stalls": made_dataset("stalls", kind={"enum": ["data", "component", "gift"]})}
    found = published(engine, to, strict, accept=["shops"], by="张三")
    assert [hold.guard for hold in found.held["shops"]] == ["schema"]
    assert "类别(kind):不是规定的取值,1 行" in found.held["shops"][0].text
    assert "new" not in codes(to) and "new" in codes(to, "stalls")
    assert not [
        name for name in files(to / "releases" / str(found.release)) if "shops" in name and "current" not in name
    ]


@MOSTLY_SQLITE
def test_a_new_version_is_compared_with_no_other_and_a_name_must_be_known(engine: Engine, tmp_path: Path) -> None:
    to = tmp_path / "to"
    plant(engine, ROWS)
    published(engine, to)
    plant(engine, ROWS[:3])
    assert not published(engine, to, {"shops": made_dataset("shops", 2)}).held
    assert codes(to) == ["000", "001", "002"] and (to / "current" / "shops.v2.csv").exists()
    with pytest.raises(ConfigurationError, match="no data set is named toys; there are shops"):
        published(engine, to, accept=["toys"])


@MOSTLY_SQLITE
def test_what_was_never_published_and_fails_is_not_there(engine: Engine, tmp_path: Path) -> None:
    plant(engine, [row("a"), row("a")])
    found = published(engine, tmp_path / "to")
    entry = current(tmp_path / "to")["datasets"]["shops"]
    assert (found.release, entry["release"], entry["rows"]) == (None, None, None)
    assert "主键重复" in entry["held_back"]["reasons"][0]["text"]
    assert not (tmp_path / "to" / "current").exists()


def test_publishing_writes_nothing_into_the_ledger(engine: Engine, tmp_path: Path) -> None:
    plant(engine, ROWS)
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *a: said.append(a[2].split()[0].upper()))
    published(engine, tmp_path / "to")
    assert len(said) > 3 and not set(said) & {"INSERT", "UPDATE", "DELETE", "CREATE", "DROP"}


def _expunge(engine: Engine, at: datetime) -> None:
    with engine.begin() as connection:
        connection.execute(expunged.insert().values(expunged_at=at, source="provincial_approval", records=1))


def test_what_was_published_before_an_expunging_is_gone(engine: Engine, tmp_path: Path) -> None:
    to = tmp_path / "to"
    plant(engine, [*ROWS, row("秘密工程")], TWO)
    first = published(engine, to, TWO)
    (to / "reports").mkdir()
    for name, said in (("2026-10-月度通报.xlsx", "秘密工程"), ("2026-10.json", "{}")):
        (to / "reports" / name).write_text(said, "utf-8")
    (to / "catalogue.manifest.json").write_text(json.dumps({"as_of": "2020-01-01T00:00:00+08:00"}))
    (to / "catalogue.ttl").write_text("秘密工程", "utf-8")
    # The moment lies before that of the first release: it was committed later than it says.
    _expunge(engine, datetime(2026, 1, 1, tzinfo=SHANGHAI))
    plant(engine, ROWS, TWO)
    broken = TWO | {"stalls": made_dataset("stalls", code={"pattern": "^x"})}
    found = published(engine, to, broken)
    assert found.is_new and str(first.release) in found.removed and Releases(str(to)).names() == [found.release]
    assert not [name for name, content in files(to).items() if "秘密工程".encode() in content]
    assert sorted(p.name for p in to.iterdir()) == ["current", "current.json", "releases", "reports"]
    entry = current(to)["datasets"]["stalls"]
    assert entry["release"] is None and [r["guard"] for r in entry["held_back"]["reasons"]] == ["schema", "expunged"]
    assert sorted(p.name for p in (to / "current").iterdir()) == [
        "shops.v1.csv",
        "shops.v1.parquet",
        "shops.v1.schema.json",
    ]
    assert not published(engine, to, {"shops": TWO["shops"]}).removed
    # Equal content is no reason to keep what was written before.
    _expunge(engine, now() + timedelta(days=1))
    again = published(engine, to, {"shops": TWO["shops"]})
    assert again.is_new and again.removed == [found.release]


@MOSTLY_SQLITE
def test_nothing_stays_even_where_nothing_new_passes(engine: Engine, tmp_path: Path) -> None:
    to = tmp_path / "to"
    plant(engine, ROWS)
    published(engine, to)
    _expunge(engine, now())
    with engine.begin() as connection:
        connection.execute(text("DROP VIEW shops"))
    found = published(engine, to)
    assert (found.release, Releases(str(to)).names(), sorted(p.name for p in to.iterdir())) == (
        None,
        [],
        ["current.json", "releases"],
    )


@MOSTLY_SQLITE
def test_the_releases_that_may_go_are_the_old_ones_that_nothing_names(engine: Engine, tmp_path: Path) -> None:
    to, made = tmp_path / "to", []
    plant(engine, ROWS, TWO)
    made.append(published(engine, to, TWO).release)
    for n in range(3):
        plant(engine, [*ROWS[:-1], row(f"z{n}")], ["shops"])
        with engine.begin() as connection:
            connection.execute(text("DROP VIEW IF EXISTS stalls"))
        made.append(published(engine, to, TWO).release)
    releases = Releases(str(to))
    assert len(set(made)) == 4 and releases.names() == sorted(map(str, made))
    assert set(releases.older(0)) == set(releases.names()) - {made[0], made[-1]}
    assert made[0] not in releases.older(1)
    assert releases.older(30) == []
