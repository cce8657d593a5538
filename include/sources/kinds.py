"""The schemas of the kinds of a catalogue: what an entry must have on top of its canonical schema. Does not check records."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from include.sources.checked_yaml import SCHEMAS

_VERSIONS = {"resource": {"data": 1, "component": 1, "cloud_resource": 1}}
"""Which version of a kind's schema holds, by entity; a record says its kind in `kind`."""


@cache
def kind_schemas(entity: str) -> dict[str, dict[str, Any]]:
    """Return kind → schema from `schemas/catalogue/`; nothing for an entity that has no kinds."""
    return {
        kind: json.loads((SCHEMAS / "catalogue" / f"{kind}.v{version}.json").read_text("utf-8"))
        for kind, version in _VERSIONS.get(entity, {}).items()
    }
