"""A second process that maps pages beside the merge's own, so that a large first load uses two cores.

Started as `python -m include.ledger.second_mapper`; speaks length-prefixed pickles with its parent alone and ends with it.
"""

from __future__ import annotations

import gc
import pickle  # noqa: S403 - between a process and its own child
import struct
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import IO, Any

from include.errors import SecondMapperLost
from include.ledger.page_mapper import Lines, MappedPage, PageMapper
from include.settings import ROOT
from include.sources.card import Card
from include.sources.mapping import Oddities

_LENGTH = struct.Struct(">Q")


class SecondMapper:
    """The parent's end. Use as a context manager."""

    def __init__(self, card: Card, *, as_text: bool, batch_id: str | None = None) -> None:
        command = [sys.executable, "-m", "include.ledger.second_mapper"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)  # noqa: S603 - our own module
        self._talker = ThreadPoolExecutor(1)  # sends and receives without holding up the mapping here
        self._talker.submit(self._send, (card, as_text, batch_id))

    def __enter__(self) -> SecondMapper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind:
            self._process.kill()  # a thread that waits for an answer gets its end of file
        self._talker.shutdown(wait=True, cancel_futures=True)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait()

    def submit(self, page: int, lines: Lines) -> Future[MappedPage]:
        """Have a page mapped; the future holds its rows."""
        return self._talker.submit(self._ask, (page, lines))

    def finish(self) -> Oddities:
        """Return what the second process could not place."""
        oddities: Oddities = self._talker.submit(self._ask, None).result()
        return oddities

    def _ask(self, question: Any) -> Any:
        self._send(question)
        if self._process.stdout is None:
            raise SecondMapperLost("the second mapper has no output")
        answer = _read(self._process.stdout)
        if answer is None:
            raise SecondMapperLost(
                f"the second mapper ended with {self._process.wait()}; the merge is rolled back, run it again"
            )
        return answer

    def _send(self, message: Any) -> None:
        if self._process.stdin is None:
            raise SecondMapperLost("the second mapper has no input")
        try:
            _write(self._process.stdin, message)
        except BrokenPipeError as error:
            raise SecondMapperLost("the second mapper is gone; the merge is rolled back, run it again") from error


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


def main() -> int:
    """Map pages until the parent asks for the oddities or goes away."""
    start = _read(sys.stdin.buffer)
    if start is None:
        return 0
    card, as_text, batch_id = start
    mapper = PageMapper(card, as_text=as_text, batch_id=batch_id)
    gc.disable()  # records hold no cycles
    while True:
        question = _read(sys.stdin.buffer)
        if question is None:
            done = mapper.card_mapper.oddities
            try:
                _write(sys.stdout.buffer, done)
            except BrokenPipeError:
                return 1
            return 0
        _write(sys.stdout.buffer, mapper.map(*question))


if __name__ == "__main__":
    sys.exit(main())
