from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from include.clock import SHANGHAI
from include.connections import Connection
from include.errors import ConfigurationError, SourceMalformed, SourceRefused
from include.sources.call import Call
from include.sources.card import Signer
from include.sources.signers import GjgxjhptSigner, ZjIrsSigner, make_signer
from tests.sources.answering import make_card

MOMENT = datetime.fromtimestamp(1763884800, SHANGHAI)
APPKEY = "00112233445566778899aabbccddeeff"
SECRET = "demo-app-secret-0123456789abcdef"
ENCRYPTED = "Qs4OFURm+l5sg7TWCndPDJf2wNFxrR+ZhfUxVmqfMDWvxIeMS54/nlyk0N+aRvl4"
RID = "11111111-2222-3333-4444-555555555555"


def connection(login: str, password: str, **extra: Any) -> Connection:
    return Connection("demo", "http", "http://demo", None, login, password, "", extra)


def no_call(make: Callable[[], Call]) -> Any:
    raise AssertionError("this signer calls nobody")


class Platform:
    """Answers calls for secrets one after the other and keeps what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Call] = []

    def __call__(self, make: Callable[[], Call]) -> Any:
        self.asked.append(make())
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def encrypt(secret: str, appkey: str) -> str:
    key = hashlib.sha1(hashlib.sha1(appkey.encode()).digest()).digest()[:16]
    padder = padding.PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return base64.b64encode(cipher.update(padder.update(secret.encode()) + padder.finalize())).decode()


class Clock:
    def __init__(self) -> None:
        self.moment = MOMENT

    def __call__(self) -> datetime:
        return self.moment

    def pass_(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


GJGX = make_card(signer=Signer("gjgxjhpt", sid="s_demo_0001", secret_path="/auth/refreshappsecret"))
ZJ = make_card(signer=Signer("zj-irs", secret_path="/byKey", renew_path="/bySec"))


def test_gjgxjhpt_decrypts_the_secret_and_signs_as_the_java_vector_says() -> None:
    platform = Platform({"code": "0", "data": {"secret": ENCRYPTED, "secretEndTime": 1763888400000}})
    signer = make_signer(GJGX, connection(RID, APPKEY), platform, lambda: MOMENT)
    signature = signer.sign(Call("POST", "/list"))
    assert signature.headers == {
        "gjgxjhpt_rid": RID,
        "gjgxjhpt_sid": "s_demo_0001",
        "gjgxjhpt_rtime": "1763884800000",
        "gjgxjhpt_sign": "BxJ0Tlr99n03Bb2SUITiNhUDhwUSn29Vz1AZ4HdENrY=",
    }
    assert signature.query == {}


def test_gjgxjhpt_asks_for_the_secret_with_a_json_body_signed_by_the_appkey() -> None:
    platform = Platform({"data": {"secret": ENCRYPTED}})
    make_signer(GJGX, connection(RID, APPKEY), platform, lambda: MOMENT).sign(Call("POST", "/list"))
    (call,) = platform.asked
    assert (call.method, call.where, call.content_type) == ("POST", "/auth/refreshappsecret", "application/json")
    assert b'"gjgxjhpt_rtime":"1763884800000"' in call.body
    assert b'"gjgxjhpt_sign":"' in call.body
    assert b"BxJ0Tlr99n03" not in call.body  # that one is signed with the secret


def test_gjgxjhpt_takes_another_prefix_and_the_sid_of_the_connection() -> None:
    card = make_card(signer=Signer("gjgxjhpt", prefix="jsjhpt", sid="s_card", secret_path="/s"))
    platform = Platform({"data": {"secret": ENCRYPTED}})
    headers = (
        make_signer(card, connection(RID, APPKEY, sid="s_demo_0001"), platform, lambda: MOMENT)
        .sign(Call("POST", "/list"))
        .headers
    )
    assert headers["jsjhpt_sid"] == "s_demo_0001"
    assert headers["jsjhpt_sign"] == "BxJ0Tlr99n03Bb2SUITiNhUDhwUSn29Vz1AZ4HdENrY="


def test_gjgxjhpt_renews_before_the_end_that_the_platform_named() -> None:
    clock = Clock()
    platform = Platform(
        {"data": {"secret": encrypt("first-secret", APPKEY), "secretEndTime": "1763885400000"}},
        {"data": {"secret": encrypt("second-secret", APPKEY), "secretEndTime": 1763888400000}},
    )
    signer = make_signer(GJGX, connection(RID, APPKEY), platform, clock)
    signer.sign(Call("POST", "/list"))
    clock.pass_(530)
    signer.sign(Call("POST", "/list"))
    assert len(platform.asked) == 1
    clock.pass_(15)
    signer.sign(Call("POST", "/list"))
    assert len(platform.asked) == 2


@pytest.mark.parametrize("end", [2**63 - 1, "9" * 20, "9" * 400])
def test_an_end_beyond_every_calendar_is_no_end(end: int | str) -> None:
    platform = Platform({"data": {"secret": ENCRYPTED, "secretEndTime": end}})
    signer = make_signer(GJGX, connection(RID, APPKEY), platform, lambda: MOMENT)
    for _ in range(3):
        signer.sign(Call("POST", "/list"))
    assert len(platform.asked) == 1


def test_an_end_in_the_past_does_not_make_every_call_ask_for_a_secret() -> None:
    platform = Platform({"data": {"secret": ENCRYPTED, "secretEndTime": 1763884000000}})
    signer = make_signer(GJGX, connection(RID, APPKEY), platform, lambda: MOMENT)
    for _ in range(3):
        signer.sign(Call("POST", "/list"))
    assert len(platform.asked) == 1


def test_a_secret_that_the_appkey_cannot_decrypt_says_which_setting_to_check() -> None:
    platform = Platform({"data": {"secret": encrypt("x", "another-appkey")}})
    with pytest.raises(ConfigurationError, match="password of the connection is the appkey") as caught:
        make_signer(GJGX, connection(RID, APPKEY), platform, lambda: MOMENT).sign(Call("POST", "/list"))
    assert APPKEY not in str(caught.value)


def test_an_accepted_call_without_a_secret_is_malformed() -> None:
    with pytest.raises(SourceMalformed, match="data.secret"):
        make_signer(GJGX, connection(RID, APPKEY), Platform({"data": ""}), lambda: MOMENT).sign(Call("POST", "/list"))


def test_gjgxjhpt_without_a_service_id_says_where_to_put_it() -> None:
    card = make_card(signer=Signer("gjgxjhpt", secret_path="/s"))
    with pytest.raises(ConfigurationError, match="signer.sid"):
        make_signer(card, connection(RID, APPKEY), no_call)


def zj_answer(name: str, refresh: bool = True) -> dict[str, Any]:
    datas: dict[str, Any] = {"requestSecret": f"request-{name}", "requestSecretEndTime": 1763884800000 + 900_000}
    if refresh:
        datas |= {"refreshSecret": f"refresh-{name}", "refreshSecretEndTime": 1763884800000 + 172_800_000}
    return {"code": "00", "datas": datas}


def test_zj_irs_signs_as_the_vector_says() -> None:
    answer = {"datas": {"requestSecret": "demoSecret", "refreshSecret": "r"}}
    signer = make_signer(ZJ, connection("demoKey", "permanent"), Platform(answer), lambda: MOMENT)
    assert signer.sign(Call("GET", "/list")).query == {
        "appKey": "demoKey",
        "requestTime": "1763884800000",
        "sign": "c1f2d3678c509f2b5b33a6d78c312ca9",
    }


def test_zj_irs_signs_the_first_token_call_with_the_permanent_secret() -> None:
    platform = Platform(zj_answer("a"))
    make_signer(ZJ, connection("demoKey", "demoSecret"), platform, lambda: MOMENT).sign(Call("GET", "/list"))
    assert platform.asked[0].where == "/byKey"
    assert platform.asked[0].query["sign"] == "c1f2d3678c509f2b5b33a6d78c312ca9"


def test_zj_irs_uses_the_refresh_secret_when_only_the_request_secret_ran_out() -> None:
    clock, platform = Clock(), Platform(zj_answer("a"), zj_answer("b", refresh=False))
    signer = make_signer(ZJ, connection("demoKey", "demoSecret"), platform, clock)
    signer.sign(Call("GET", "/list"))
    clock.pass_(880)
    signer.sign(Call("GET", "/list"))
    assert [c.where for c in platform.asked] == ["/byKey", "/bySec"]


def test_zj_irs_begins_anew_when_the_refresh_secret_ran_out_or_is_refused() -> None:
    clock = Clock()
    platform = Platform(zj_answer("a"), SourceRefused("no", "14"), zj_answer("b"), zj_answer("c"), zj_answer("d"))
    signer = make_signer(ZJ, connection("demoKey", "demoSecret"), platform, clock)
    signer.sign(Call("GET", "/list"))
    signer.renew()
    assert [c.where for c in platform.asked] == ["/byKey", "/bySec", "/byKey"]
    clock.pass_(172_790)
    signer.renew()
    signer.renew(fully=True)
    assert [c.where for c in platform.asked][3:] == ["/byKey", "/byKey"]


def test_tif_signs_as_the_vector_says() -> None:
    card = make_card(signer=Signer("tif"))
    signer = make_signer(card, connection("demo-paas", "demo-token"), no_call, lambda: MOMENT, lambda: "nonce123")
    assert signer.sign(Call("GET", "/list")).headers == {
        "x-tif-paasid": "demo-paas",
        "x-tif-timestamp": "1763884800",
        "x-tif-nonce": "nonce123",
        "x-tif-signature": "C0A1B3043D8604363CBA6D18F492516E0537A433506445DD5159CFC8D886A7E1",
    }


def test_generic_sm_signs_as_the_vector_says_without_nonce_and_body() -> None:
    card = make_card(signer=Signer("generic-sm"))
    signer = make_signer(card, connection("demoKey", "demoSecret"), no_call, lambda: MOMENT, lambda: "")
    assert signer.sign(Call("GET", "/list")).query == {
        "appKey": "demoKey",
        "timestamp": "1763884800000",
        "sign": "55f320e573e787068bbdeb37f1e18bb58d20044d379d9a343db7260ac1e78eed",
    }


def test_generic_sm_signs_nonce_and_sm3_of_the_body_behind_key_and_time() -> None:
    import hmac

    card = make_card(signer=Signer("generic-sm"))
    signer = make_signer(card, connection("demoKey", "demoSecret"), no_call, lambda: MOMENT, lambda: "n1")
    digest = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"  # SM3("abc")
    expected = hmac.new(b"demoSecret", f"demoKey1763884800000n1{digest}".encode(), "sm3").hexdigest()
    query = signer.sign(Call("POST", "/list", body=b"abc")).query
    assert (query["nonce"], query["sign"]) == ("n1", expected)


def test_nonces_differ_from_call_to_call() -> None:
    signer = make_signer(make_card(signer=Signer("tif")), connection("p", "t"), no_call, lambda: MOMENT)
    assert len({signer.sign(Call("GET", "/")).headers["x-tif-nonce"] for _ in range(20)}) == 20


@pytest.mark.parametrize("profile", ["gjgxjhpt", "zj-irs", "tif", "generic-sm"])
def test_missing_credentials_name_the_connection_and_what_belongs_where(profile: str) -> None:
    card = make_card(signer=Signer(profile, sid="s", secret_path="/s"))
    with pytest.raises(ConfigurationError, match="'demo' lacks credentials.* as login .* as password"):
        make_signer(card, connection("someone", ""), no_call)


def test_no_secret_stands_in_repr_or_in_what_a_platform_repeats() -> None:
    gjgx = make_signer(GJGX, connection(RID, APPKEY), Platform({"data": {"secret": ENCRYPTED}}), lambda: MOMENT)
    zj = make_signer(ZJ, connection("k", "permanent-s"), Platform(zj_answer("a")), lambda: MOMENT)
    assert isinstance(gjgx, GjgxjhptSigner) and isinstance(zj, ZjIrsSigner)
    for signer, hidden in ((gjgx, (APPKEY, SECRET)), (zj, ("permanent-s", "request-a", "refresh-a"))):
        signature = signer.sign(Call("GET", "/"))
        for secret in hidden:
            assert secret not in repr(signer) + repr(signature)
            assert signer.hide(f"wrong key {secret}!") == "wrong key ***!"


def test_the_profile_none_adds_nothing_and_cannot_renew() -> None:
    signer = make_signer(make_card(), connection("", ""), no_call)
    signature = signer.sign(Call("GET", "/"))
    assert (signature.headers, signature.query, signer.can_renew) == ({}, {}, False)
    with pytest.raises(SourceRefused, match="does not rotate"):
        signer.renew()
