"""Documents that are made to crash, to hang or to fill the memory, each read in a process of its own with limits."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest

from include.errors import LimitExceeded
from include.settings import ROOT
from tests.sources.documents.catalogues import rdf_xml, read, rows, turtle

MEMORY = 2_000_000_000
SECONDS = 20

BOMBS = {
    "entities within entities": (
        """'<!DOCTYPE r [<!ENTITY a "ha">' + "".join(f'<!ENTITY {chr(98+n)} "{("&%s;" % chr(97+n)) * 20}">' for n in range(12))
        + ']>' + rdf_xml('<dcat:Dataset rdf:about="x"><dct:title>&m;</dct:title></dcat:Dataset>')""",
        "LimitExceeded",
    ),
    "one long entity many times": (
        """'<!DOCTYPE r [<!ENTITY a "' + "h" * 900 + '">]>' + rdf_xml('<dcat:Dataset dct:title="' + "&a;" * 20000 + '"/>')""",
        "LimitExceeded",
    ),
    "deep XML": ("""rdf_xml("<dcat:A><dct:b>" * 50_000 + "</dct:b></dcat:A>" * 50_000)""", "LimitExceeded"),
    "deep XML that pretends not to be": (
        """rdf_xml('<dcat:A dct:x="/>"><dct:b><!-- </dct:b> --><dct:c/>' * 50_000 + "</dct:b></dcat:A>" * 50_000)""",
        "LimitExceeded",
    ),
    "deep XML whose values hide that it is": (
        """rdf_xml("<dcat:A><dct:b>" + '<dcat:A dct:x="></x></x></x><y z="><dct:b>' * 50_000 + "</dct:b></dcat:A>")""",
        "SourceMalformed",
    ),
    "deep XML within an open comment": ("""rdf_xml("<!--" * 500_000)""", "SourceMalformed"),
    "many openings of a DTD": ("""rdf_xml("", '<!DOCTYPE "' * 300_000)""", "SourceMalformed"),
    "many attributes": (
        """rdf_xml("<dcat:A " + " ".join(f'dct:a{n}="1"' for n in range(200_000)) + "/>")""",
        "LimitExceeded",
    ),
    "deep JSON": ("""'{"a":' * 200_000 + "1" + "}" * 200_000""", "LimitExceeded"),
    "deep lists in JSON": ("""'{"a":' + "[" * 300_000 + "]" * 300_000 + "}" """, "LimitExceeded"),
    "deep JSON that is never closed": ("""'{"a":[' * 500_000""", "SourceMalformed"),
    "deep JSON behind strings": ("""'{"\\\\\\\\":"[\\\\"","a":' * 100_000 + "1" + "}" * 100_000""", "LimitExceeded"),
    "deep Turtle": ("""turtle("<a> dct:b " + "[dct:b " * 30_000 + "1" + "]" * 30_000 + " .")""", "rows"),
    "deep lists in Turtle": ("""turtle("<a> a dcat:Dataset ; dct:b " + "(" * 30_000 + ")" * 30_000 + " .")""", "rows"),
    "a giant literal": ("""turtle("<a> a dcat:Dataset ; dct:title '" + "x" * 2_000_000 + "' .")""", "LimitExceeded"),
    "a giant subject": (
        """turtle("<a> a dcat:Dataset ; dct:subject " + ",".join(map(str, range(50_000))) + " .")""",
        "LimitExceeded",
    ),
    "links that multiply": (
        """turtle("<a> a dcat:Dataset ; dct:b " + ",".join(f"<b{n}>" for n in range(300)) + " ." + "".join(
        f"<{x}{n}> dct:b " + ",".join(f"<{y}{m}>" for m in range(300)) + " ." for x, y in ("bc", "cd") for n in range(300)))""",
        "LimitExceeded",
    ),
    "a long list": ("""turtle("<a> a dcat:Dataset ; dct:b (" + "1 " * 30_000 + ") .")""", "LimitExceeded"),
}  # fmt: skip

SCRIPT = f"""
import json, os, resource, sys
from include.errors import ShuhengError
from tests.sources.documents.catalogues import rdf_xml, rows, turtle

def read(document):
    resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
    resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
    try:
        rows(eval(document))
        return "rows"
    except ShuhengError as error:
        return type(error).__name__

for name, document in json.load(sys.stdin).items():
    child = os.fork()
    if not child:
        ending = "nothing"
        try:
            ending = read(document)
        finally:
            print(json.dumps([name, ending]), flush=True)
            os._exit(0)
    _, status = os.waitpid(child, 0)
    if status:
        print(json.dumps([name, f"killed: {{status}}"]), flush=True)
"""
"""Reads each document in a process of its own, with limits; they are copies of one, which has imported what they need."""


@pytest.fixture(scope="module")
def endings() -> dict[str, str]:
    """Return how the reading of each document ended."""
    documents = {name: f"({textwrap.dedent(document)})" for name, (document, _) in BOMBS.items()}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        input=json.dumps(documents),
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_a_named_error_within_limits(endings: dict[str, str], name: str) -> None:
    assert endings[name] == BOMBS[name][1]


def test_namespaces_written_as_entities_are_read() -> None:
    dtd = """<!DOCTYPE rdf:RDF [
        <!ENTITY ds 'https://example.cn/ds/' > <!ENTITY d "d'Italia &#39;"> ]>"""
    document = rdf_xml('<dcat:Dataset rdf:about="&ds;1" dct:title="&amp;&ds;"/>', dtd.replace(" &#39;", ""))
    assert rows(document)[0] == {
        "@id": "https://example.cn/ds/1",
        "@type": ["dcat:Dataset"],
        "dct:title": "&https://example.cn/ds/",
    }


@pytest.mark.parametrize(
    "entity",
    [
        'f SYSTEM "file:///etc/hostname"',
        'f PUBLIC "x" "http://127.0.0.1:9/x"',
        '% f "x"',
        'f "<dcat:Dataset/>"',
        'f "&#60;"',
    ],
)
def test_entities_that_are_more_than_short_texts_are_refused(entity: str) -> None:
    with pytest.raises(LimitExceeded, match="DTD declares 1 entities"):
        read(rdf_xml("<dcat:Dataset><dct:title>&f;</dct:title></dcat:Dataset>", f"<!DOCTYPE r [<!ENTITY {entity}>]>"))


def test_marks_of_structure_within_values_and_texts_are_read() -> None:
    document = rdf_xml(
        """<dcat:Dataset dct:title="a > 'b' /> c" dct:source='"'><dct:description>1 > "0' /></dct:description></dcat:Dataset>"""
    )
    assert rows(document) == [
        {"@type": ["dcat:Dataset"], "dct:title": "a > 'b' /> c", "dct:source": '"', "dct:description": "1 > \"0' />"}
    ]


def test_a_document_type_without_entities_is_let_be_and_not_fetched() -> None:
    assert len(rows(rdf_xml("<dcat:Dataset/>", '<!DOCTYPE rdf:RDF SYSTEM "http://127.0.0.1:9/x.dtd">'))) == 1


def test_what_is_deep_but_not_too_deep_is_read() -> None:
    assert len(rows(rdf_xml("<dcat:Dataset><dct:relation>" * 45 + "</dct:relation></dcat:Dataset>" * 45))) == 45
    assert len(rows(turtle("<a> a dcat:Dataset ; dct:title '" + "x" * 1_000_000 + "' ."))) == 1
