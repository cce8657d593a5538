"""The platforms check callers as the conventions say; vectors from the facts."""

from __future__ import annotations

import time

import requests
from sandbox_client import LIST, ProvincialCaller, ZhejiangCaller, exchange_headers

from include.sandbox.server import SandboxServer
from include.sandbox.signing import encrypted_secret, exchange_signature, irs_signature, seeded_key

APPKEY = "00112233445566778899aabbccddeeff"
SECRET = "demo-app-secret-0123456789abcdef"


def test_aes_key_is_that_of_java_sha1prng():
    assert seeded_key(APPKEY).hex() == "f0e7270d060804e8815c6152627157db"


def test_secret_is_encrypted_as_java_does():
    expected = "Qs4OFURm+l5sg7TWCndPDJf2wNFxrR+ZhfUxVmqfMDWvxIeMS54/nlyk0N+aRvl4"
    assert encrypted_secret(APPKEY, SECRET) == expected


def test_exchange_signature_vector():
    sign = exchange_signature(SECRET, "s_demo_0001", "11111111-2222-3333-4444-555555555555", "1763884800000")
    assert sign == "BxJ0Tlr99n03Bb2SUITiNhUDhwUSn29Vz1AZ4HdENrY="


def test_irs_signature_vector():
    assert irs_signature("demoKey", "demoSecret", "1763884800000") == "c1f2d3678c509f2b5b33a6d78c312ca9"


def test_login_hands_out_a_secret_that_signs_calls(provincial: ProvincialCaller):
    answer = provincial.login()
    assert answer["code"] == "0"
    assert answer["data"]["secretEndTime"] > time.time() * 1000
    assert provincial.page()["code"] == "0"


def test_wrong_signature_is_refused(provincial: ProvincialCaller, server: SandboxServer):
    provincial.secret = "0" * 32
    assert provincial.page()["code"] == "-1"
    values = exchange_headers(server, "not the appkey")
    url = f"{server.url}/provincial/auth/refreshappsecret"
    assert requests.post(url, json=values, timeout=5).json() == {
        "code": "-1",
        "message": "接口调用失败：签名错误",
        "data": "",
    }


def test_unknown_caller_is_e106(server: SandboxServer):
    headers = exchange_headers(server, "x") | {"gjgxjhpt_rid": "somebody-else"}
    answer = requests.post(f"{server.url}{LIST}", json={}, headers=headers, timeout=5).json()
    assert answer["code"] == "E-106"


def test_clock_more_than_180_seconds_off_is_refused(provincial: ProvincialCaller):
    provincial.login()
    now = int(time.time() * 1000)
    late = provincial.page(rtime=str(now - 181_000))
    assert (late["code"], late["message"]) == ("-1", "时间戳超出有效范围")
    assert provincial.page(rtime=str(now - 170_000))["code"] == "0"


def test_rotated_secret_is_e107_until_the_next_login(server: SandboxServer, provincial: ProvincialCaller):
    provincial.login()
    url = f"{server.url}/control/rotate"
    assert requests.post(url, headers=server.control_headers, timeout=5).json() == {"rotated": True}
    assert provincial.page() == {"code": "E-107", "message": "secret已过期", "data": ""}
    provincial.login()
    assert provincial.page()["code"] == "0"


def test_secret_runs_out_by_itself():
    with SandboxServer(projects=20, secret_seconds=0.3) as server:
        caller, zj = ProvincialCaller(server), ZhejiangCaller(server)
        assert caller.page()["code"] == "0"
        assert zj.page()["code"] == "00"
        time.sleep(0.35)
        assert caller.page()["code"] == "E-107"
        assert zj.page() == {"code": "14", "msg": "秘钥已过期", "datas": None}
        renewed = zj.get("/token/refreshTokenBySec", zj.secrets["refreshSecret"]).json()
        assert renewed["datas"]["requestSecret"] != zj.secrets["requestSecret"]
        caller.session.close()


def test_zhejiang_refuses_a_wrong_signature(zhejiang: ZhejiangCaller):
    assert zhejiang.get("/api/projects", "wrong").json()["code"] == "13"


def test_control_needs_the_token(server: SandboxServer):
    assert requests.get(f"{server.url}/control/truth", timeout=5).status_code == 403
    wrong = requests.post(f"{server.url}/control/advance", headers={"x-control-token": "no"}, timeout=5)
    assert wrong.status_code == 403
