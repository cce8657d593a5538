"""A folder or a location of an object store, by its URL: the same methods on both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from include.errors import ConfigurationError


def is_local(url: str) -> bool:
    """Return whether a URL names a folder of this machine."""
    return "://" not in url


def location(url: str) -> Any:
    """Return the path of a folder or of an fsspec URL; raise `ConfigurationError` for a URL that cannot be used."""
    if is_local(url):
        return Path(url)
    from upath import UPath  # slow to import, and a local folder needs none of it

    try:
        return UPath(url)
    except (ValueError, ImportError) as error:  # whose words may hold the login that the URL may have
        raise ConfigurationError(
            f"a location of {url.partition('://')[0]}:// cannot be used ({type(error).__name__}); "
            "LANDING_URL, DATASETS_URL and SPOOL_URL are each a folder or an fsspec URL"
        ) from None
