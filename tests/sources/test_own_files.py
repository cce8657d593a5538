"""A bureau's own files lie over the shipped ones by name, and an error names the file of the two, line and fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import CardError, ConfigurationError
from include.sources.location import location
from include.sources.own_files import EVERY_DEPTH, files_in, files_of, read_laid_over

SHIPPED = "change: {fewer_percent: 1, more_percent: 2, least_rows: 3}\ndatasets:\n  a: {depends_on: [x]}\n  b: {depends_on: []}\n"
OWN = "# ours\ndatasets:\n  b: {depends_on: [y]}\n  c: {depends_on: []}\n"
SCHEMA, REFERENCE = "guards.v1.json", "include/datasets/guards.yaml"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shipped file and, in a folder of its own, the bureau's."""
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path / "own"))
    (tmp_path / "guards.yaml").write_text(SHIPPED, "utf-8")
    (tmp_path / "own" / "guards.yaml").write_text(OWN, "utf-8")
    return tmp_path / "guards.yaml"


def test_entries_are_replaced_as_a_whole_and_joined_where_every_depth_is_asked_for(shipped: Path) -> None:
    laid = read_laid_over(shipped, SCHEMA, REFERENCE)
    assert set(laid.data["datasets"]) == {"a", "b", "c"}
    assert laid.data["datasets"]["b"]["depends_on"] == ["y"]
    assert laid.data["change"]["least_rows"] == 3
    shipped.with_name("own").joinpath("guards.yaml").write_text("datasets: {a: {depends_on: []}}\n", "utf-8")
    shipped.write_text(
        SHIPPED.replace("a: {", "a: {change: {fewer_percent: 1, more_percent: 1, least_rows: 1}, "), "utf-8"
    )
    assert "change" not in read_laid_over(shipped, SCHEMA, REFERENCE).data["datasets"]["a"]
    joined = read_laid_over(shipped, SCHEMA, REFERENCE, EVERY_DEPTH).data["datasets"]["a"]
    assert (joined["depends_on"], joined["change"]["least_rows"]) == ([], 1)


def test_an_error_is_of_the_last_file_that_has_the_place(shipped: Path) -> None:
    laid = read_laid_over(shipped, SCHEMA, REFERENCE)
    own = shipped.parent / "own" / shipped.name
    for at, file, line in (
        (["datasets", "b", "depends_on", 0], own, 3), (["datasets", "a"], shipped, 3), (["change"], shipped, 1),
        (["datasets", "d"], own, 2), (["inputs"], own, 2),
    ):  # fmt: skip
        error = laid.wrong(at, "no", "mend it")
        assert (error.file, error.line, str(error).endswith("no. Fix: mend it")) == (str(file), line, True), at


def test_what_is_wrong_in_the_own_file_is_named_by_it(shipped: Path) -> None:
    own = shipped.parent / "own" / shipped.name
    own.write_text("\ndatasets: []\n", "utf-8")
    with pytest.raises(CardError, match=r"own/guards.yaml:2: datasets: .*object"):
        read_laid_over(shipped, SCHEMA, REFERENCE)
    own.write_bytes("# 衡".encode("gb18030"))
    with pytest.raises(CardError, match=r"own/guards.yaml:1: not UTF-8"):
        read_laid_over(shipped, SCHEMA, REFERENCE)


def test_files_and_folders_are_read_in_order_as_far_as_they_are_there(
    shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = shipped.parent / "own"
    assert files_of(shipped) == [shipped, own / shipped.name]
    assert files_of(shipped.with_name("absent.yaml")) == []
    (own / "cards").mkdir()
    for file in (own / "cards" / "b.yml", own / "cards" / "a.yaml", own / "cards" / "c.txt"):
        file.touch()
    assert files_in(shipped.parent, "cards") == [shipped, own / "cards" / "a.yaml", own / "cards" / "b.yml"]
    monkeypatch.delenv("SHUHENG_CONFIG")
    assert (files_of(shipped), files_in(shipped.parent, "cards")) == ([shipped], [shipped])


def test_a_location_is_a_folder_or_an_address_and_its_error_keeps_the_login(tmp_path: Path) -> None:
    assert location(str(tmp_path)) == tmp_path
    assert (location("memory://x") / "y").path.endswith("x/y")
    with pytest.raises(
        ConfigurationError, match=r"of s3\+nowhere:// cannot be used .* LANDING_URL, .*fsspec"
    ) as caught:
        location("s3+nowhere://me:SECRET@x")
    assert "SECRET" not in str(caught.value)
    assert caught.value.__suppress_context__
