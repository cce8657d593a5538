from __future__ import annotations

import logging
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.sources.documents import shapes
from tests.sources.documents.catalogues import read, rows, turtle

SHIPPED = "catalogue.v1.ttl"
WHOLE = "dct:title 't' ; dct:description 'd' ; dct:publisher <p> ; dcat:keyword 'k' ; dct:issued '2024' ; dcat:contactPoint <p>"
PREFIXES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHUHENG_CONFIG", str(tmp_path))
    return tmp_path


def test_what_shapes_say_stands_in_the_row_that_it_is_about() -> None:
    text = turtle(
        f"<a> a dcat:Dataset ; {WHOLE} ; dcat:distribution [ a dcat:Distribution ; dct:format 'CSV' ] ."
        f"<b> a dcat:Dataset ; {WHOLE.replace('dct:title', 'dct:alternative')} ; dcat:distribution <x> . <x> dcat:accessURL <y> ."
        f"<c> a dcat:DataService ; {WHOLE.replace('dcat:keyword', 'dct:subject')} ; dcat:endpointURL <y> ."
        f"<d> a dcat:Dataset ; {WHOLE} ; dcat:distribution <x> ."
    )
    said = {row["@id"]: row["_shacl"] for row in rows(text, shapes=SHIPPED)}
    assert said == {
        "a": [
            {
                "severity": "violation",
                "path": "dcat:accessURL",
                "message": "挂接资源缺少访问地址(dcat:accessURL),请补充",
            }
        ],
        "b": [{"severity": "violation", "path": "dct:title", "message": "缺少信息资源名称(dct:title),请补充"}],
        "c": [{"severity": "warning", "path": "dcat:keyword", "message": "缺少关键字(dcat:keyword),建议补充"}],
        "d": [],
    }


def test_rows_have_no_remarks_where_the_card_names_no_shapes() -> None:
    assert "_shacl" not in rows(turtle("<a> a dcat:Dataset ."))[0]


def test_own_shapes_are_found_below_the_configuration_and_never_quote_values(folder: Path) -> None:
    (folder / "own.ttl").write_text(
        PREFIXES
        + "<s> a sh:NodeShape ; sh:targetClass dcat:Dataset ; sh:property [ sh:path dcat:keyword ; sh:pattern '^ok$' ] ."
    )
    found = rows(turtle("<a> a dcat:Dataset ; dcat:keyword 'secret' ."), shapes="own.ttl")
    assert found[0]["_shacl"] == [{"severity": "violation", "path": "dcat:keyword", "message": "Pattern"}]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("<s> owl:imports <http://127.0.0.1:9/x> .", "owl:imports"),
        ("<s> sh:js [] .", "shacl#js"),
        ("<s> sh:sparql [ sh:select 'SELECT * { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }' ] .", "shacl#select"),
        ("<s> no turtle", "is no Turtle"),
        ("<s> a sh:NodeShape ; sh:targetClass dcat:Dataset ; sh:property [ sh:minCount 1 ] .", "cannot be applied"),
    ],
)
def test_shapes_that_fetch_or_run_or_are_wrong_are_refused(folder: Path, content: str, problem: str) -> None:
    (folder / "own.ttl").write_text(PREFIXES + content)
    with pytest.raises(ConfigurationError, match=problem):
        rows(turtle("<a> a dcat:Dataset ."), shapes="own.ttl")


def test_missing_shapes_are_named() -> None:
    with pytest.raises(ConfigurationError, match="absent.ttl"):
        rows(turtle("<a> a dcat:Dataset ."), shapes="absent.ttl")


def test_a_document_that_is_too_large_to_be_checked_says_so() -> None:
    many = ",".join(map(str, range(shapes.MOST_CHECKED)))
    document = read(turtle(f"<a> a dcat:Dataset . <b> dct:subject {many} ."), shapes=SHIPPED)
    assert document.notes == (f"not checked by shapes: the document has more than {shapes.MOST_CHECKED} statements",)
    assert ["_shacl" in row for row in document.rows] == [False]


def test_checking_writes_nothing_of_the_document_into_a_log(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    text = turtle(
        "<a> a dcat:Dataset ; dct:issued 'secret'^^xsd:date ; dcat:landingPage <http://secret.cn/a b> ; dct:title 'x'@secret ."
    )
    found = rows(text, shapes=SHIPPED)
    assert len(found[0]["_shacl"]) == 5
    assert "secret" not in caplog.text + "".join(capfd.readouterr())
