"""A sandbox platform with connections set, and cards of the test's own laid over the shipped ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.sandbox.server import SandboxServer
from include.sources.outlines import SHIPPED

GATEWAYS = ["127.80.0.0/16"]
NETWORKS = {"networks": ["127.0.0.0/8"]}


@contextmanager
def platform(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Iterator[SandboxServer]:
    """Run a sandbox and point the connections of the shipped cards to it."""
    with SandboxServer(**options) as server:
        connect(monkeypatch, server)
        yield server


def connect(monkeypatch: pytest.MonkeyPatch, server: SandboxServer) -> None:
    """Set the connections of the shipped cards to a running sandbox."""
    for name, value in connections(server).items():
        monkeypatch.setenv(name, value)


def connections(server: SandboxServer) -> dict[str, str]:
    """Return the environment that connects the shipped cards to a running sandbox."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    options = server.options
    there = {"conn_type": "http", "host": host, "port": int(port), "extra": NETWORKS}
    found: dict[str, dict[str, Any]] = {
        "PROVINCIAL_APPROVAL": there | {"login": options.rid, "password": options.appkey},
        "ZJ_PROJECTS": there | {"login": options.zj_app_key, "password": options.zj_app_secret},
        "EXCHANGE": there | {"login": options.exchange_rid, "password": options.exchange_appkey},
        "CITY_CLOUD": there | {"login": options.cloud_paasid, "password": options.cloud_token},
        "PROBING": {"conn_type": "generic", "extra": {"networks": GATEWAYS, "ca_file": str(server.gateway.ca_file)}},
        "USAGE_STATISTICS": there | {"login": options.usage_app_key, "password": options.usage_app_secret},
        **dict.fromkeys(("CKAN_PORTAL", "DCAT_PORTAL", "DATAJSON_PORTAL", "MUNICIPAL_PORTAL"), there),
    }
    if options.home:
        home = Path(options.home)
        url = options.frontdb_url or f"sqlite:///{home / 'frontdb.sqlite'}"
        found["APPROVAL_FRONTDB"] = {"conn_type": "generic", "extra": {"url": url}}
        found["ANNUAL_PLAN"] = {"conn_type": "fs", "extra": {"path": str(home / "plans")}}
        found["SYSTEM_REGISTER"] = {"conn_type": "fs", "extra": {"path": str(home / "register")}}
        found["CATALOGUE_FILES"] = {"conn_type": "fs", "extra": {"path": str(home / "catalogues")}}
        found["PROJECT_DOSSIER"] = {"conn_type": "fs", "extra": {"path": str(home / "dossiers")}}
        found["USAGE_FILES"] = {"conn_type": "fs", "extra": {"path": str(home / "usage")}}
    return {f"AIRFLOW_CONN_{name}": json.dumps(value) for name, value in found.items()}


def overlay_card(monkeypatch: pytest.MonkeyPatch, folder: Path, source: str, **blocks: dict[str, Any]) -> None:
    """Lay a changed copy of a shipped card over it; each block is merged into the card's own."""
    card = yaml.safe_load((SHIPPED / f"{source}.yaml").read_text("utf-8"))
    for name, values in blocks.items():
        card[name] = card.get(name, {}) | values
    write_card(monkeypatch, folder, card)


def write_card(monkeypatch: pytest.MonkeyPatch, folder: Path, card: dict[str, Any]) -> None:
    """Write a card into the bureau's own configuration folder."""
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(card, allow_unicode=True, sort_keys=False)
    (folder / "sources" / f"{card['source']}.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(folder))
