"""Settings from the environment, all optional; read when asked for, never at import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from include.errors import ConfigurationError

ROOT = Path(__file__).resolve().parent.parent

_ANOTHER: ContextVar[Path | None] = ContextVar("another_config", default=None)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the ledger, the landing zone, the published data sets, spooled alerts and a bureau's own configuration are.

    `public_url` is the address at which people reach Airflow's pages, for links in alerts; None leaves links out.
    """

    ledger_url: str
    landing_url: str
    datasets_url: str
    config_dir: Path | None
    spool_url: str = ""
    public_url: str | None = None


def load_settings() -> Settings:
    """Read `LEDGER_URL`, `LANDING_URL`, `DATASETS_URL`, `SPOOL_URL`, `PUBLIC_URL` and `SHUHENG_CONFIG`.

    The defaults lie in `.shuheng/` of the checkout; `PUBLIC_URL` has none.
    """
    home = ROOT / ".shuheng"
    ledger_url = os.environ.get("LEDGER_URL") or f"sqlite:///{home / 'ledger.db'}"
    if ledger_url.startswith(("postgresql://", "postgres://")):
        # SQLAlchemy picks another driver by version for the bare name; the bulk path needs psycopg 3.
        ledger_url = "postgresql+psycopg://" + ledger_url.split("://", 1)[1]
    if not ledger_url.startswith(("sqlite://", "postgresql+psycopg://")):
        raise ConfigurationError(
            f"LEDGER_URL starts with {ledger_url.split('://', 1)[0]!r}, which is not supported; "
            "use sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/DB"
        )
    config = os.environ.get("SHUHENG_CONFIG")
    config_dir = Path(config) if config else None
    if config_dir and not config_dir.is_dir():
        raise ConfigurationError(f"SHUHENG_CONFIG names {config_dir}, which is not a folder; create it or unset it")
    config_dir = _ANOTHER.get() or config_dir
    landing_url = os.environ.get("LANDING_URL") or str(home / "landing")
    datasets_url = os.environ.get("DATASETS_URL") or str(home / "datasets")
    spool_url = os.environ.get("SPOOL_URL") or str(home / "spool")
    public_url = (os.environ.get("PUBLIC_URL") or "").rstrip("/") or None
    return Settings(ledger_url, landing_url, datasets_url, config_dir, spool_url, public_url)


@contextmanager
def with_config(folder: Path) -> Iterator[None]:
    """Let a folder stand where `SHUHENG_CONFIG` stands as long as the context lasts: what it would change can be looked at.

    Whatever is read from a configuration must be read anew inside, never taken from a cache that does not know the folder.
    """
    token = _ANOTHER.set(folder)
    try:
        yield
    finally:
        _ANOTHER.reset(token)
