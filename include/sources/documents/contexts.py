"""Find the JSON-LD context that belongs to an address among local files; nothing is ever fetched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from include.errors import ConfigurationError, SourceMalformed
from include.settings import load_settings
from include.sources.checked_yaml import SCHEMAS

_SHIPPED = {
    "www.w3.org/ns/dcat": "dcat.v1.json",
    "www.w3.org/ns/dcat.jsonld": "dcat.v1.json",
    "www.w3.org/ns/hydra/core": "hydra.v1.json",
    "www.w3.org/ns/hydra/context.jsonld": "hydra.v1.json",
}
"""Our own, in `schemas/contexts/`; by address without scheme and fragment."""
_LONGEST_ADDRESS = 200


def context_finder(files: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a function from address to context; `files` are the card's, absolute or below `SHUHENG_CONFIG`."""

    @cache
    def find(url: str) -> Any:
        if url in files:
            return _read(config_file(files[url]))
        shipped = _SHIPPED.get(url.partition("://")[2].split("#")[0].rstrip("/"))
        if shipped:
            return _read(SCHEMAS / "contexts" / shipped)
        raise SourceMalformed(
            f"the JSON-LD refers to the context {url[:_LONGEST_ADDRESS]}, which is not fetched; save it as a file in the folder "
            "of SHUHENG_CONFIG and name it in document.contexts of the card"
        )

    return find


def config_file(name: str) -> Path:
    """Return a file that a card names, absolute or below `SHUHENG_CONFIG`."""
    folder = load_settings().config_dir
    path = Path(name) if folder is None else folder / name
    if not path.is_absolute() or not path.is_file():
        raise ConfigurationError(
            f"the file {name}, which the card's document names, is not there; put it into the folder of SHUHENG_CONFIG or give an "
            "absolute path"
        )
    return path


def _read(path: Path) -> Any:
    try:
        context = orjson.loads(path.read_bytes())["@context"]
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(f"{path} is no JSON with a @context; save the context of the portal anew") from None
    parts = context if isinstance(context, list) else [context]
    if not all(isinstance(part, dict) for part in parts):
        raise ConfigurationError(f"the context in {path} refers to others; write them into it in full")
    return context
