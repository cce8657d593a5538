"""Make rows of the nodes of a graph: short names, one language, what a node links to within it, no blank node's id.

Equal graphs give equal rows in equal order, whatever syntax they were written in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from include.errors import LimitExceeded
from include.sources.documents.graph import BLANK, Graph
from include.sources.documents.listing import LISTINGS
from include.sources.documents.names import expand, written

Row = dict[str, Any]
Remarks = Mapping[str, list[dict[str, str]]]
"""What shapes say, by the key of the node it is said of."""

_DEEPEST = 4
_MOST_VALUES = 20_000
_MOST_VALUES_IN_ALL = 20_000_000
_NIL = expand("rdf:nil")


class RowMaker:
    """Makes the rows of one graph.

    Links to other rows, to catalogues and to schemes stay IRIs; else each row would hold half of the catalogue, and change with it.
    """

    def __init__(
        self, graph: Graph, types: tuple[str, ...], languages: tuple[str, ...], remarks: Remarks | None
    ) -> None:
        """Take note of what will be rows; `languages` in order of preference."""
        self._graph, self._nodes, self._lists = graph, graph.nodes, graph.lists
        self._languages, self._remarks = languages, remarks
        self._subjects = graph.of_classes(types)
        self._links_only = {key for key in self._subjects | graph.of_classes(LISTINGS) if key[0] != BLANK}
        self._path: list[str] = []
        self._seen: set[str] = set()
        self._values = self._values_in_all = 0

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._subjects)

    def rows(self) -> Iterator[Row]:
        """Yield the rows by their IRI, those without one at the end by their content, and let go of what was yielded."""
        for key in sorted(self._subjects & self._links_only):
            yield self._row(key)
        yield from sorted((self._row(key) for key in self._subjects - self._links_only), key=_order)

    def _row(self, key: str) -> Row:
        self._values, self._seen = 0, set()
        self._graph.bring(key)
        row = self._node(key)
        self._graph.let_go(key)
        if self._remarks is not None:
            said = [remark for node in self._seen for remark in self._remarks.get(node, ())]
            row["_shacl"] = _in_order(said)
        return row

    def _node(self, key: str) -> Row:
        node = self._nodes[key]
        self._count(len(node) // 2)
        self._path.append(key)
        self._seen.add(key)
        row = _identity(key)
        many: dict[str, list[Any]] = {}
        tagged: dict[str, dict[str, list[str]]] = {}
        parts = iter(node)
        for (name, language), value in zip(parts, parts, strict=True):
            if language:
                tagged.setdefault(name, {}).setdefault(language, []).append(value)
                continue
            if language is None and not (value := self._linked(value)):
                continue
            if name in row:
                many.setdefault(name, [row[name]]).append(value)
            else:
                row[name] = value
        for name, values in many.items():
            row[name] = _united(values)
        for name, texts in tagged.items():
            row[name] = _united(self._in_one_language(texts, node, name if name in row else None))
        if row.get("@type").__class__ is str:
            row["@type"] = [row["@type"]]
        self._path.pop()
        return row

    def _linked(self, key: str) -> Any:
        """Return what a node shows of one that it links to; nothing where that is a blank node without content."""
        # Of what is said by empty texts alone a reader may have kept nothing: it is no more than its name.
        if (
            self._nodes.get(key)
            and key not in self._links_only
            and len(self._path) <= _DEEPEST
            and key not in self._path
        ):
            return self._items(key) if key in self._lists else self._node(key)
        return None if key[0] == BLANK or key == _NIL else written(key)

    def _items(self, key: str) -> list[Any]:
        """Return the items of a list of RDF in their order, which is the one thing about values that has an order."""
        items: list[Any] = []
        seen = {_NIL}
        self._path.append(key)
        while key in self._lists and key not in seen:
            seen.add(key)
            node = self._nodes[key]
            self._count(len(node) // 2)
            values = {field[0]: (field[1], value) for field, value in zip(node[::2], node[1::2], strict=True)}
            language, value = values.get("rdf:first", ("", ""))
            items.append(self._linked(value) if language is None else value)
            key = values["rdf:rest"][1]
        self._path.pop()
        return [item for item in items if item]

    def _in_one_language(self, texts: dict[str, list[str]], node: list[Any], name: str | None) -> list[Any]:
        """Return the literals in the language that is liked best, then those without one, then any; and the links.

        `name` is the predicate where the node has values of it that are no literals with a language.
        """
        others = [(f[1], v) for f, v in zip(node[::2], node[1::2], strict=True) if f[0] == name] if name else []
        links = [self._linked(value) for language, value in others if language is None]
        plain = [value for language, value in others if language == ""]
        best = next((tag for liked in self._languages for tag in sorted(texts) if _is_of(tag, liked)), None)
        chosen = texts[best] if best else plain or texts[min(texts)]
        return [*chosen, *filter(None, links)]

    def _count(self, values: int) -> None:
        self._values += values
        self._values_in_all += values
        if self._values > _MOST_VALUES or self._values_in_all > _MOST_VALUES_IN_ALL:
            raise LimitExceeded(
                f"an entry has more than {_MOST_VALUES} values with all that it links to, or all of them together more than "
                f"{_MOST_VALUES_IN_ALL}; ask the portal not to link every entry to large descriptions"
            )


def _identity(key: str) -> Row:
    """Return a row with its IRI in front; the address of the document itself names nothing."""
    identity = written(key) if key[0] != BLANK else ""
    return {"@id": identity} if identity else {}


def _is_of(tag: str, liked: str) -> bool:
    return tag == liked.lower() or tag.startswith(liked.lower() + "-")


def _united(values: list[Any]) -> Any:
    """Return one value alone, several in an order that does not depend on the document, each once; a list keeps its own."""
    if len(values) == 1:
        return values[0]
    flat = [item for value in values for item in (value if value.__class__ is list else (value,))]
    united = _in_order(flat)
    return united[0] if len(united) == 1 else united


def _in_order(values: list[Any]) -> list[Any]:
    by_order = {_order(value): value for value in values}
    return [by_order[order] for order in sorted(by_order)]


def _order(value: Any) -> str:
    """Return what values are sorted by: texts, then nodes by their IRI, then those without one by all that they hold."""
    if isinstance(value, str):
        return value
    if "@id" in value:
        return f"\U0010ffff@{value['@id']}"
    return "\U0010ffff{" + orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
