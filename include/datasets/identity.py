"""IRIs of what is published: stable, readable, and the same before and after our own export was harvested.

Chinese stays as it is, which IRIs allow: percent-encoded it would be nine times as long as the ledger keeps it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import quote

from pyoxigraph import NamedNode

CATALOGUE = "urn:shuheng:catalogue"

_ENTRY = "urn:shuheng:resource:"
_LONGEST = 450
"""Characters that the ledger keeps of an identity."""

_LETTERS = "A-Za-z0-9._~:\u00a1-\u1fff\u2c00-\ud7ff\uf900-\ufdcf\ufdf0-\uffef-"
_ESCAPED = re.compile(f"[^{_LETTERS}]")
_OURS = re.compile(f"{_ENTRY}([a-z][a-z0-9_]{{2,49}}):(?:[{_LETTERS}]|%[0-9A-F]{{2}})+")
_WEB = re.compile(r"(?:https?|ftp)://", re.IGNORECASE)
_NOT_IN_IRI = re.compile(r"""[\s<>"{}|\\^`\ue000-\uf8ff]|%(?![0-9A-Fa-f]{2})""")


def subject_of(source: str, resource_id: str) -> str:
    """Return the IRI of an entry; one that was read from an export of ours has it already."""
    if origin_of(resource_id):
        return resource_id
    iri = f"{_ENTRY}{source}:{_segment(resource_id)}"
    if len(iri) > _LONGEST:
        iri = f"{_ENTRY}{source}:~{blake2b(resource_id.encode(), digest_size=16).hexdigest()}"
    return iri


def origin_of(resource_id: str) -> str | None:
    """Return the source that an entry of an export came from; None for any other identity."""
    found = _OURS.fullmatch(resource_id) if len(resource_id) <= _LONGEST else None
    return found[1] if found else None


def local_iri(sort: str, text: str) -> str:
    """Return the IRI of something that only has a name: a category, a format, a provider without a code."""
    return f"urn:shuheng:{sort}:{_segment(text)}"


@lru_cache(maxsize=10_000)
def web_iri(text: str | None) -> str | None:
    """Return an address as an IRI; None for what is none, as the path of a table."""
    if not text or not _WEB.match(text):
        return None
    iri = _NOT_IN_IRI.sub(lambda found: quote(found[0], safe=""), text)
    try:
        return NamedNode(iri).value
    except ValueError:
        return None


@lru_cache(maxsize=10_000)
def _segment(text: str) -> str:
    return _ESCAPED.sub(lambda found: quote(found[0], safe=""), text)
