"""A graph of which only what several entries share is open; what is stated within each entry is packed until it is asked for.

100,000 entries take a tenth of the memory so. What a node is said to be does not depend on where it is held: a node that is
described in two places, or linked to from another place, is shared.
"""

from __future__ import annotations

import marshal
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import zstandard

from include.sources.documents.graph import BLANK, Graph, Node
from include.sources.documents.listing import COLLECTIONS, WATCHED
from include.sources.documents.names import compact, expand

_LEVEL = 1
_SAMPLE_BYTES = 64_000
"""Entries of one document resemble each other: the first ones are what the others are packed by."""


@dataclass(slots=True)
class Unit:
    """What one element of a document states of its node, `key`, and of what stands within it."""

    key: str
    nodes: dict[str, Node] = field(default_factory=dict)
    marks: list[tuple[str, str]] = field(default_factory=list)
    """Keys and classes of nodes that rows are made of, or that say something of the catalogue."""


@dataclass(slots=True)
class Keys:
    """What entries describe, and what links name."""

    described: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Part:
    """What was taken of some of a document, for the graph of all of it in another process."""

    typed: dict[str, set[str]]
    held: dict[str, bytes]
    shared: dict[str, Node]
    keys: Keys


class HeldGraph(Graph):
    """Takes units one after the other; `settle` when there are no more, and only then read it."""

    def __init__(self, types: Iterable[str], words: bytes | None = None) -> None:
        """`types` are the classes of entries; `words` those of another graph, so that both pack alike."""
        super().__init__(())
        self.entries = frozenset(compact(expand(name)) for name in types)
        self.watched = self.entries | WATCHED
        self.keys = Keys()
        """Those of which no note was taken yet."""
        self._described, self._linked = array("q"), array("q")
        self._held: dict[str, bytes] = {}
        self._common: set[int] = set()
        self._own: list[str] = []
        self._pack = _Packing(words)

    @property
    def words(self) -> bytes | None:
        """What entries are packed by; None as long as too few came to tell."""
        return self._pack.words

    def take(self, unit: Unit) -> None:
        """Take what was stated of a node and within it."""
        key = unit.key
        for marked, name in unit.marks:
            self.typed.setdefault(name, set()).add(marked)
        is_entry = unit.marks and all(marked == key and name in self.entries for marked, name in unit.marks)
        if is_entry and key not in self._held:
            self._held[key] = self._pack.pack(marshal.dumps(unit.nodes))
            self.keys.described.extend(unit.nodes)
        else:
            self._share(unit.nodes)

    def note(self, keys: Keys) -> None:
        """Keep hashes alone of keys, and empty them; equal hashes of different keys only make more be shared."""
        self._described.extend(map(hash, keys.described))
        self._linked.extend(map(hash, keys.linked))
        keys.described.clear()
        keys.linked.clear()

    def hand_over(self) -> Part:
        """Return what was taken, and be as if it had not been; keys come as they are, for their hashes mean nothing elsewhere."""
        part = Part(self.typed, self._held, self.nodes, self.keys)
        self.typed, self._held, self.nodes, self.keys = {}, {}, {}, Keys()
        return part

    def join(self, part: Part) -> None:
        """Take what a graph that packs by the same words has handed over."""
        self.note(part.keys)
        for name, keys in part.typed.items():
            self.typed.setdefault(name, set()).update(keys)
        for key, packed in part.held.items():
            if key in self._held:
                self._share(self._unpacked(packed))
            else:
                self._held[key] = packed
        self._share(part.shared)

    def settle(self) -> None:
        """Share what several entries describe or link to, and views of the catalogue; nothing else looks into another entry."""
        self.note(self.keys)
        described = set(self._described)
        self._common = described & set(map(hash, self.nodes))
        if len(described) < len(self._described):
            self._common.update(key for key, count in Counter(self._described).items() if count > 1)
        described.difference_update(hash(key) for key in self._held if key[0] != BLANK)
        self._common.update(filter(described.__contains__, self._linked))
        self._described = self._linked = array("q")
        if self._common:
            for packed in self._held.values():
                self._share({k: node for k, node in self._unpacked(packed).items() if hash(k) in self._common})
        for key in [view for one in self.of_classes(COLLECTIONS) for view in self.links(one, "hydra:view")]:
            self.bring(key)

    def bring(self, key: str) -> None:
        """Unpack what only this entry states."""
        packed = self._held.pop(key, None)
        own = self._unpacked(packed) if packed else {}
        self._own = [k for k in own if hash(k) not in self._common] if self._common else list(own)
        self.nodes.update((k, own[k]) for k in self._own)

    def let_go(self, key: str) -> None:
        """Forget what only this entry states, and the entry."""
        for own in self._own:
            del self.nodes[own]
        if key[0] != BLANK:
            self.nodes.pop(key, None)

    def _share(self, nodes: dict[str, Node]) -> None:
        for key, node in nodes.items():
            self.nodes.setdefault(key, []).extend(node)

    def _unpacked(self, packed: bytes) -> dict[str, Node]:
        nodes: dict[str, Node] = marshal.loads(self._pack.unpack(packed))  # noqa: S302 - what `take` has written
        return nodes


class _Packing:
    """Packs texts that resemble each other by what the first ones hold."""

    def __init__(self, words: bytes | None = None) -> None:
        self.words: bytes | None = None
        self._samples: list[bytes] = []
        self._compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self._decompress = zstandard.ZstdDecompressor().decompress
        if words is not None:
            self._learn(words)

    def pack(self, text: bytes) -> bytes:
        # A copy: the compressor's own result was cut to size, and what was cut off is too small to be of use to the next.
        packed = bytes(memoryview(self._compress(text)))
        if self.words is None:
            self._samples.append(text)
            if sum(map(len, self._samples)) > _SAMPLE_BYTES:
                self._learn(b"".join(self._samples))
        return packed

    def unpack(self, packed: bytes) -> bytes:
        text: bytes = self._decompress(packed)
        return text

    def _learn(self, sample: bytes) -> None:
        words = zstandard.ZstdCompressionDict(sample, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        words.precompute_compress(level=_LEVEL)
        self._compress = zstandard.ZstdCompressor(dict_data=words).compress
        self._decompress = zstandard.ZstdDecompressor(dict_data=words).decompress
        self.words, self._samples = sample, []
