"""One sandbox for the tests of a module; each test finds it without faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_client import ProvincialCaller, ZhejiangCaller

from include.sandbox.server import SandboxServer


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    home: Path = tmp_path_factory.mktemp("sandbox")
    with SandboxServer(projects=450, seed=7, zj_projects=250, home=home) as server:
        yield server


@pytest.fixture
def server(shared_server: SandboxServer) -> Iterator[SandboxServer]:
    shared_server.clear_faults()
    yield shared_server
    shared_server.clear_faults()


@pytest.fixture
def provincial(server: SandboxServer) -> Iterator[ProvincialCaller]:
    caller = ProvincialCaller(server)
    yield caller
    caller.session.close()


@pytest.fixture
def zhejiang(server: SandboxServer) -> ZhejiangCaller:
    return ZhejiangCaller(server)
