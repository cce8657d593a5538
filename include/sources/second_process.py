"""A second process of our own that answers questions beside this one, so that a large load uses two cores.

Started as `python -m MODULE`, which calls `serve`; speaks length-prefixed pickles with its parent alone and ends with it.
"""

from __future__ import annotations

import gc
import pickle  # noqa: S403 - between a process and its own child
import struct
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import IO, Any, Self

from include.errors import SecondProcessLost
from include.settings import ROOT

WORTH_A_PROCESS = 20_000
"""Rows from which a second process pays: it takes a fifth of a second to start."""

AHEAD = 2
"""Pages given to the second process before one is done here."""

_LENGTH = struct.Struct(">Q")

_PIPE_BYTES = 1 << 20
"""What a pipe holds, where the system lets it: a page goes in at once, and nobody waits for the other's attention."""


class SecondProcess:
    """The parent's end. Use as a context manager."""

    def __init__(self, module: str, start: Any) -> None:
        command = [sys.executable, "-m", module]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, pipesize=_PIPE_BYTES
        )
        # Two threads, so that the next question is in the pipe already when an answer is ready.
        self._sender, self._receiver = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._sender.submit(self._send, start)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind:
            self._process.kill()  # a thread that waits for an answer gets its end of file
        for thread in (self._sender, self._receiver):
            thread.shutdown(wait=True, cancel_futures=True)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):  # what a lost process has not taken
                if pipe:
                    pipe.close()
        self._process.wait()

    def ask(self, question: Any) -> Future[Any]:
        """Ask, after all that was asked before; the future holds the answer."""
        sent = self._sender.submit(self._send, question)
        return self._receiver.submit(self._receive, sent)

    def _receive(self, sent: Future[None]) -> Any:
        sent.result()
        if self._process.stdout is None:
            raise SecondProcessLost("the second process has no output")
        answer = _read(self._process.stdout)
        if answer is None:
            raise SecondProcessLost(
                f"the second process ended with {self._process.wait()}; nothing of this step is kept, run it again"
            )
        return answer

    def _send(self, message: Any) -> None:
        if self._process.stdin is None:
            raise SecondProcessLost("the second process has no input")
        try:
            _write(self._process.stdin, message)
        except BrokenPipeError as error:
            raise SecondProcessLost("the second process is gone; nothing of this step is kept, run it again") from error


def serve(make: Callable[[Any], Callable[[Any], Any]]) -> int:
    """Answer questions until the parent closes the pipe; `make` turns the first message into the answering function."""
    start = _read(sys.stdin.buffer)
    if start is None:
        return 0
    answer = make(start)
    gc.disable()  # records hold no cycles
    while (question := _read(sys.stdin.buffer)) is not None:
        try:
            _write(sys.stdout.buffer, answer(question))
        except BrokenPipeError:
            return 1
    return 0


def _write(pipe: IO[bytes], message: Any) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> Any:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    return pickle.loads(pipe.read(_LENGTH.unpack(head)[0]))  # noqa: S301 - see the import
