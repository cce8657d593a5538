"""Write a catalogue entry by entry, as JSON-LD or Turtle, with no more in memory than one entry. Knows no meaning of terms.

Every entry begins on a line of its own, so that two exports can be compared with ordinary tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import orjson

from include.sources.documents import names

Node = dict[str, Any]
Write = Callable[[str], None]

_NAMES = ("adms", "csvw", "dcat", "dct", "foaf", "hydra", "rdfs", "shuheng", "skos")
PREFIXES = {name: names.PREFIXES[name] for name in _NAMES} | {"xsd": "http://www.w3.org/2001/XMLSchema#"}


class CatalogueWriter(Protocol):
    """Writes one catalogue: begin, then for each kind of link its entries, then the end."""

    def begin(self, catalogue: Node) -> None:
        """Write the catalogue itself."""

    def begin_link(self, link: str) -> None:
        """Say by which term the catalogue links to the entries that follow."""

    def add(self, entry: Node) -> None:
        """Write an entry."""

    def end(self, shared: Iterable[Node]) -> None:
        """Write what entries share, and close the document."""


class JsonLdWriter:
    """A tree: the entries stand within the catalogue, so that programs that know no RDF can walk it."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._between = ""

    def begin(self, catalogue: Node) -> None:
        """Write the catalogue itself."""
        self._write(f'{{"@context":{_json(PREFIXES)},\n"@graph":[\n{_json(catalogue)[:-1]}')

    def begin_link(self, link: str) -> None:
        """Open the list of the entries that follow."""
        self._write(f"{']' if self._between else ''},\n{_json(link)}:[")
        self._between = "\n"

    def add(self, entry: Node) -> None:
        """Write an entry."""
        self._write(self._between + _json(entry))
        self._between = ",\n"

    def end(self, shared: Iterable[Node]) -> None:
        """Write what entries share, and close the document."""
        self._write("]}" if self._between else "}")
        for node in shared:
            self._write(",\n" + _json(node))
        self._write("\n]}\n")


class TurtleWriter:
    """One block a node; the catalogue's link to an entry stands behind the entry."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._catalogue = self._link = ""

    def begin(self, catalogue: Node) -> None:
        """Write the catalogue itself."""
        self._catalogue = catalogue["@id"]
        self._write(
            "".join(f"@prefix {name}: <{iri}> .\n" for name, iri in PREFIXES.items()) + "\n" + turtle(catalogue)
        )

    def begin_link(self, link: str) -> None:
        """Keep the link for the entries that follow."""
        self._link = link

    def add(self, entry: Node) -> None:
        """Write an entry and the link to it."""
        self._write(f"\n{turtle(entry)}<{self._catalogue}> {self._link} <{entry['@id']}> .\n")

    def end(self, shared: Iterable[Node]) -> None:
        """Write what entries share."""
        for node in shared:
            self._write("\n" + turtle(node))


def turtle(node: Node) -> str:
    """Return a node as Turtle, the nodes within it behind it."""
    within: list[Node] = []
    parts = []
    for name, value in node.items():
        if name == "@type":
            parts.append("a " + ", ".join(value))
        elif isinstance(value, list):
            parts.append(f"{name} " + ", ".join([_term(v, within) for v in value]))
        elif name != "@id":
            parts.append(f"{name} {_term(value, within)}")
    return f"<{node['@id']}> " + " ;\n  ".join(parts) + " .\n" + "".join(map(turtle, within))


def _term(value: Any, within: list[Node]) -> str:
    if not isinstance(value, dict):
        return _json(value)  # the escapes of JSON are all escapes of Turtle, and whole numbers look alike
    if "@value" in value:
        mark = f"@{value['@language']}" if "@language" in value else f"^^{value['@type']}"
        return _json(value["@value"]) + mark
    if len(value) > 1:
        within.append(value)
    return f"<{value['@id']}>"


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
