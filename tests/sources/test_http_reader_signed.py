"""The reader against platforms that check signatures and let secrets expire."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from include.errors import ClockSkew, SourceRefused
from include.sources.card import Envelope, Paging, Signer
from tests.sources.answering import NOON, Asked, Reply, envelope_of, listing, make_card, reply, rows
from tests.sources.reading import faults_of, ids, read


class Exchange:
    """A gjgxjhpt platform of the tests' own: hands out secrets, and refuses those it has let expire."""

    APPKEY, RID, SID = "an-appkey", "rid-1", "s_1"

    def __init__(self, total: int = 9) -> None:
        self.given = 0
        self.expire_before = 0
        self.expire_at: dict[str, int] = {}
        self.honest = listing(total)

    def secret(self, number: int) -> str:
        return f"secret-number-{number}"

    def __call__(self, asked: Asked) -> Reply:
        return self._hand_out(asked) if asked.path == "/secret" else self._list(asked)

    def _signed(self, key: str, rtime: str) -> str:
        mac = hmac.new(key.encode(), f"{self.SID}{self.RID}{rtime}".encode(), "sha256")
        return base64.b64encode(mac.digest()).decode()

    def _hand_out(self, asked: Asked) -> Reply:
        four = asked.json
        if four["gjgxjhpt_sign"] != self._signed(self.APPKEY, four["gjgxjhpt_rtime"]):
            return reply({"code": "-1", "message": f"签名错误 {self.APPKEY}"})
        self.given += 1
        key = hashlib.sha1(hashlib.sha1(self.APPKEY.encode()).digest()).digest()[:16]
        padder = padding.PKCS7(128).padder()
        cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        padded = padder.update(self.secret(self.given).encode()) + padder.finalize()
        encrypted = base64.b64encode(cipher.update(padded) + cipher.finalize()).decode()
        return reply({"code": "0", "data": {"secret": encrypted}})

    def _list(self, asked: Asked) -> Reply:
        if self.expire_at.pop(asked.query["pageNo"], 0):
            self.expire_before = self.given + 1
        rtime, sign = asked.headers["gjgxjhpt_rtime"], asked.headers["gjgxjhpt_sign"]
        valid = [self._signed(self.secret(n), rtime) for n in range(max(1, self.expire_before), self.given + 1)]
        return self.honest(asked) if sign in valid else reply({"code": "E-107", "message": "secret已过期", "data": ""})


EXCHANGE_CARD = make_card(
    signer=Signer("gjgxjhpt", sid="s_1", secret_path="/secret"),
    envelope=Envelope("code", expired=("E-107", "secret已过期"), rows=("data.list",), total_path="data.total"),
)


def test_the_secret_is_had_first_and_used_for_every_page() -> None:
    platform = Exchange()
    found, asked = read(platform, EXCHANGE_CARD, login="rid-1", password="an-appkey")
    assert ids(found) == list(range(9))
    assert [a.path for a in asked] == ["/secret", "/list", "/list", "/list"]


def test_a_secret_that_expires_in_mid_run_is_renewed_without_losing_a_page() -> None:
    platform = Exchange()
    platform.expire_at = {"2": 1, "3": 1}
    found, asked = read(platform, EXCHANGE_CARD, login="rid-1", password="an-appkey")
    assert (ids(found), faults_of(found)) == (list(range(9)), [])
    assert platform.given == 3
    assert [a.path for a in asked].count("/list") == 5


def test_a_secret_that_is_expired_however_often_it_is_renewed_ends_as_a_refusal() -> None:
    platform = Exchange()
    platform.expire_before = 1_000_000
    found, asked = read(platform, EXCHANGE_CARD, login="rid-1", password="an-appkey")
    assert faults_of(found) == [(1, SourceRefused)]
    assert [a.path for a in asked].count("/list") == 3
    assert platform.given == 3


def test_a_wrong_appkey_ends_the_reading_at_once_and_is_not_repeated_in_the_error() -> None:
    found, asked = read(Exchange(), EXCHANGE_CARD, login="rid-1", password="wrong-appkey")
    assert faults_of(found) == [(1, SourceRefused)]
    assert [a.path for a in asked] == ["/secret"]
    assert "wrong-appkey" not in repr(found)


def test_a_refused_secret_says_so_when_it_is_because_of_the_clocks() -> None:
    def answer(_: Asked) -> Reply:
        return reply({"code": "-1", "message": "时间戳超出有效范围"}, Date=format_datetime(NOON + timedelta(hours=1)))

    found, _ = read(answer, EXCHANGE_CARD, login="rid-1", password="an-appkey")
    assert faults_of(found) == [(1, ClockSkew)]
    assert "difference 3600 s" in repr(found)


def test_query_signatures_are_added_to_parameters_and_to_links() -> None:
    for paging in (Paging("page", size="pageSize", page_size=3), Paging("link")):
        card = make_card(paging=paging, signer=Signer("generic-sm"))

        def answer(asked: Asked) -> Reply:
            number = int(asked.query.get("pageNo", "1"))
            said = reply(envelope_of(rows(number * 3 - 3, number * 3), 6))
            return replace(said, headers={"Link": '</list?pageNo=2>; rel="next"'}) if number == 1 else said

        found, asked = read(answer, card, login="demoKey", password="demoSecret")
        assert ids(found) == list(range(6))
        assert len({a.query["nonce"] for a in asked}) == 2
        for a in asked:
            signed = hmac.new(b"demoSecret", f"demoKey{a.query['timestamp']}{a.query['nonce']}".encode(), "sm3")
            assert a.query["sign"] == signed.hexdigest()
