"""A second process of our own that answers questions beside this one, so that a large load uses two cores.

Started as `python -m include.sources.second_process` when it is first given something to do, or shortly before; speaks
length-prefixed pickles with its parent alone and ends with it. It does one kind of work after another: a sync has it gate pages,
then map them.
"""

from __future__ import annotations

import gc
import os
import pickle  # noqa: S403 - between a process and its own child
import struct
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from types import TracebackType
from typing import IO, Any, Self

from include.collection import give_back
from include.errors import SecondProcessLost
from include.settings import ROOT

WORTH_A_PROCESS = 20_000
"""Rows from which a second process pays: it takes a fifth of a second to start."""

WORTH_OF_ENTRIES = 5_000
"""Entries of catalogues from which it pays: each takes three times as long as a flat record."""

AHEAD = 2
"""Pages given to the second process before one is done here: that it is at, and the next. In the end all of them are waited for."""

_LENGTH = struct.Struct(">Q")

_PIPE_BYTES = 1 << 20
"""What a pipe holds, where the system lets it: a page goes in at once, and nobody waits for the other's attention."""

_BEGIN, _ASK = "begin", "ask"

Answering = Callable[[Any], Any]
"""What answers a question; None is no answer."""


def pays(entity: str, rows: int) -> bool:
    """Return whether so many rows are worth a second process."""
    return rows >= (WORTH_OF_ENTRIES if entity == "resource" else WORTH_A_PROCESS) and (os.cpu_count() or 1) > 1


class SecondProcess:
    """The parent's end. Use as a context manager; nothing is started before there is work for it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def start(self, *modules: str) -> None:
        """Start it, unless it is there, before there is work for it: it loads these modules meanwhile."""
        if self._process is None:
            command = [sys.executable, "-m", __name__, *modules]
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, pipesize=_PIPE_BYTES
            )
            # Two threads, so that the next question is in the pipe already when an answer is ready.
            self._sender, self._receiver = ThreadPoolExecutor(1), ThreadPoolExecutor(1)

    def begin(self, module: str, start: Any) -> None:
        """Have all questions from here on answered by what `answering` of a module makes of `start`."""
        self.start()
        self._sender.submit(self._send, (_BEGIN, (module, start)))

    def ask(self, question: Any) -> Future[Any]:
        """Ask, after all that was asked before; the future holds the answer."""
        sent = self._sender.submit(self._send, (_ASK, question))
        return self._receiver.submit(self._receive, sent)

    def end(self) -> None:
        """End the process, whatever it is at: it holds nothing that is not here. With new work a new one is started."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()  # a thread that waits for an answer gets its end of file
        for thread in (self._sender, self._receiver):
            thread.shutdown(wait=True, cancel_futures=True)
        for pipe in (process.stdin, process.stdout):
            with suppress(BrokenPipeError):  # what a lost process has not taken
                if pipe:
                    pipe.close()
        process.wait()

    def _receive(self, sent: Future[None]) -> Any:
        sent.result()
        process = self._process
        if process is None or process.stdout is None:
            raise SecondProcessLost("the second process has no output")
        answer = _read(process.stdout)
        if answer is None:
            raise SecondProcessLost(
                f"the second process ended with {process.wait()}; nothing of this step is kept, run it again"
            )
        return answer

    def _send(self, message: tuple[str, Any]) -> None:
        if self._process is None or self._process.stdin is None:
            raise SecondProcessLost("the second process has no input")
        try:
            _write(self._process.stdin, message)
        except BrokenPipeError as error:
            raise SecondProcessLost("the second process is gone; nothing of this step is kept, run it again") from error


class Work:
    """One kind of work of a second process. Use as a context manager: an error leaves no answer behind that nobody has taken."""

    def __init__(self, process: SecondProcess) -> None:
        self._process = process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind:
            self._process.end()  # it may be at something that nobody will ask for


def serve() -> int:
    """Answer questions until the parent closes the pipe."""
    answer: Answering | None = None
    gc.disable()  # records hold no cycles, and what is imported stays
    for module in sys.argv[1:]:
        import_module(module)
    while (message := _read(sys.stdin.buffer)) is not None:
        kind, given = message
        if kind == _BEGIN:
            module, start = given
            if answer:
                answer = None
                give_back()  # what the work before this one has left
            answer = import_module(module).answering(start)
        elif answer:
            try:
                _write(sys.stdout.buffer, answer(given))
            except BrokenPipeError:
                return 1
    return 0


def _write(pipe: IO[bytes], message: Any) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> Any:
    """Return the next message; None where there is none, or where its writer ended in the middle of it."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    data = pipe.read(size)
    return pickle.loads(data) if len(data) == size else None  # noqa: S301 - see the import


if __name__ == "__main__":
    sys.exit(serve())
