"""One sandbox for the tests of a module, with connections as the demo has them; each test finds it empty and without faults."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from include.alerts.channels.channel import Channel, ChannelCard
from include.alerts.channels.open import open_channel
from include.sandbox.airflow_home import connection_environment
from include.sandbox.channels.taken import Taken
from include.sandbox.server import SandboxServer

Opener = Callable[..., Channel]


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(projects=20, systems=20) as server:
        yield server


@pytest.fixture
def sandbox(shared_sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    shared_sandbox.clear_faults()
    shared_sandbox.sandbox.channels.clear()
    environment = connection_environment(shared_sandbox.sandbox.described(shared_sandbox.url))
    for name, value in environment.items():
        if name.startswith("AIRFLOW_CONN_ALERT_"):
            monkeypatch.setenv(name, value)
    yield shared_sandbox
    shared_sandbox.clear_faults()


@pytest.fixture
def opened(sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    """Return what opens a channel of a kind; `extra` is laid over the connection's, other names over the connection."""
    channels: list[Channel] = []

    def open_it(kind: str, extra: dict[str, Any] | None = None, **over: Any) -> Channel:
        name = f"AIRFLOW_CONN_ALERT_{kind.upper()}"
        if extra or over:
            values = json.loads(os.environ[name])
            values |= over
            values["extra"] |= extra or {}
            monkeypatch.setenv(name, json.dumps(values))
        channels.append(open_channel(ChannelCard(kind, kind, kind, True, f"alert_{kind}")))
        return channels[-1]

    yield open_it
    for channel in channels:
        channel.close()


@pytest.fixture
def taken(sandbox: SandboxServer) -> Callable[[str], list[Taken]]:
    """Return what tells the messages that a channel of the sandbox took."""
    return sandbox.sandbox.channels.shelf.of
