"""A description as nodes and values, written as Turtle, RDF/XML or JSON-LD by plain formatting of text."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "adms": "http://www.w3.org/ns/adms#",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "shuheng": "https://shuheng.invalid/ns#",
}
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


@dataclass(frozen=True, slots=True)
class Text:
    """A literal, in a language or of a type of xsd or of neither."""

    value: str
    language: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Ref:
    """A node that is described elsewhere or not at all."""

    iri: str


@dataclass(frozen=True, slots=True)
class Node:
    """A described node; without an address it is a blank one."""

    iri: str
    type: str
    values: tuple[tuple[str, Value], ...]


Value = Text | Ref | Node


def turtle_head() -> str:
    """Return the prefixes of a Turtle document."""
    return "".join(f"@prefix {name}: <{address}> .\n" for name, address in PREFIXES.items())


def turtle(node: Node) -> str:
    """Return the statements about a node and about the nodes it names."""
    later: list[Node] = []
    said = f"<{node.iri}> {_turtle_body(node, later)} .\n"
    return said + "".join(turtle(other) for other in later)


def _turtle_body(node: Node, later: list[Node]) -> str:
    pairs = [f"{name} {_turtle_value(value, later)}" for name, value in node.values]
    return " ;\n    ".join([f"a {node.type}", *pairs])


def _turtle_value(value: Value, later: list[Node]) -> str:
    if isinstance(value, Ref):
        return f"<{value.iri}>"
    if isinstance(value, Text):
        mark = f"@{value.language}" if value.language else (f"^^xsd:{value.type}" if value.type else "")
        return f'"{value.value.translate(ESCAPES)}"{mark}'
    if not value.iri:
        return f"[ {_turtle_body(value, later)} ]"
    later.append(value)
    return f"<{value.iri}>"


def xml_head() -> str:
    """Return the declaration and the opened root of an RDF/XML document."""
    spaces = " ".join(f'xmlns:{name}="{address}"' for name, address in PREFIXES.items())
    return f'<?xml version="1.0" encoding="utf-8"?>\n<rdf:RDF {spaces}>\n'


XML_END = "</rdf:RDF>\n"


def xml(node: Node) -> str:
    """Return a node as an element with the nodes it names inside."""
    about = f' rdf:about="{escape(node.iri)}"' if node.iri else ""
    inside = "".join(_xml_value(name, value) for name, value in node.values)
    return f"<{node.type}{about}>\n{inside}</{node.type}>\n"


def _xml_value(name: str, value: Value) -> str:
    if isinstance(value, Ref):
        return f'<{name} rdf:resource="{escape(value.iri)}"/>\n'
    if isinstance(value, Node):
        return f"<{name}>{xml(value)}</{name}>\n"
    mark = f' xml:lang="{value.language}"' if value.language else ""
    if value.type:
        mark = f' rdf:datatype="{PREFIXES["xsd"]}{value.type}"'
    # A parser turns a bare carriage return into a line feed.
    return f"<{name}{mark}>{escape(value.value).replace(chr(13), '&#13;')}</{name}>\n"


def json_ld(node: Node) -> dict[str, Any]:
    """Return a node as an object for a context of prefixes."""
    said: dict[str, Any] = {"@id": node.iri} if node.iri else {}
    said["@type"] = node.type
    for name, value in node.values:
        written = _json_value(value)
        if name not in said:
            said[name] = written
        elif isinstance(said[name], list):
            said[name].append(written)
        else:
            said[name] = [said[name], written]
    return said


def _json_value(value: Value) -> Any:
    if isinstance(value, Node):
        return json_ld(value)
    if isinstance(value, Ref):
        return {"@id": value.iri}
    if value.language:
        return {"@value": value.value, "@language": value.language}
    return {"@value": value.value, "@type": f"xsd:{value.type}"} if value.type else value.value
