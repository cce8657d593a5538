"""Cards: what is wrong in one is said with file, line and fix; own cards lie over shipped ones; the digest follows the mapping."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.errors import CardError, ConfigurationError
from include.sources.card import Card
from include.sources.card_files import load_card, load_cards, read_card
from include.sources.outlines import SHIPPED, card_paths, outline_cards

Data = dict[str, Any]
GROUPS = {
    "projects": {"annual_plan", "approval_frontdb", "provincial_approval", "zj_projects"},
    "exchange": {"exchange_systems", "exchange_services", "exchange_calls"},
    "register": {"system_register", "exemptions", "maintenance_windows"},
    "systems": {"city_cloud", "cloud_metrics", "usage_statistics", "usage_files"},
    "catalogues": {
        "exchange_catalogue", "ckan_portal", "dcat_portal", "datajson_portal", "dcatus3_portal", "municipal_portal",
        "department_catalogues", "department_components", "catalogue_frontdb", "own_export",
    },
    "dossiers": {
        "project_dossiers", "suspensions", "contracts", "payments", "payments_frontdb", "acceptances", "assessments",
        "performance_reviews", "rectifications", "plan_years", "department_years", "attestations",
    },
}  # fmt: skip
NAMES = sorted(name for group in GROUPS.values() for name in group)

SHORT = """\
source: bureau
title: 某局接口
entity: project
reader: http
connection: bureau
request: {path: /list}
paging: {style: single}
key: [project_code]
classified:
  - {field: MJ, open: ["0"]}
fields:
  project_code: CODE
  name: NAME
  nature: {from: KIND, map: {新建: new}, raw: nature_raw}
nested:
  - entity: approval_item
    rows: STEPS
    key: [item_id]
    parent: {project_code: project_code}
    fields:
      item_id: ID
      item_name: WHAT
limits: {attempts: 2}
"""


def read_text(folder: Path, text: str, name: str = "bureau") -> Card:
    path = folder / f"{name}.yaml"
    path.write_text(text, "utf-8")
    return read_card(path)


def line_of(text: str, part: str) -> int:
    assert text.count(part) == 1, part
    return text[: text.index(part)].count("\n") + 1


def test_every_shipped_card_loads_and_is_gated() -> None:
    assert sorted(card_paths()) == sorted(p.stem for p in SHIPPED.glob("*.yaml")) == NAMES
    cards = load_cards()
    assert sorted(c.source for c in cards) == NAMES
    assert {c.reader for c in cards} == {"http", "sql", "file"}
    assert all(c.classified and c.title and len(c.digest) == 16 for c in cards)
    assert [c.source for c in cards if c.entity == "project"] == [
        "provincial_approval",
        "zj_projects",
        "approval_frontdb",
    ]


def test_every_shipped_card_is_in_the_group_of_the_dag_that_takes_it() -> None:
    outlined = {group: {o.source for o in outline_cards() if o.group == group} for group in GROUPS}
    assert outlined == GROUPS
    assert {group: {c.source for c in load_cards() if c.group == group} for group in GROUPS} == GROUPS


def test_a_short_card_is_a_card_with_the_defaults_of_the_schema(tmp_path: Path) -> None:
    card = read_text(tmp_path, SHORT)
    assert (card.source, card.pool, card.authority, card.enabled) == ("bureau", "bureau", 100, True)
    assert (card.envelope.success, card.limits.attempts, card.limits.pages) == (("0",), 2, 20_000)
    assert {f.name: f.converter for f in card.fields} == {
        "project_code": "project_code",
        "name": "text",
        "nature": "enum",
    }


# what is replaced, by what, the words of the problem, the words of the fix, the part whose line is named
MISTAKES = [
    pytest.param("title: 某局接口", "title: 某局接口\ntitel: 某局", "'titel'", "reference", "titel", id="unknown key"),
    pytest.param(
        "{attempts: 2}", "{attempts: 2, atempts: 3}", "'atempts'",
        "reference", "limits:", id="unknown key in a block",
    ),
    pytest.param(
        "reader: http", "reader: ftp", "reader.*ftp",
        "paged JSON interface", "reader:", id="unknown reader",
    ),
    pytest.param(
        "{attempts: 2}", "{attempts: many}", "limits.attempts.*many",
        "Calls for one page", "limits:", id="wrong type",
    ),
    pytest.param(
        "{attempts: 2}", "{attempts: 99}", "limits.attempts.*99",
        "Calls for one page", "limits:", id="out of range",
    ),
    pytest.param(
        "{path: /list}", "{path: list}", "request.path",
        "below the connection", "request:", id="path without a slash",
    ),
    pytest.param("request: {path: /list}\n", "", "request", "docs/source-cards.md", None, id="no request for http"),
    pytest.param("reader: http", "reader: sql", "sql", "docs/source-cards.md", None, id="no sql block"),
    pytest.param("reader: http", "reader: file", "file", "docs/source-cards.md", None, id="no file block"),
    pytest.param("{attempts: 2}", "{read_seconds: 1.0e+300}", "limits.read_seconds", "Longest silence", "limits:", id="too long"),
    pytest.param("{attempts: 2}", "{rate: " + "9" * 400 + "/s}", "no.? rate|not a rate", "the rate", "rate:", id="400 digits"),
    pytest.param(
        "  name: NAME", "  name: NAME\n  updated_at: {from: F, as: text}", "as: text makes no datetime, which updated_at is",
        "use datetime", "updated_at", id="a kind of another field",
    ),
    pytest.param("  name: NAME", "  name: {from: NAME, as: objects}", "as: objects needs", "add fields", "{from: NAME", id="as"),
    pytest.param(
        "  name: NAME", "  name: NAME\n  colour: F", "project has no field 'colour'",
        "use one of .*name", "colour", id="unknown field",
    ),
    pytest.param(
        "item_name: WHAT", "item_colour: WHAT", "approval_item has no field 'item_colour'",
        "item_name", "item_colour", id="unknown field of an item",
    ),
    pytest.param(
        "{新建: new}", "{新建: brand_new}", "'brand_new' is not a value of nature",
        "use one of new", "nature:", id="unknown value",
    ),
    pytest.param(", map: {新建: new}", "", "nature needs a map", "add map", "nature:", id="enumeration without map"),
    pytest.param(
        "raw: nature_raw", "raw: nature_word", "'nature_word' is no canonical field",
        "_raw field", "nature:", id="unknown raw field",
    ),
    pytest.param(
        "  project_code: CODE\n", "", "'project_code' is needed",
        "add a line for project_code", "fields:\n  name", id="key field not mapped",
    ),
    pytest.param(
        "key: [project_code]", "key: [report_code]", "'report_code' is needed",
        "add a line for report_code", "fields:\n  project", id="other key not mapped",
    ),
    pytest.param(
        "    parent: {project_code: project_code}\n", "", "'project_code' is needed",
        "add a line", "    fields:", id="item without its project",
    ),
    pytest.param(
        "source: bureau", "source: office", "source is 'office'",
        "name it 'bureau'", "source:", id="named unlike its file",
    ),
    pytest.param(
        "  name: NAME", "  name: {from: NAME, as: money}", "fields.name",
        "Canonical field", "  name:", id="unknown converter",
    ),
    pytest.param(
        "open: [\"0\"]", "openn: [\"0\"]", "classified.0",
        "Secrecy gate", "{field: MJ", id="unknown key in the gate",
    ),
    pytest.param(
        "fields:\n  project_code", "fields: []\nother:\n  project_code", "fields",
        "raw field", "fields: []", id="fields as a list",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "problem", "fix", "place"), MISTAKES)
def test_a_mistake_is_said_with_file_line_and_fix(
    tmp_path: Path, old: str, new: str, problem: str, fix: str, place: str | None
) -> None:
    text = SHORT.replace(old, new, 1)
    assert text != SHORT
    with pytest.raises(CardError, match=f"(?s){problem}") as caught:
        read_text(tmp_path, text)
    error = caught.value
    assert error.file == str(tmp_path / "bureau.yaml")
    assert str(error).startswith(f"{error.file}:{error.line}: ")
    assert error.line == (line_of(text, place) if place else 1)
    with pytest.raises(AssertionError, match=f"(?s){fix}"):
        raise AssertionError(error.fix)


def test_a_missing_required_block_is_said_at_the_top_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(CardError, match='"connection" is a required property') as caught:
        read_text(tmp_path, SHORT.replace("connection: bureau\n", ""))
    assert caught.value.line == 1


def test_a_cursor_beside_a_condition_on_the_latest_row_is_refused(tmp_path: Path) -> None:
    text = (SHIPPED / "payments_frontdb.yaml").read_text("utf-8")
    assert read_text(tmp_path, text, "payments_frontdb").sql
    with pytest.raises(CardError, match="would not notice") as caught:
        read_text(tmp_path, f"{text}cursor: {{field: GXSJ}}\n", "payments_frontdb")
    assert caught.value.line == len(text.splitlines()) + 1


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param("source: bureau\ntitle: [某局\n", 3, "not YAML", id="open bracket"),
        pytest.param("source: bureau\n\ttitle: x\n", 2, "not YAML", id="tabulator"),
        pytest.param("source: bureau\ntitle: 某局: 接口\n", 2, "not YAML", id="second colon"),
        pytest.param("", 1, "holds no card", id="empty"),
        pytest.param("# only a comment\n", 1, "holds no card", id="comment only"),
        pytest.param("- a\n- b\n", 1, "holds no card", id="a list"),
        pytest.param("某局", 1, "holds no card", id="a word"),
    ],
)
def test_what_is_no_card_at_all_is_said_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(CardError, match=words) as caught:
        read_text(tmp_path, text)
    assert caught.value.line == line
    assert caught.value.fix


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(SHORT.encode("gb18030"), id="GB18030"),
        pytest.param(SHORT.encode("utf-16"), id="UTF-16"),
        pytest.param(SHORT.replace("某局接口", "某\x01局").encode(), id="control character"),
        pytest.param(SHORT.replace("{新建: new}", "{1: new}").encode(), id="a number as word of the map"),
        pytest.param(SHORT.replace("title: 某局接口", "title: 2026-11-01").encode(), id="a date as title"),
        pytest.param(SHORT.replace("CODE", "!!binary aGk=").encode(), id="binary"),
        pytest.param(
            SHORT.replace("key: [project_code]", "? [a, b]\n: c\nkey: [project_code]").encode(), id="a list as key"
        ),
        pytest.param(SHORT.replace("CODE", "&a [*a]").encode(), id="a circle"),
        pytest.param(SHORT.replace("CODE", "!unknown x").encode(), id="unknown tag"),
        pytest.param(SHORT.replace("CODE", "2026-13-45").encode(), id="an impossible date"),
    ],
)
def test_what_yaml_can_hold_and_a_card_cannot_is_a_card_error_too(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bureau.yaml"
    path.write_bytes(content)
    try:
        card = read_card(path)
    except CardError as error:
        assert error.file == str(path)
        assert error.fix
    else:
        assert card.source == "bureau"  # numbers as words of a map are no mistake


def test_a_card_error_survives_the_way_between_processes(tmp_path: Path) -> None:
    with pytest.raises(CardError) as caught:
        read_text(tmp_path, "")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.line, again.fix) == (str(caught.value), caught.value.line, caught.value.fix)


def test_an_unknown_source_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        ConfigurationError, match="no card named 'nobody'; known: acceptances, annual_plan, .*zj_projects"
    ):
        load_card("nobody")


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a bureau's own folder of cards."""
    (tmp_path / "config" / "sources").mkdir(parents=True)
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config" / "sources"


def test_an_own_card_is_added_to_the_shipped_ones(own: Path) -> None:
    (own / "bureau.yaml").write_text(SHORT, "utf-8")
    assert sorted(c.source for c in load_cards()) == sorted([*NAMES, "bureau"])
    assert load_card("bureau").title == "某局接口"


def test_an_own_card_replaces_the_shipped_one_of_its_name(own: Path) -> None:
    text = (SHIPPED / "zj_projects.yaml").read_text("utf-8").replace("authority: 20", "authority: 77")
    (own / "zj_projects.yaml").write_text(text, "utf-8")
    card = load_card("zj_projects")
    assert (card.authority, card.file) == (77, str(own / "zj_projects.yaml"))
    assert sorted(c.source for c in load_cards()) == NAMES


def test_a_broken_own_card_fails_when_it_is_loaded_and_not_while_dags_are_parsed(own: Path) -> None:
    (own / "bureau.yaml").write_text("source: [", "utf-8")
    assert "bureau" in {o.source for o in outline_cards()}
    assert load_card("zj_projects").source == "zj_projects"
    with pytest.raises(CardError):
        load_card("bureau")


def _digest(folder: Path, change: Callable[[Data], None]) -> str:
    data = yaml.safe_load((SHIPPED / "provincial_approval.yaml").read_text("utf-8"))
    change(data)
    return read_text(folder, yaml.safe_dump(data, allow_unicode=True), "provincial_approval").digest


READ_ANEW: list[tuple[str, Callable[[Data], None]]] = [
    ("another raw field", lambda d: d["fields"].update(name="XMMC")),
    ("another unit", lambda d: d["fields"]["total_investment_yuan"].update({"as": "yuan"})),
    ("another word of a map", lambda d: d["fields"]["nature"]["map"].update({"9": "new"})),
    ("a field less", lambda d: d["fields"].pop("is_major")),
    ("another field of an item", lambda d: d["nested"][0]["fields"].update(dept_name="DEPT")),
    ("a stricter gate", lambda d: d["classified"][0].update(open=["0"])),
    ("one more masked field", lambda d: d["personal"].append("SCALE_CONTENT")),
    ("a constant", lambda d: d.update(constants={"fund_source": "市本级"})),
    ("another key", lambda d: d.update(key=["report_code"])),
    ("one more ignored field", lambda d: d["ignore"].append("DATA_BATCH_NO")),
]
NOT_READ_ANEW: list[tuple[str, Callable[[Data], None]]] = [
    ("nothing", lambda d: None),
    ("limits", lambda d: d["limits"].update(rate="10/s", attempts=9)),
    ("title", lambda d: d.update(title="别的名字")),
    ("paging", lambda d: d["paging"].update(page_size=50)),
    ("group", lambda d: d.update(group="systems")),
    ("authority and guards", lambda d: d.update(authority=9, vanishing={"max_count": 1})),
]  # fmt: skip


@pytest.mark.parametrize("change", [c for _, c in READ_ANEW], ids=[n for n, _ in READ_ANEW])
def test_the_digest_changes_with_what_decides_how_a_record_is_read(
    tmp_path: Path, change: Callable[[Data], None]
) -> None:
    assert _digest(tmp_path, change) != load_card("provincial_approval").digest


@pytest.mark.parametrize("change", [c for _, c in NOT_READ_ANEW], ids=[n for n, _ in NOT_READ_ANEW])
def test_the_digest_stays_where_records_are_read_alike(tmp_path: Path, change: Callable[[Data], None]) -> None:
    assert _digest(tmp_path, change) == load_card("provincial_approval").digest


def test_a_gate_that_keeps_out_more_has_every_source_read_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _digest(tmp_path, lambda d: None)
    monkeypatch.setattr("include.sources.card.GATE", 3)
    assert _digest(tmp_path, lambda d: None) != before
