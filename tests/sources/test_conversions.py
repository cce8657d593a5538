from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.sources.conversions import UnmappedValue, converter
from include.sources.project_code import uscc_check

PLAIN_NAMES = ["text", "integer", "year", "flag", "yuan", "wan_yuan", "date", "datetime", "project_code", "uscc"]


def convert(name: str, value: object, **mapping: object) -> object:
    return converter(name, mapping)(value)


@pytest.mark.parametrize("name", [*PLAIN_NAMES, "document_no", "enum"])
@pytest.mark.parametrize("blank", [None, "", "  ", "\u3000\t", "\r\n", "\x00", "\u200b"])
def test_a_blank_is_absent_for_every_converter(name: str, blank: object) -> None:
    assert converter(name, {})(blank) is None


def test_an_unknown_converter_is_named() -> None:
    with pytest.raises(ValueError, match="no converter 'moon'"):
        converter("moon", {})


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("  智慧城市 ", "智慧城市"),
        ("一\r\n二\t三\u00a0四\u3000五  六", "一 二 三 四 五 六"),
        ("a\u200b\ufeffb", "a b"),
        ("a\x00b", "ab"),
        ("x\ud800y", "x\ufffdy"),
        ("𠮷林", "𠮷林"),
        (12, "12"),
        (12.0, "12"),
        (1e20, "100000000000000000000"),
        (1e-7, "0.0000001"),
        (Decimal("1.50"), "1.5"),
        (True, "true"),
        (date(2026, 11, 3), "2026-11-03"),
        (["甲", None, 2, " 乙 "], "甲、2、乙"),
        ([], None),
    ],
)
def test_text_is_one_trimmed_line(raw: object, wanted: object) -> None:
    assert convert("text", raw) == wanted


@pytest.mark.parametrize("raw", [{"a": 1}, [{"a": 1}], [["a"]]])
def test_structures_are_no_text(raw: object) -> None:
    with pytest.raises(ValueError, match="wanted text, found a"):
        convert("text", raw)


@given(st.text())
def test_text_never_keeps_what_a_database_refuses(raw: str) -> None:
    text = convert("text", raw)
    assert text is None or isinstance(text, str)
    if isinstance(text, str):
        assert text.encode("utf-8")
        assert not {"\x00", "\n", "\t", "\u3000", "\u200b"} & set(text)
        assert text == text.strip() and "  " not in text
        assert convert("text", text) == text


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [(12, 12), ("12", 12), ("12.0", 12), (12.0, 12), ("１２", 12), ("－３", -3), ("1,234", 1234), (Decimal("7.00"), 7)],
)
def test_integers(raw: object, wanted: int) -> None:
    assert convert("integer", raw) == wanted


@pytest.mark.parametrize("raw", [True, "12.5", "1e3", "十二", [1], "9" * 5000])
def test_what_is_no_integer_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match="wanted"):
        convert("integer", raw)


@pytest.mark.parametrize("raw", [1, "1", "１", True, "true", "TRUE", "Y", "是", 1.0, "yes"])
def test_words_for_yes(raw: object) -> None:
    assert convert("flag", raw) is True


@pytest.mark.parametrize("raw", [0, "0", "０", False, "false", "N", "否", 0.0, "0.0"])
def test_words_for_no(raw: object) -> None:
    if raw == "0.0" and isinstance(raw, str):
        with pytest.raises(ValueError, match="wanted yes or no"):
            convert("flag", raw)
        return
    assert convert("flag", raw) is False


def test_a_flag_asks_the_map_first() -> None:
    void = converter("flag", {"有效": False, "作废": True})
    assert void("有效") is False
    assert void("作废") is True
    assert void("1") is True
    with pytest.raises(ValueError, match="wanted yes or no"):
        void("待定")


@pytest.mark.parametrize("valid", ["1", 1, True, "true", "Y", "是", 1.0])
def test_a_validity_mark_that_the_map_turns_round_is_turned_in_all_its_forms(valid: object) -> None:
    void = converter("flag", {"1": False, "0": True})
    assert void(valid) is False


def test_enum_maps_words_and_codes_and_keeps_the_unknown_word() -> None:
    nature = converter("enum", {"0": "new", "扩建": "extended", "改建(含迁建)": "rebuilt"})
    assert nature("0") == nature(0) == nature("０") == nature(0.0) == "new"
    assert nature(" 扩建 ") == "extended"
    assert nature("改建（含迁建）") == "rebuilt"
    with pytest.raises(UnmappedValue) as caught:
        nature(" ９ ")
    assert caught.value.raw == "９"
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("name", "raw", "wanted"),
    [
        ("yuan", "1234.5", "1234.50"),
        ("yuan", "1234", "1234.00"),
        ("yuan", 1234.5, "1234.50"),
        ("yuan", 1234, "1234.00"),
        ("yuan", "￥12", "12.00"),
        ("yuan", "¥ 12.00元", "12.00"),
        ("yuan", "1,234.50", "1234.50"),
        ("yuan", "1，234，567．5", "1234567.50"),
        ("yuan", "１２３４．５", "1234.50"),
        ("yuan", "1234.5万元", "12345000.00"),
        ("yuan", "1.2亿元", "120000000.00"),
        ("yuan", "1.2亿", "120000000.00"),
        ("yuan", "12.340000", "12.34"),
        ("yuan", ".5", "0.50"),
        ("yuan", "-0", "0.00"),
        ("yuan", "9999999999999.99", "9999999999999.99"),
        ("yuan", Decimal("10.10"), "10.10"),
        ("wan_yuan", "1234.50", "12345000.00"),
        ("wan_yuan", "0.000001", "0.01"),
        ("wan_yuan", 1234.5, "12345000.00"),
        ("wan_yuan", 0.1 + 0.2, "3000.00"),
        ("wan_yuan", 1e-05, "0.10"),
        ("wan_yuan", 500, "5000000.00"),
        ("wan_yuan", "1,234.5", "12345000.00"),
        ("wan_yuan", "12345000元", "12345000.00"),
        ("wan_yuan", "1234.5(万元)", "12345000.00"),
        ("wan_yuan", "1.5E3", "15000000.00"),
    ],
)
def test_amounts(name: str, raw: object, wanted: str) -> None:
    assert convert(name, raw) == wanted


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("yuan", "-5", "negative amount"),
        ("wan_yuan", "－5万元", "negative amount"),
        ("yuan", -5, "negative amount"),
        ("yuan", -0.5, "negative amount"),
        ("yuan", "1.234", "no finer than one fen"),
        ("wan_yuan", "0.0000001", "no finer than one fen"),
        ("yuan", "10000000000000", "below 10\\^13"),
        ("wan_yuan", 10**9, "below 10\\^13"),
        ("yuan", 10**13, "below 10\\^13"),
        ("yuan", 1e300, "below 10\\^13"),
        ("yuan", True, "wanted an amount"),
        ("yuan", "约五万", "wanted an amount"),
        ("yuan", "1,23", "wanted an amount"),
        ("yuan", "12.3.4", "wanted an amount"),
        ("yuan", "12万美元", "wanted an amount"),
        ("yuan", "１²", "wanted an amount|12"),
        ("yuan", float("nan"), "finite"),
        ("yuan", [1], "wanted an amount"),
        ("yuan", "1E99", "below 10\\^13"),
    ],
)
def test_what_is_no_amount_is_refused(name: str, raw: object, says: str) -> None:
    if raw == "１²":
        assert convert(name, raw) == "12.00"  # NFKC reads a raised 2 as 2
        return
    with pytest.raises(ValueError, match=says):
        convert(name, raw)


@given(st.decimals(min_value=0, max_value=Decimal("9999999999999.99"), places=2, allow_nan=False))
def test_any_amount_comes_back_as_it_is_however_it_is_written(amount: Decimal) -> None:
    wanted = f"{amount:.2f}"
    full_width = f"{amount:,.2f}".translate(str.maketrans("0123456789,.", "０１２３４５６７８９，．"))
    assert convert("yuan", wanted) == wanted
    assert convert("yuan", f"￥{amount:,.2f}元") == wanted
    assert convert("yuan", full_width) == wanted
    assert convert("wan_yuan", format(amount.scaleb(-4), "f")) == wanted
    assert convert("yuan", f"{amount.scaleb(-4):f}万元") == wanted


@pytest.mark.parametrize(
    "raw",
    ["2611-230500-04-04-000018", " 2611-230500-04-04-000018 ", "26112305000404000018", "２６１１–230500—04−04－000018"],
)
def test_project_codes_have_one_form(raw: str) -> None:
    assert convert("project_code", raw) == "2611-230500-04-04-000018"


def test_project_codes_of_the_old_form_and_with_failing_check_digits_are_taken() -> None:
    assert convert("project_code", "2019-330391-47-03-831266") == "2019-330391-47-03-831266"
    assert convert("project_code", "2611-230500-04-04-000019") == "2611-230500-04-04-000019"


@pytest.mark.parametrize(
    "raw", ["2613-230500-04-04-000018", "2611-230500-04-04-00001", "项目一", "2611-23050A-04-04-000018"]
)
def test_what_is_no_project_code_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="wanted a project code like"):
        convert("project_code", raw)


def test_social_credit_codes_are_upper_case_without_spaces() -> None:
    code = "91230500MA1AAAAA" + "0"
    code += next(c for c in "0123456789ABCDEFGHJKLMNPQRTUWXY" if uscc_check(code + c) == "ok")
    assert convert("uscc", code) == code
    assert convert("uscc", f" {code[:9].lower()} {code[9:].lower()} ") == code
    assert convert("uscc", "".join(chr(ord(c) + 0xFEE0) for c in code)) == code
    assert convert("uscc", "***") is None
    with pytest.raises(ValueError, match="wanted a social credit code"):
        convert("uscc", "12345678-9")


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("双发改〔2026〕5号", "双发改〔2026〕5号"),
        ("双发改[2026]5号", "双发改〔2026〕5号"),
        ("双发改【2026】5号", "双发改〔2026〕5号"),
        ("双发改(2026)5号", "双发改〔2026〕5号"),
        ("双发改（2026） 5 号", "双发改〔2026〕5号"),
        ("双发改 ［２０２６］第０５号", "双发改〔2026〕5号"),
        ("会议纪要", "会议纪要"),
    ],
)
def test_document_numbers_have_one_kind_of_bracket(raw: str, wanted: str) -> None:
    assert convert("document_no", raw) == wanted


@pytest.mark.parametrize("name", ["integer", "year", "yuan", "date", "datetime", "flag", "project_code", "uscc"])
def test_the_error_quotes_at_most_forty_characters(name: str) -> None:
    with pytest.raises(ValueError, match="wanted") as caught:
        convert(name, "乱" * 10_000)
    assert "乱" * 40 in str(caught.value)
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize("name", PLAIN_NAMES)
@given(
    value=st.one_of(
        st.text(), st.floats(), st.integers(), st.booleans(), st.lists(st.text()), st.dates(), st.datetimes()
    )
)
def test_any_value_is_read_or_refused_and_nothing_else_happens(name: str, value: object) -> None:
    try:
        found = converter(name, {})(value)
    except ValueError as error:
        assert str(error)
    else:
        assert found is None or isinstance(found, (str, int, bool))


@pytest.mark.parametrize("raw", ["王建国", "***", "有", "《管理办法》", "是", 1, "无锡分公司"])
def test_whatever_is_named_is_present(raw: object) -> None:
    assert convert("present", raw) is True


@pytest.mark.parametrize("raw", ["无", " 暂无 ", "待定", "/", "—", "否", "N/A"])
def test_what_people_write_for_nobody_is_absent(raw: str) -> None:
    assert convert("present", raw) is False


@pytest.mark.parametrize("raw", [None, "", "  "])
def test_a_blank_says_neither(raw: object) -> None:
    assert convert("present", raw) is None
