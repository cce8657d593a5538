"""Read the sandbox's provincial platform: the peers' own small client, which shares no code with the project's.

Signs by the convention gjgxjhpt (include/sandbox/README.md) and yields pages as bytes. Needs requests and cryptography.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator
from typing import Any

import requests
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

LIST_PATH = "/provincial/httpproxy/project/list"
PAGE_SIZE = 1000
OVERLAP_SECONDS = 600


class Exchange:
    """A signed session with the platform that `BENCH_PLATFORM` describes."""

    def __init__(self) -> None:
        self._platform: dict[str, str] = json.loads(os.environ["BENCH_PLATFORM"])
        self.url = self._platform["url"]
        self.session = requests.Session()
        self._secret = self._login()

    def headers(self, key: str | None = None) -> dict[str, str]:
        """Return the four signed values of one call."""
        rid, sid, moment = self._platform["rid"], self._platform["sid"], str(int(time.time() * 1000))
        digest = hmac.new((key or self._secret).encode(), f"{sid}{rid}{moment}".encode(), hashlib.sha256).digest()
        values = {"rid": rid, "sid": sid, "rtime": moment, "sign": base64.b64encode(digest).decode()}
        return {f"gjgxjhpt_{name}": value for name, value in values.items()}

    def bodies(self, since: str | None = None) -> Iterator[bytes]:
        """Yield the body of every page, changed since a moment or all."""
        number = 0
        while True:
            number += 1
            asked: dict[str, Any] = {"pageNo": number, "pageSize": PAGE_SIZE}
            if since:
                asked["updateTimeStart"] = since
            answer = self.session.post(self.url + LIST_PATH, json=asked, headers=self.headers(), timeout=60)
            answer.raise_for_status()
            body = answer.content
            if not body.startswith(b'{"code":"0"'):
                raise RuntimeError(f"the platform refused page {number}: {body[:200]!r}")
            if body.endswith(b'"data":""}'):
                return
            yield body
            if number >= int(body[body.rindex(b":") + 1 : -2]):
                return

    def _login(self) -> str:
        appkey = self._platform["appkey"]
        answer = self.session.post(
            f"{self.url}/provincial/auth/refreshappsecret", json=self.headers(appkey), timeout=60
        ).json()
        if answer["code"] != "0":
            raise RuntimeError(f"the platform refused the login: {answer['message']}")
        key = hashlib.sha1(hashlib.sha1(appkey.encode()).digest()).digest()[:16]
        decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
        padded: bytes = decryptor.update(base64.b64decode(answer["data"]["secret"])) + decryptor.finalize()
        return padded[: -padded[-1]].decode()


def window_start(latest: str | None) -> str | None:
    """Return the beginning of the window after the latest known UPDATETIME: ten minutes before it, as ours asks."""
    if not latest:
        return None
    moment = time.mktime(time.strptime(latest[:19], "%Y-%m-%dT%H:%M:%S")) - OVERLAP_SECONDS
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
