"""Hold the statements of a document by what they are about, as compactly as Python can; blank nodes are told by a mark."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from include.errors import LimitExceeded
from include.sources.documents.names import PREFIXES, compact, expand

MOST_STATEMENTS = 10_000_000
LONGEST_LITERAL = 1_000_000

BLANK = "\0"
"""Begins the key of a blank node; an IRI never has it."""

Field = tuple[str, str | None]
"""Short name of a predicate, and the language of its literal: "" for none, None where the value is a link to a node."""

Node = list[Any]
"""What is stated of one node: field, value, field, value …"""

CLASS: Field = ("@type", "")
"""Classes are kept as texts, by their short names."""
_TYPE, _REST = PREFIXES["rdf"] + "type", PREFIXES["rdf"] + "rest"


class Graph:
    """Statements by subject.

    `nodes` has what is stated of each key; `typed` has the keys of each class, `lists` those of the
    cells that lists are made of. Blank literals are left out: catalogues write elements that they have no value for.
    """

    def __init__(self, statements: Iterable[Any]) -> None:
        """Read all statements; raises `LimitExceeded` for one that is no catalogue's, and whatever the parser raises."""
        self.nodes: dict[str, Node] = {}
        self.typed: dict[str, set[str]] = {}
        self.lists: set[str] = set()
        self._texts, self._links = _FieldsOfLanguages(), _Fields(None)
        nodes, part = self.nodes, self._part
        last, node = "", []  # type: ignore[var-annotated]
        for statement in islice(statements, MOST_STATEMENTS + 1):
            subject = statement.subject
            key = subject.value if type(subject) is NamedNode else BLANK + subject.value
            if key != last:
                last, node = key, nodes.setdefault(key, [])
            node += part(key, statement.predicate.value, statement.object)
        if sum(map(len, nodes.values())) > 2 * MOST_STATEMENTS:
            raise LimitExceeded(
                f"it has more than {MOST_STATEMENTS} statements; ask the portal for its catalogue in pages or in parts"
            )

    def _part(self, key: str, predicate: str, thing: Any) -> tuple[Any, ...]:
        """Return field and value of a statement; nothing for a blank literal or a statement about a statement."""
        kind = type(thing)
        if kind is Literal:
            value = thing.value
            if len(value) > LONGEST_LITERAL:
                raise LimitExceeded(
                    f"a text has more than {LONGEST_LITERAL} characters; ask the portal to link what is no description"
                )
            return (self._texts[thing.language][predicate], value) if value and not value.isspace() else ()
        if kind is Triple:
            return ()
        value = thing.value
        if kind is BlankNode:
            value = BLANK + value
        elif predicate == _TYPE:
            name = compact(value)
            self.typed.setdefault(name, set()).add(key)
            return CLASS, name
        if predicate == _REST:
            self.lists.add(key)
        return self._links[predicate], value

    def bring(self, key: str) -> None:
        """Make what is stated of an entry ready to be read; here it always is."""

    def let_go(self, key: str) -> None:
        """Forget an entry that has been read; one without an IRI may stand within others."""
        if key[0] != BLANK:
            del self.nodes[key]

    def of_classes(self, names: Iterable[str]) -> set[str]:
        """Return the keys of the nodes of the named classes."""
        return set().union(*(self.typed.get(compact(expand(name)), ()) for name in names))

    def links(self, key: str, name: str) -> list[str]:
        """Return the keys that a node links to by a predicate."""
        node = self.nodes.get(key, [])
        return [value for field, value in zip(node[::2], node[1::2], strict=True) if field == (name, None)]

    def texts(self, key: str, name: str) -> list[str]:
        """Return the values of a predicate, literals and IRIs alike."""
        node = self.nodes.get(key, [])
        return [v for field, v in zip(node[::2], node[1::2], strict=True) if field[0] == name and v[:1] != BLANK]


class _Fields(dict[str, Field]):
    """One object for each predicate, however many statements have it."""

    def __init__(self, language: str | None) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, predicate: str) -> Field:
        field = self[predicate] = (compact(predicate), self._language)
        return field


class _FieldsOfLanguages(dict[str | None, _Fields]):
    """The fields of literals by language; None is a literal without one."""

    def __missing__(self, language: str | None) -> _Fields:
        fields = self[language] = _Fields(language or "")
        return fields
