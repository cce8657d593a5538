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
        self._pieces: list[bytes] = []
        self._size = 0
        self._hash = hashlib.sha256()

    def append(self, piece: bytes) -> None:
        """Add a piece."""
        self._size += len(piece)
        self._hash.update(piece)
        self._pieces.append(zstandard.compress(piece, _LEVEL))

    @property
    def sha256(self) -> str:
        """Return the hash of the whole."""
        return self._hash.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """Yield the pieces in order."""
        return map(zstandard.decompress, self._pieces)

    def __len__(self) -> int:
        """Return the size of the whole in bytes."""
        return self._size

    def __bytes__(self) -> bytes:
        """Return the whole."""
        return b"".join(self.pieces())


Body = bytes | PackedBody


def pieces_of(body: Body) -> Iterator[bytes]:
    """Yield a body in pieces of about a megabyte."""
    if isinstance(body, PackedBody):
        return body.pieces()
    return (body[at : at + _PIECE] for at in range(0, len(body), _PIECE))
