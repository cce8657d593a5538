"""Files: where they lie, that they are whole, the same twice, safe in name and cell, and gone when their message is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.alerts.channels.channel import ChannelCard
from include.alerts.channels.open import open_channel
from include.alerts.channels.spool import Spool, safe_name
from include.errors import ChannelUnreachable
from tests.alerts.messages import BAD, HOSTILE, hostile, many, message

CARD = ChannelCard("spool", "通知文件", "spool", True)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    channel = open_channel(CARD)
    assert isinstance(channel, Spool)
    assert channel.root == tmp_path / "spool"
    return channel


def files(spool: Spool) -> dict[str, bytes]:
    return {str(p.relative_to(spool.root)): p.read_bytes() for p in sorted(spool.root.rglob("*")) if p.is_file()}


def test_a_message_is_a_page_and_a_table(spool: Spool) -> None:
    one = message()
    assert spool.send(one) == str(spool.root / f"2026-11-23/unit/双鸭山市教育局/{one.number}.html")
    found = files(spool)
    assert sorted(found) == [f"2026-11-23/unit/双鸭山市教育局/{one.number}.{kind}" for kind in ("csv", "html")]
    assert all("系统未接入市级共享交换平台".encode() in content for content in found.values())


def test_a_long_message_shows_twenty_and_its_table_has_all(spool: Spool) -> None:
    spool.send(many(60, 20))  # two sections of thirty
    page, table = (next(c.decode() for name, c in files(spool).items() if name.endswith(k)) for k in ("html", "csv"))
    assert page.count("<li") == 40
    assert "…另有 20 条</strong>,全部线索见同名的 CSV 文件" in page
    assert [f"{n:032x}" in table for n in range(60)] == [True] * 60
    assert "另有" not in table


def test_the_same_message_twice_is_the_same_files(spool: Spool) -> None:
    one = message()
    spool.send(one)
    first = files(spool)
    assert spool.send(one) == spool.send(one)
    assert files(spool) == first


def test_messages_with_the_same_number_do_not_overwrite_each_other(spool: Spool) -> None:
    one = message()
    other = replace(one, message_id=one.number + "0" * 24, title="另一封")
    places = {spool.send(one), spool.send(other), spool.send(other), spool.send(one)}
    assert len(places) == 2
    assert len(files(spool)) == 4


def test_receivers_that_see_all_units_have_one_folder(spool: Spool) -> None:
    assert "/2026-11-23/bureau_cloud/全部单位/" in spool.send(message(receiver="bureau_cloud", department=""))


@pytest.mark.parametrize("case", BAD)
def test_every_message_becomes_files_within_the_spool(case: str, spool: Spool) -> None:
    place = Path(spool.send(BAD[case]))
    assert place.resolve().is_relative_to(spool.root.resolve())
    assert len(place.relative_to(spool.root).parts) == 4
    assert len(files(spool)) == 2


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..", ".", "", "/", "a/b\\c", "con", "NUL.txt", "x" * 400, "市\x00教\n育局", "局" * 200],
)
def test_no_name_leaves_its_folder(name: str, spool: Spool) -> None:
    place = Path(spool.send(message(department=name, receiver=name or "unit")))
    parts = place.relative_to(spool.root).parts
    assert len(parts) == 4
    assert all(re.fullmatch(r"[\w·()-]+(\.html)?", part) and len(part.encode()) < 130 for part in parts)


@given(st.text(max_size=60), st.text(max_size=60))
def test_different_names_have_different_folders(one: str, other: str) -> None:
    names = safe_name(one), safe_name(other)
    assert (names[0] == names[1]) is (one == other)
    assert all(name and name not in (".", "..") and not set(name) & set('/\\:*?"<>|\n\0') for name in names)


def test_files_of_messages_that_are_gone_are_removed(spool: Spool) -> None:
    kept, gone = message(), message(title="撤回", department="双鸭山市水务局")
    spool.send(kept)
    place = Path(spool.send(gone))
    foreign = spool.root / "2026-11-23/unit/双鸭山市教育局/note.html"
    foreign.write_text("somebody's own file")
    assert sorted(spool.recall({kept.message_id})) == [str(place.with_suffix(".csv")), str(place)]
    assert not place.parent.exists(), "an empty folder would still tell the unit's name"
    assert len(files(spool)) == 3
    assert spool.recall({kept.message_id}) == []
    assert len(spool.recall(set())) == 2
    assert list(files(spool)) == [str(foreign.relative_to(spool.root))]


def test_an_empty_spool_has_nothing_to_recall(spool: Spool) -> None:
    assert spool.recall(set()) == []


@pytest.mark.parametrize("step", range(4))
def test_a_writing_cut_short_leaves_nothing_half(step: int, spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Break at each write and each rename: what has its name is whole, and the next try completes it."""
    one, calls = message(), iter(range(100))

    def breaking(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            if next(calls) == step:
                raise OSError(28, "No space left on device")
            return real(*arguments)

        return call

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", breaking(Path.write_bytes))
        patched.setattr(Path, "replace", breaking(Path.replace))
        with pytest.raises(ChannelUnreachable, match="No space left"):
            spool.send(one)
    partly = files(spool)
    spool.send(one)
    whole = files(spool)
    assert len(whole) == 2
    assert {name: whole[name] for name in partly} == partly


def test_what_a_killed_writer_left_behind_is_removed(spool: Spool) -> None:
    one = message()
    place = Path(spool.send(one))
    old = place.with_name(f".{place.name}.4711.part")
    young = place.with_name(f".{place.name}.4712.part")
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (1_700_000_000, 1_700_000_000))
    assert spool.recall({one.message_id}) == [str(old)]
    assert young.exists(), "somebody may be writing it"


def test_a_folder_that_cannot_be_written_is_said(spool: Spool) -> None:
    spool.root.write_text("a file where the folder should be")
    with pytest.raises(ChannelUnreachable, match="check the folder and its space"):
        spool.send(message())


def test_an_object_store_is_a_place_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOOL_URL", "memory://spool")
    channel = Spool(CARD)
    one = hostile(HOSTILE["html"])
    place = channel.send(one)
    assert place == channel.send(one)
    assert place.startswith("memory://")
    assert len(channel.recall(set())) == 2
    assert channel.recall(set()) == []


def test_a_login_in_the_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOOL_URL", "memory://user:hidden@spool")
    place = Spool(CARD).send(message())
    assert "hidden" not in place
    assert place.startswith("memory://")


def test_the_connection_may_name_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", '{"conn_type": "fs", "extra": {"path": "%s"}}' % (tmp_path / "other"))
    channel = open_channel(replace(CARD, connection="other"))
    assert channel.send(message()).startswith(str(tmp_path / "other"))
