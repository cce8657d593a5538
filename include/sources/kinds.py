"""The schemas of the kinds of a catalogue: what an entry must have on top of its canonical schema. Does not check records."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from include.sources.checked_yaml import SCHEMAS

_VERSIONS = {"resource": {"data": 1, "component": 1, "cloud_resource": 1}}
"""Which version of a kind's schema holds, by entity; a record says its kind in `kind`."""

_SAYING_NOTHING = frozenset(("$schema", "$id", "title", "description", "type"))


@cache
def kind_schemas(entity: str) -> dict[str, dict[str, Any]]:
    """Return kind → schema from `schemas/catalogue/`; nothing for an entity that has no kinds."""
    return {
        kind: json.loads((SCHEMAS / "catalogue" / f"{kind}.v{version}.json").read_text("utf-8"))
        for kind, version in _VERSIONS.get(entity, {}).items()
    }


@cache
def filled_fields(entity: str) -> dict[str, tuple[str, ...]] | None:
    """Return kind → the fields of which one must be filled, where the kinds' schemas say nothing else; None where they do."""
    found = {}
    for kind, schema in kind_schemas(entity).items():
        names = tuple(branch["required"][0] for branch in schema.get("anyOf", ()))
        filled = [{"required": [n], "properties": {n: {"type": "string", "minLength": 1}}} for n in names]
        if schema.keys() - _SAYING_NOTHING != {"anyOf"} or schema["anyOf"] != filled:
            return None
        found[kind] = names
    return found
