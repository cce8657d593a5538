"""What a second process and its parent tell each other, where the one that writes is killed in the middle of it."""

from __future__ import annotations

from io import BytesIO

from include.sources.second_process import _read, _write


def test_a_message_that_ends_early_is_none_at_all() -> None:
    pipe = BytesIO()
    _write(pipe, {"page": b"x" * 100})
    told = pipe.getvalue()
    assert [_read(BytesIO(told[:cut])) for cut in range(len(told))] == [None] * len(told)
    assert _read(BytesIO(told)) == {"page": b"x" * 100}
