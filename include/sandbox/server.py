"""Runs a sandbox on a socket of its own: as a thread beside tests, or as a process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from include.sandbox.app import Options, Sandbox
from include.sandbox.gateway import Gateway
from include.sandbox.motion import Movement
from include.sandbox.responses import TRANSPORT_KEY
from include.sandbox.truth import Truth


class _OpenProtocol(HttpToolsProtocol):
    """Lets a fault reach the connection it is to spoil."""

    def on_headers_complete(self) -> None:
        self.scope["extensions"] = {TRANSPORT_KEY: self.transport}  # type: ignore[dict-item]
        super().on_headers_complete()


class _QuietServer(uvicorn.Server):
    """Ends cleanly on a signal instead of raising it again."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_ready()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a listening address, any free port for 0; raises OSError when it is taken."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(128)
    except OSError:
        sock.close()
        raise
    return sock


def serve(sandbox: Sandbox, sock: socket.socket, on_ready: Callable[[], None]) -> uvicorn.Server:
    """Return a server over a bound socket; its `run` blocks until it is told to end."""
    config = uvicorn.Config(
        sandbox.application(),
        http=_OpenProtocol,
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )
    return _QuietServer(config, on_ready)


class SandboxServer:
    """A sandbox served from a thread on a free port of loopback, for tests; use it as a context."""

    def __init__(self, options: Options | None = None, **values: Any) -> None:
        self.sandbox = Sandbox(options or Options(**values))
        self.url = ""
        self._ready = threading.Event()
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Write the files and start serving."""
        self.sandbox.write_files()
        self._open.enter_context(self.sandbox.serving_gateway())
        sock = bound_socket("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        self._server = serve(self.sandbox, sock, self._ready.set)
        self._thread = threading.Thread(target=self._server.run, args=([sock],), daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("the sandbox did not start within 10 s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server and close the database."""
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(10)
        self._open.close()
        if self.sandbox.engine:
            self.sandbox.engine.dispose()

    @property
    def options(self) -> Options:
        """Return what the sandbox was made of, keys included."""
        return self.sandbox.options

    @property
    def control_headers(self) -> dict[str, str]:
        """Return the headers that open the control desk."""
        return {"x-control-token": self.options.control_token}

    @property
    def calls(self) -> dict[str, int]:
        """Return how often each address was called."""
        return dict(self.sandbox.calls)

    def truth(self) -> Truth:
        """Return what the data really holds today."""
        return self.sandbox.truth()

    def advance(self, **wanted: float) -> Movement:
        """Move time one day on; `return_` stands for `return`."""
        return self.sandbox.advance({name.rstrip("_"): value for name, value in wanted.items()})

    @property
    def gateway(self) -> Gateway:
        """Return the gateway that serves the city's services."""
        return self.sandbox.gateway

    def fault(
        self, scenario: str, platform: str = "provincial", page: int | None = None, times: int = 1, call: str = ""
    ) -> None:
        """Put a fault in force."""
        self.sandbox.fault(scenario, platform, page, times, call)

    def clear_faults(self) -> int:
        """End all faults and return how many there were."""
        return self.sandbox.faults.clear()

    def rotate(self) -> None:
        """End every secret handed out so far."""
        self.sandbox.rotate()
