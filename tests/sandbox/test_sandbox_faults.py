"""Each fault can be seen with plain requests, strikes where and as often as told, and can be cleared."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime

import pytest
import requests
from sandbox_client import ProvincialCaller, ZhejiangCaller

from include.sandbox.faults import SCENARIOS, Fault
from include.sandbox.server import SandboxServer


def test_error_500_strikes_as_often_as_told(server: SandboxServer, provincial: ProvincialCaller):
    server.fault("error_500", page=2, times=2)
    assert [provincial.call(n).status_code for n in (1, 2, 2, 2)] == [200, 500, 500, 200]


def test_error_429_says_when_to_come_back(server: SandboxServer, provincial: ProvincialCaller):
    server.fault("error_429")
    answer = provincial.call()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


def test_reset_90_resets_after_most_of_the_body(server: SandboxServer, provincial: ProvincialCaller):
    whole = len(provincial.call(1, 400).content)
    server.fault("reset_90")
    answer = provincial.call(1, 400, stream=True)
    assert int(answer.headers["content-length"]) == whole
    received = 0
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)) as caught:
        for piece in answer.iter_content(4096):
            received += len(piece)
    assert "reset" in str(caught.value).lower()
    assert 0.5 * whole < received < whole
    assert provincial.page()["code"] == "0"


def test_html_200(server: SandboxServer, provincial: ProvincialCaller):
    server.fault("html_200")
    answer = provincial.call()
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_truncated_json(server: SandboxServer, provincial: ProvincialCaller):
    server.fault("truncated_json")
    answer = provincial.call()
    assert len(answer.content) == int(answer.headers["content-length"])
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_wrong_total(server: SandboxServer, provincial: ProvincialCaller):
    honest = provincial.page()["data"]
    server.fault("wrong_total", times=0)
    assert provincial.page()["data"]["total"] == honest["total"] + 7
    assert provincial.page()["data"]["list"] == honest["list"]


def test_repeated_and_skipped_pages(server: SandboxServer, provincial: ProvincialCaller):
    pages = {number: provincial.codes(number) for number in (1, 2, 3)}
    server.fault("repeated_page", page=2)
    assert provincial.codes(2) == pages[1]
    server.fault("skipped_page", page=2)
    assert provincial.codes(2) == pages[3]
    assert provincial.codes(2) == pages[2]


def test_endless_paging(server: SandboxServer, provincial: ProvincialCaller):
    last_full = provincial.codes(4)
    server.fault("endless_paging", times=0)
    assert provincial.page(1)["data"]["total"] == 450
    totals = []
    for number in (5, 6, 7, 50):
        data = provincial.page(number)["data"]
        totals.append(data["total"])
        if number > 5:
            assert [row["PROJECT_CODE"] for row in data["list"]] == last_full
    assert totals == [600, 700, 800, 5100]


def test_shifting_pages_repeat_one_row_and_lose_another(server: SandboxServer, provincial: ProvincialCaller):
    honest = [code for number in range(1, 6) for code in provincial.codes(number)]
    server.fault("shifting_pages", times=0)
    shifted = [code for number in range(1, 6) for code in provincial.codes(number)]
    assert len(shifted) == len(honest) == provincial.page()["data"]["total"]
    assert len(set(shifted)) == len(honest) - 1
    assert set(honest) - set(shifted) == {honest[-1]}
    server.clear_faults()
    server.fault("shifting_pages", page=3)
    shifted = [code for number in range(1, 6) for code in provincial.codes(number)]
    assert len(shifted) == len(honest)
    assert set(honest) - set(shifted) == {honest[299]}


def test_expired_secret(server: SandboxServer, provincial: ProvincialCaller):
    server.fault("expired_secret", times=2)
    assert [provincial.page()["code"] for _ in range(3)] == ["E-107", "E-107", "0"]


def test_skewed_clock_refuses_and_shows_in_the_date(server: SandboxServer, provincial: ProvincialCaller):
    provincial.login()
    server.fault("skewed_clock", times=0)
    answer = provincial.call()
    assert answer.json()["message"] == "时间戳超出有效范围"
    ahead = parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()
    assert 3650 < ahead < 3670
    shifted = str(int((time.time() + ahead) * 1000))
    assert provincial.login(rtime=shifted)["code"] == "0"
    assert provincial.call(rtime=shifted).json()["code"] == "0"


def test_gbk_as_utf8(server: SandboxServer, provincial: ProvincialCaller):
    honest = provincial.call().content
    server.fault("gbk_as_utf8")
    answer = provincial.call()
    assert "utf-8" in answer.headers["content-type"]
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()
    assert answer.content.decode("gb18030").encode() == honest


def test_slow_drip(server: SandboxServer, provincial: ProvincialCaller):
    server.fault("slow_drip")
    started = time.monotonic()
    answer = provincial.call(stream=True)
    received = answer.raw.read(12)
    answer.close()
    assert received.startswith(b'{"code"')
    assert time.monotonic() - started > 1.5


def test_empty_list(server: SandboxServer, provincial: ProvincialCaller, zhejiang: ZhejiangCaller):
    server.fault("empty_list")
    assert provincial.page() == {"code": "0", "message": "成功", "data": ""}
    server.fault("empty_list", "zj")
    assert zhejiang.page()["datas"] == {"rows": [], "dataCount": 0}


def test_huge_page_streams_more_than_anyone_wants(server: SandboxServer, provincial: ProvincialCaller):
    server.fault("huge_page")
    answer = provincial.call(stream=True)
    received = sum(len(piece) for _, piece in zip(range(30), answer.iter_content(1_000_000), strict=False))
    answer.close()
    assert received > 20_000_000
    assert provincial.page()["code"] == "0"


def test_redirect_points_to_another_host(server: SandboxServer, provincial: ProvincialCaller):
    server.fault("redirect")
    answer = provincial.call(allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (302, "http://other-host.invalid/list")


def test_deep_json(server: SandboxServer, provincial: ProvincialCaller):
    server.fault("deep_json")
    content = provincial.call().content
    assert content.count(b"[") == 100_000
    with pytest.raises(RecursionError):
        json.loads(content)


def test_wrong_type(server: SandboxServer, provincial: ProvincialCaller):
    server.fault("wrong_type")
    answer = provincial.call()
    assert answer.headers["content-type"].startswith("text/plain")
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()


def test_faults_keep_to_their_platform(server: SandboxServer, provincial: ProvincialCaller, zhejiang: ZhejiangCaller):
    server.fault("html_200", "zj", page=1)
    assert provincial.page()["code"] == "0"
    assert zhejiang.page(0)["code"] == "00"
    with pytest.raises(requests.exceptions.JSONDecodeError):
        zhejiang.page(1)
    assert zhejiang.page(1)["code"] == "00"


def test_faults_over_the_wire(server: SandboxServer, provincial: ProvincialCaller):
    url, headers = f"{server.url}/control/fault", server.control_headers
    wrong = requests.post(url, json={"platform": "provincial", "scenario": "nonsense"}, headers=headers, timeout=5)
    assert wrong.status_code == 400
    assert "html_200" in wrong.json()["error"]
    fault = {"platform": "provincial", "scenario": "error_500", "page": 1, "times": 0}
    requests.post(url, json=fault, headers=headers, timeout=5).raise_for_status()
    assert provincial.call().status_code == 500
    described = requests.get(url, headers=headers, timeout=5).json()
    assert described["in_force"][0]["struck"] == 1
    assert described["scenarios"] == SCENARIOS
    assert requests.delete(url, headers=headers, timeout=5).json() == {"cleared": 1}
    assert provincial.call().status_code == 200


def test_calls_are_counted(server: SandboxServer, provincial: ProvincialCaller):
    before = server.calls.get("provincial.list", 0)
    provincial.page()
    counted = requests.get(f"{server.url}/control/calls", headers=server.control_headers, timeout=5).json()
    assert counted["provincial.list"] == before + 1


def test_fault_is_read_from_the_command_line():
    assert Fault.parse("html_200") == Fault("html_200", "provincial", None, 0)
    assert Fault.parse("error_500:zj:3:2") == Fault("error_500", "zj", 3, 2)
    with pytest.raises(ValueError, match="unknown scenario"):
        Fault.parse("nonsense")
