"""Check a catalogue by SHACL shapes and say of which node what is wrong. Heavy libraries are imported when a card asks for it.

Remarks hold the words of the shape and never a value of the document. Nothing is fetched: shapes that import or run code are
refused.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pyoxigraph
from pyoxigraph import RdfFormat

from include.errors import ConfigurationError
from include.sources.checked_yaml import SCHEMAS
from include.sources.documents.contexts import config_file
from include.sources.documents.graph import BLANK
from include.sources.documents.names import compact

MOST_CHECKED = 200_000
"""Statements of the largest document that is checked: some 8,000 entries, which takes about half a minute."""

_LONGEST_TYPED = 1000
_SH = "http://www.w3.org/ns/shacl#"
_REFUSED = {"http://www.w3.org/2002/07/owl#imports"} | {
    _SH + name for name in ("js", "jsLibrary", "sparql", "select", "ask", "construct", "rule", "target")
}
_TEXT_TYPES = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
"""Literals of XML and HTML: the library would parse them when it is given one."""


def check_shapes(statements: list[Any], name: str) -> tuple[dict[str, list[dict[str, str]]], tuple[str, ...]]:
    """Return what shapes say of each node of a document, by the node's key, and notes.

    Args:
        statements: the document as the parser yields it.
        name: a file of `schemas/shapes/`, or one below `SHUHENG_CONFIG`.

    Raises:
        ConfigurationError: the shapes are not there, cannot be read, or would fetch or run something.
    """
    import pyshacl
    import rdflib

    # What these log quotes literals of the document, which the gate has not seen.
    for logger in ("rdflib", "rdflib.term", "pyshacl"):
        logging.getLogger(logger).disabled = True
    path = _shapes_file(name)
    shapes = _graph(_shape_statements(path))
    try:
        _, report, _ = pyshacl.validate(
            _graph(statements),
            shacl_graph=shapes,
            inference="none",
            advanced=False,
            js=False,
            do_owl_imports=False,
            inplace=True,
        )
    except pyshacl.errors.ReportableRuntimeError as error:
        raise ConfigurationError(
            f"the shapes in {path} cannot be applied ({type(error).__name__}); correct them"
        ) from None
    except Exception as error:
        # Odd data breaks the library in odd ways; the rows are worth having without remarks, if it is said.
        return {}, (f"not checked by shapes: the checker gave up ({type(error).__name__})",)
    if not isinstance(report, rdflib.Graph):
        raise ConfigurationError(f"the shapes in {path} cannot be applied; correct them")
    return _remarks(report, shapes), ()


def _shapes_file(name: str) -> Path:
    shipped = SCHEMAS / "shapes" / name
    return shipped if Path(name).name == name and shipped.is_file() else config_file(name)


def _shape_statements(path: Path) -> list[Any]:
    try:
        statements = list(
            pyoxigraph.parse(input=path.read_bytes(), format=RdfFormat.TURTLE, base_iri="https://shapes.invalid/")
        )
    except (SyntaxError, ValueError) as error:
        raise ConfigurationError(f"{path} is no Turtle: {error}; correct it") from None
    refused = {statement.predicate.value for statement in statements} & _REFUSED
    if refused:
        names = ", ".join(sorted(map(compact, refused)))
        raise ConfigurationError(f"the shapes in {path} use {names}, which would fetch or run something; take it out")
    return statements


def _graph(statements: list[Any]) -> Any:
    import rdflib

    graph = rdflib.Graph()
    for statement in statements:
        if not isinstance(statement.object, pyoxigraph.Triple):
            graph.add((_term(statement.subject), _term(statement.predicate), _term(statement.object)))
    return graph


def _term(term: Any) -> Any:
    import rdflib

    if isinstance(term, pyoxigraph.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, pyoxigraph.BlankNode):
        return rdflib.BNode(term.value)
    if term.language:
        try:
            return rdflib.Literal(term.value, lang=term.language.replace("_", "-"))
        except ValueError:
            return rdflib.Literal(term.value)
    kind = term.datatype.value
    is_text = kind.startswith(_TEXT_TYPES) or len(term.value) > _LONGEST_TYPED
    return rdflib.Literal(term.value, datatype=None if is_text else rdflib.URIRef(kind), normalize=False)


def _remarks(report: Any, shapes: Any) -> dict[str, list[dict[str, str]]]:
    from rdflib import SH, BNode, URIRef

    remarks: dict[str, list[dict[str, str]]] = {}
    for result in set(report.objects(None, SH.result)):
        focus, path = report.value(result, SH.focusNode), report.value(result, SH.resultPath)
        if not isinstance(focus, URIRef | BNode):
            continue
        severity = str(report.value(result, SH.resultSeverity) or SH.Violation)
        remark = {
            "severity": severity.removeprefix(_SH).lower(),
            "path": compact(str(path)) if isinstance(path, URIRef) else "",
            "message": _message(report, shapes, result),
        }
        remarks.setdefault(BLANK + str(focus) if isinstance(focus, BNode) else str(focus), []).append(remark)
    return remarks


def _message(report: Any, shapes: Any, result: Any) -> str:
    """Return the shape's own words, Chinese if it has any; the library's would quote the value."""
    from rdflib import SH

    shape = report.value(result, SH.sourceShape)
    messages = sorted(
        shapes.objects(shape, SH.message), key=lambda m: (not str(m.language or "").startswith("zh"), str(m))
    )
    component = str(report.value(result, SH.sourceConstraintComponent) or "")
    return str(messages[0]) if messages else component.removeprefix(_SH).removesuffix("ConstraintComponent")
