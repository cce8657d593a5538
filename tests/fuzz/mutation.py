"""Change documents a little, again and again, as careless programs and attackers do."""

from __future__ import annotations

import random

TOKENS = (
    b"<", b">", b"</", b"/>", b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b"(", b")", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?",
    b"<!DOCTYPE r [", b'<!ENTITY a "b">', b"&a;", b"&#0;", b"@context", b'"@id":', b'"@type":', b"@prefix ", b"_:a", b"\0", b"\xff",
    b"\xef\xbb\xbf", b"\\u0000", b"\\ud800", b"http://", b"<>", b" . ", b" ; ", b"@zh", b"^^", b"rdf:nil", b"null", b"1e999", b"-0",
    b"\n  ", b"- ", b": ", b"&a ", b"*a ", b"<<: *a", b"!!python/name:a ", b"? ", b"|\n", b"#", b"%", b"\r\n", b"\t",
    b"true", b"9" * 30, b"2026-13-45",
)  # fmt: skip


def mutated(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Return a document with one to eight changes."""
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((0, 0, 1, 4, 40, 400)))
        other = chance.choice(others)
        at = chance.randrange(len(other) + 1)
        put = chance.choice(
            (
                b"",
                chance.choice(TOKENS),
                chance.choice(TOKENS) * chance.choice((2, 50, 3000)),
                bytes([chance.randrange(256)]),
                data[start:end] * 2,
                other[at : at + chance.choice((5, 50, 500))],
            )
        )
        data = (data[:start] + put + data[end:])[:200_000]
    return data
