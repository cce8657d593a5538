"""A folder or a location of an object store, by its URL: the same methods on both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from include.errors import ConfigurationError


def is_local(url: str) -> bool:
    """Return whether a URL names a folder of this machine."""
    return "://" not in url


SETTINGS = "LANDING_URL, DATASETS_URL and SPOOL_URL are each a folder or an fsspec URL"
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs", "oss": "ossfs"}
"""What an object store needs beside what is locked; none of them is used before it is named."""


def location(url: str) -> Any:
    """Return the path of a folder or of an fsspec URL; raise `ConfigurationError` for a URL that cannot be used."""
    if is_local(url):
        return _folder(url)
    from upath import UPath  # slow to import, and a local folder needs none of it

    scheme = url.partition("://")[0]
    try:
        path = UPath(url)
        path.fs  # noqa: B018 - it is made, and its package imported, when it is first asked for
    except (ValueError, ImportError) as error:  # whose words may hold the login that the URL may have
        package = PACKAGES.get(scheme)
        remedy = f"install {package} into the environment; " if package and isinstance(error, ImportError) else ""
        raise ConfigurationError(
            f"a location of {scheme}:// cannot be used ({type(error).__name__}); {remedy}{SETTINGS}"
        ) from None
    return path


def file_at(url: str) -> Any:
    """Return the path of a file in such a place, by the URL under which it was listed."""
    return Path(url) if is_local(url) else location(url)


def _folder(name: str) -> Path:
    """Return a folder that is there or can be made: no file may stand where it or one above it is to be."""
    path = Path(name)
    there = next((p for p in (path, *path.parents) if p.exists()), None) if "\0" not in name else None
    if there is None or not there.is_dir():
        raise ConfigurationError(f"{name!r} cannot be a folder: {there or 'it'} is none; {SETTINGS}")
    return path
