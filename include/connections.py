"""Airflow connections, with or without Airflow: the one place of `include/` that may import it.

The command line reads `AIRFLOW_CONN_<ID>` itself because importing Airflow costs seconds; inside a task the
worker's own look-up (environment, secrets backend, metadata database) is used.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from include.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Connection:
    """Address and secrets of one outside system; `repr` shows neither password nor extras."""

    conn_id: str
    conn_type: str
    host: str = ""
    port: int | None = None
    login: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    schema: str = ""
    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def base_url(self) -> str:
        """Return the HTTP base address, without a trailing slash. Raises `ConfigurationError` where host and port make none."""
        scheme = self.schema or ("https" if self.conn_type == "https" else "http")
        base = self.host.rstrip("/") if "://" in self.host else f"{scheme}://{self.host}"
        base += f":{self.port}" if self.port else ""
        try:
            urlsplit(base).port  # noqa: B018 - reading it checks it
        except ValueError:
            raise ConfigurationError(
                f"connection {self.conn_id!r} has no usable address; correct host and port"
            ) from None
        return base

    @property
    def authority(self) -> str | None:
        """Return the PEM file of the authority behind the other side's certificate, `ca_file` of the extra; None: the usual ones.

        Raises `ConfigurationError` where it is no file.
        """
        named = self.extra.get("ca_file")
        if not named:
            return None
        if not isinstance(named, str) or "\0" in named or not Path(named).is_file():
            raise ConfigurationError(
                f'connection {self.conn_id!r}: "ca_file" names no file that is there; give a PEM file'
            )
        return named


def get_connection(conn_id: str) -> Connection:
    """Return the connection of this id, or say how to define it."""
    name = f"AIRFLOW_CONN_{conn_id.upper()}"
    value = os.environ.get(name)
    if value:
        return _parse(conn_id, name, value)
    if "airflow.sdk" in sys.modules:
        from airflow.sdk import BaseHook
        from airflow.sdk.exceptions import AirflowException

        try:
            found = BaseHook.get_connection(conn_id)
        except AirflowException:
            found = None
        if found is not None:
            return Connection(
                conn_id, found.conn_type or "", found.host or "", found.port, found.login or "",
                found.password or "", found.schema or "", found.extra_dejson,
            )  # fmt: skip
    raise ConfigurationError(
        f"connection {conn_id!r} is not defined; add it in Airflow (Admin › Connections) "
        f"or set {name} to its JSON or URI, see README, 'Connect your own platform'"
    )


def _parse(conn_id: str, name: str, value: str) -> Connection:
    """Read the JSON or URI form that Airflow documents for environment variables."""
    is_json = value.lstrip().startswith("{")
    try:
        found = _from_json(conn_id, value) if is_json else _from_uri(conn_id, value)
    except (ValueError, TypeError, AttributeError):
        found = None
    if found is None or not isinstance(found.extra, dict):
        # The text holds secrets: neither it nor the parser's excerpt may reach a log, not even as the cause.
        raise ConfigurationError(
            f"{name} is not the JSON of an Airflow connection"
            if is_json
            else f"{name} is neither JSON nor a URI (type://login:password@host:port/schema?extra=…); "
            "signs such as / and @ within login and password are written as %2F and %40"
        )
    return found


def _from_json(conn_id: str, value: str) -> Connection:
    data = json.loads(value)
    extra = data.get("extra") or {}
    extra = json.loads(extra) if isinstance(extra, str) else extra
    port = int(data["port"]) if data.get("port") else None
    texts = {k: str(data.get(k) or "") for k in ("conn_type", "host", "login", "password", "schema")}
    return Connection(conn_id, port=port, extra=extra, **texts)


def _from_uri(conn_id: str, value: str) -> Connection | None:
    parts = urlsplit(value)
    if not parts.scheme or "://" not in value:
        return None
    extra = dict(parse_qsl(parts.query))
    return Connection(
        conn_id, parts.scheme, unquote(parts.hostname or ""), parts.port, unquote(parts.username or ""),
        unquote(parts.password or ""), unquote(parts.path.lstrip("/")),
        json.loads(extra["__extra__"]) if "__extra__" in extra else dict(extra),
    )  # fmt: skip
