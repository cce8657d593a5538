"""Hold the statements of a document by what they are about, as compactly as Python can; blank nodes are told by a mark."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import pyoxigraph

from include.errors import LimitExceeded
from include.sources.documents.names import compact, expand

_MOST_STATEMENTS = 10_000_000
_LONGEST_LITERAL = 1_000_000

BLANK = "\0"
"""Begins the key of a blank node; an IRI never has it."""

Field = tuple[str, str | None]
"""Short name of a predicate, and the language of its literal: "" for none, None where the value is a link."""


class Graph:
    """Statements by subject: `nodes` has for each key a flat list of field, value, field, value …; `typed` the keys of each class."""

    __slots__ = ("nodes", "typed")

    def __init__(self, statements: Iterable[Any]) -> None:
        """Read all statements; raises `LimitExceeded` for one that is no catalogue's, and whatever the parser raises."""
        self.nodes: dict[str, list[Any]] = {}
        self.typed: dict[str, set[str]] = {}
        self._load(statements)
        if sum(map(len, self.nodes.values())) > 2 * _MOST_STATEMENTS:
            raise LimitExceeded(
                f"it has more than {_MOST_STATEMENTS} statements; ask the portal for its catalogue in pages or in parts"
            )

    def _load(self, statements: Iterable[Any]) -> None:
        blank, literal, named = pyoxigraph.BlankNode, pyoxigraph.Literal, pyoxigraph.NamedNode
        fields, nodes, typed = _Fields(), self.nodes, self.typed
        last, key, node = None, "", []  # type: ignore[var-annotated]
        for statement in islice(statements, _MOST_STATEMENTS + 1):
            subject = statement.subject
            if subject != last:
                last = subject
                key = subject.value if type(subject) is named else BLANK + subject.value
                node = nodes.setdefault(key, [])
            thing = statement.object
            kind = type(thing)
            if kind is literal:
                text = thing.value
                if len(text) > _LONGEST_LITERAL:
                    raise LimitExceeded(
                        f"a text has more than {_LONGEST_LITERAL} characters; ask the portal to link what is no description"
                    )
                field = fields[statement.predicate.value, thing.language or ""]
            elif kind is named or kind is blank:
                text = thing.value if kind is named else BLANK + thing.value
                field = fields[statement.predicate.value, None]
                if field[0] == "rdf:type":
                    typed.setdefault(text, set()).add(key)
            else:
                continue  # a statement about a statement: no catalogue has one
            node += (field, text)

    def of_classes(self, names: Iterable[str]) -> set[str]:
        """Return the keys of the nodes of the named classes."""
        return set().union(*(self.typed.get(expand(name), ()) for name in names))

    def links(self, key: str, name: str) -> list[str]:
        """Return the keys that a node links to by a predicate."""
        node = self.nodes.get(key, [])
        return [value for field, value in zip(node[::2], node[1::2], strict=True) if field == (name, None)]

    def texts(self, key: str, name: str) -> list[str]:
        """Return the values of a predicate, literals and IRIs alike."""
        node = self.nodes.get(key, [])
        return [v for field, v in zip(node[::2], node[1::2], strict=True) if field[0] == name and v[:1] != BLANK]


class _Fields(dict[tuple[str, str | None], Field]):
    """One object for each predicate and language, however many statements have it."""

    def __missing__(self, key: tuple[str, str | None]) -> Field:
        field = self[key] = (compact(key[0]), key[1])
        return field
