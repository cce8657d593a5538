"""Whom a probe trusts: the system's authorities and the one that the policy names, in one file.

One file because curl keeps the authorities of a file in memory; those handed over in memory it would read for every connection.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import certifi

_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def system_authorities() -> Path:
    """Return the file of the system's authorities; where the system has none, that of certifi."""
    named = ssl.get_default_verify_paths().cafile
    return next((Path(p) for p in (named, *_BUNDLES) if p and Path(p).is_file()), Path(certifi.where()))


@contextmanager
def authorities(own: Path | None) -> Iterator[Path]:
    """Give one file with the system's authorities and those of `own`."""
    system = system_authorities()
    if own is None:
        yield system
        return
    with tempfile.NamedTemporaryFile(prefix="shuheng-ca-", suffix=".pem") as file:
        file.write(system.read_bytes() + b"\n" + own.read_bytes())
        file.flush()
        yield Path(file.name)
