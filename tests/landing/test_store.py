"""Pages by hash and manifests: stored once, checked when read, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from include.errors import LandingCorrupt, SourceMalformed
from include.landing.store import LandingStore

ROWS = [{"b": "双鸭山", "a": 1}, {"a": None, "b": ["x", {"k": 1.5}]}]


def _nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def _file(folder: Path, name: str) -> Path:
    (found,) = folder.rglob(f"{name}.jsonl.zst")
    return found


@pytest.fixture(params=["folder", "fsspec"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> LandingStore:
    """Return a store at a local folder, and at an fsspec address."""
    return LandingStore(str(tmp_path / "landing") if request.param == "folder" else f"memory://{tmp_path.name}")


def test_a_page_comes_back_as_canonical_lines(any_store: LandingStore) -> None:
    name = any_store.put_page("s", ROWS)
    lines = any_store.get_page("s", name)
    assert [json.loads(line) for line in lines] == ROWS
    assert lines[0] == '{"a":1,"b":"双鸭山"}'.encode()
    assert any_store.has_page("s", name)
    assert not any_store.has_page("another", name)


def test_the_name_of_a_page_is_the_hash_of_its_content(store: LandingStore, tmp_path: Path) -> None:
    name = store.put_page("s", ROWS)
    content = zstandard.decompress(_file(tmp_path, name).read_bytes())
    assert hashlib.sha256(content).hexdigest() == name


def test_equal_pages_are_stored_once_whatever_the_order_of_their_fields(any_store: LandingStore) -> None:
    names = {any_store.put_page("s", ROWS), any_store.put_page("s", [dict(reversed(r.items())) for r in ROWS])}
    assert len(names) == 1
    assert any_store.pages("s") == sorted(names)
    assert any_store.put_page("s", list(reversed(ROWS))) not in names


def test_an_empty_page_has_no_lines(any_store: LandingStore) -> None:
    assert any_store.get_page("s", any_store.put_page("s", [])) == []


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    rows=st.lists(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), _values, max_size=4), max_size=5)
)
def test_any_rows_come_back_line_by_line(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    store = LandingStore(str(tmp_path_factory.getbasetemp() / "any"))
    assert [json.loads(line) for line in store.get_page("s", store.put_page("s", rows))] == rows


def test_a_page_that_is_gone_is_named_with_what_to_do(any_store: LandingStore) -> None:
    name = any_store.put_page("s", ROWS)
    any_store.drop_page("s", name)
    any_store.drop_page("s", name)  # twice is no error
    with pytest.raises(LandingCorrupt, match=f"page {name} of s is gone.*read the source again"):
        any_store.get_page("s", name)


@pytest.mark.parametrize(
    "spoilt", [b"", b"no zstd at all", zstandard.compress(b'{"a":2}')], ids=["empty", "foreign", "other content"]
)
def test_a_spoilt_page_is_never_taken_for_rows(store: LandingStore, tmp_path: Path, spoilt: bytes) -> None:
    name = store.put_page("s", ROWS)
    _file(tmp_path, name).write_bytes(spoilt)
    with pytest.raises(LandingCorrupt, match=name):
        store.get_page("s", name)


def test_a_page_cut_short_is_never_taken_for_rows(store: LandingStore, tmp_path: Path) -> None:
    name = store.put_page("s", [{"n": n} for n in range(500)])
    file = _file(tmp_path, name)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(LandingCorrupt, match=name):
        store.get_page("s", name)


def test_no_half_written_file_is_left_or_listed(store: LandingStore, tmp_path: Path) -> None:
    name = store.put_page("s", ROWS)
    store.put_manifest("s", "b1", {"x": 1})
    file = _file(tmp_path, name)
    file.with_name(f".{file.name}.999.part").write_bytes(b"a run that died here")
    assert store.pages("s") == [name]
    (tmp_path / "landing" / "s" / "batches" / ".b2.json.999.part").write_text("{")
    assert store.manifests("s") == ["b1"]


def test_manifests_come_back_and_are_listed_by_time(any_store: LandingStore) -> None:
    for batch_id in ("s-20261102", "s-20261101"):
        any_store.put_manifest("s", batch_id, {"id": batch_id, "title": "年度计划"})
    assert any_store.manifests("s") == ["s-20261101", "s-20261102"]
    assert any_store.manifests("another") == []
    assert any_store.get_manifest("s", "s-20261101") == {"id": "s-20261101", "title": "年度计划"}


def test_a_batch_without_manifest_never_happened(any_store: LandingStore) -> None:
    with pytest.raises(LandingCorrupt, match="no batch b9 of s"):
        any_store.get_manifest("s", "b9")


def test_a_manifest_that_cannot_be_read_is_named(store: LandingStore, tmp_path: Path) -> None:
    store.put_manifest("s", "b1", {})
    (tmp_path / "landing" / "s" / "batches" / "b1.json").write_text("{", "utf-8")
    with pytest.raises(LandingCorrupt, match="manifest of batch b1 cannot be read"):
        store.get_manifest("s", "b1")


@pytest.mark.parametrize(("value", "why"), [(_nested(300), "Recursion limit"), ("half \ud800 of a pair", "surrogates")])
def test_what_cannot_be_kept_is_named_without_its_content(any_store: LandingStore, value: object, why: str) -> None:
    with pytest.raises(SourceMalformed, match=why) as caught:
        any_store.put_page("made_up", [{"id": "secret", "value": value}])
    assert "secret" not in str(caught.value)
    assert "half" not in str(caught.value)
