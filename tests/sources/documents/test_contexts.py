from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from include.errors import ConfigurationError, LimitExceeded, SourceMalformed
from include.settings import ROOT
from tests.sources.documents.catalogues import json_ld, read, rows

DCAT = "https://www.w3.org/ns/dcat.jsonld"
NODE = {"@id": "d", "@type": "Dataset", "title": "公交", "publisher": {"name": "市交通局"}, "issued": "2024-01-02"}
ROW = {
    "@id": "d", "@type": ["dcat:Dataset"], "dct:title": "公交", "dct:publisher": {"foaf:name": "市交通局"},
    "dct:issued": "2024-01-02",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("context", [DCAT, [DCAT, {"x": "http://x.cn/"}], ["http://www.w3.org/ns/hydra/core", DCAT]])
def test_the_shipped_contexts_stand_in_for_those_of_the_w3c(context: Any) -> None:
    assert rows(json_ld(NODE, context=context)) == [ROW]


def test_hydra_by_its_shipped_context_is_followed() -> None:
    collection = {
        "@id": "c",
        "@type": "Collection",
        "totalItems": 7,
        "view": {"@id": "v", "@type": "PartialCollectionView", "next": "n"},
    }
    document = read(json_ld(collection, context="http://www.w3.org/ns/hydra/context.jsonld"))
    assert (document.listed, document.next_url) == (7, "n")


def test_every_shipped_context_is_one() -> None:
    files = sorted((ROOT / "schemas/contexts").glob("*.json"))
    assert len(files) == 2
    assert all(len(json.loads(file.read_text("utf-8"))["@context"]) > 10 for file in files)


def test_a_context_of_the_card_comes_from_its_folder_wherever_it_is_named(folder: Path) -> None:
    (folder / "own.json").write_text(json.dumps({"@context": {"名称": "http://purl.org/dc/terms/title"}}), "utf-8")
    contexts = {"https://portal.example.cn/context": "own.json"}
    nodes = [{"@context": list(contexts), "@id": f"d{n}", "@type": "dcat:Dataset", "名称": f"{n}"} for n in range(3)]
    assert [row["dct:title"] for row in rows(json_ld(*nodes), contexts=contexts)] == ["0", "1", "2"]
    assert len(rows(json_ld(*nodes), contexts={key: str(folder / "own.json") for key in contexts})) == 3


@pytest.mark.parametrize("key", ["@context", "\\u0040context", "@c\\u006Fntext"])
def test_an_unknown_context_is_named_with_what_to_do_and_not_fetched(key: str) -> None:
    body = json_ld(NODE, context="http://127.0.0.1:9/context.json").replace("@context", key)
    with pytest.raises(
        SourceMalformed, match=r"http://127.0.0.1:9/context.json, which is not fetched; save it .* document.contexts"
    ):
        rows(body)


@pytest.mark.parametrize("context", [{"@import": "http://127.0.0.1:9/c"}, [["http://127.0.0.1:9/c"]]])
def test_contexts_that_refer_to_others_are_refused(context: Any) -> None:
    with pytest.raises(SourceMalformed):
        rows(json_ld(NODE, context=context))


def test_a_text_that_looks_like_a_context_is_left_alone() -> None:
    text = '"@context": "http://127.0.0.1:9/c"'
    assert rows(json_ld({"@id": "d", "@type": "dcat:Dataset", "dct:title": text}))[0]["dct:title"] == text


@pytest.mark.parametrize("content", ["no json", "[]", "{}", '{"@context": "http://x.cn/"}'])
def test_a_local_context_that_is_none_is_our_own_mistake(folder: Path, content: str) -> None:
    (folder / "own.json").write_text(content)
    with pytest.raises(ConfigurationError, match="own.json"):
        rows(json_ld(NODE, context="http://x.cn/c"), contexts={"http://x.cn/c": "own.json"})


def test_a_context_file_that_is_not_there_is_our_own_mistake(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="missing.json.*SHUHENG_CONFIG"):
        rows(json_ld(NODE, context="http://x.cn/c"), contexts={"http://x.cn/c": "missing.json"})


def test_contexts_that_would_take_minutes_to_apply_are_refused() -> None:
    terms = {f"t{n}": f"http://x.cn/{n}" for n in range(6000)}
    nodes = [{"@type": "T", "t1": 1} for n in range(45_000)]
    with pytest.raises(LimitExceeded, match="would take minutes"):
        rows(json_ld(*nodes, context={"T": {"@id": "http://x.cn/T", "@context": terms}}))
    with pytest.raises(LimitExceeded, match="would take minutes"):
        rows(
            json_ld(
                {"@context": terms, "@graph": [node | {"@context": {"y": "http://y.cn/"}} for node in nodes]},
                context={},
            )
        )


def test_contexts_that_would_blow_the_document_up_are_refused() -> None:
    with pytest.raises(LimitExceeded, match="with its contexts it has more than"):
        rows(json_ld(*({"@context": DCAT, "title": "x"} for _ in range(2000))))
