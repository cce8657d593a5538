"""The body of an answer in compressed pieces, so that a large document need not be held whole while it is read.

Kept in memory and never in a file: the gate has not seen it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import zstandard

_PIECE = 1 << 20
_LEVEL = 1
"""Takes a hundredth of the time that reading the document does."""


class PackedBody:
    """A body that grows by pieces; `bytes(body)` is the whole of it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._packed: list[bytes] = []
        self._loose: list[bytes] = []
        self._size = self._loose_size = 0
        self._hash = hashlib.sha256()

    def append(self, piece: bytes) -> None:
        """Add a piece; small ones, of which some servers send thousands, are packed together."""
        self._size += len(piece)
        self._hash.update(piece)
        self._loose.append(piece)
        self._loose_size += len(piece)
        if self._loose_size >= _PIECE:
            self._pack()

    def _pack(self) -> None:
        if self._loose:
            self._packed.append(pack(b"".join(self._loose)))
            self._loose, self._loose_size = [], 0

    @property
    def sha256(self) -> str:
        """Return the hash of the whole."""
        return self._hash.hexdigest()

    def packed(self) -> list[bytes]:
        """Return the pieces in order as they are held, each of about a megabyte; `unpack` opens one."""
        self._pack()
        return list(self._packed)

    def pieces(self) -> Iterator[bytes]:
        """Yield the pieces in order."""
        return map(unpack, self.packed())

    def __len__(self) -> int:
        """Return the size of the whole in bytes."""
        return self._size

    def __bytes__(self) -> bytes:
        """Return the whole."""
        return b"".join(self.pieces())


Body = bytes | PackedBody


def pack(piece: bytes) -> bytes:
    """Return a piece compressed."""
    return zstandard.compress(piece, _LEVEL)


def unpack(packed: bytes) -> bytes:
    """Return a piece that was compressed."""
    return zstandard.decompress(packed)


def pieces_of(body: Body) -> Iterator[bytes]:
    """Yield a body in pieces of about a megabyte."""
    if isinstance(body, PackedBody):
        return body.pieces()
    return (body[at : at + _PIECE] for at in range(0, len(body), _PIECE))
