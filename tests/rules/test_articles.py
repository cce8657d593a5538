"""The clauses are the law's: every sentence in exactly one of them, word by word, and none made harder than it is."""

from __future__ import annotations

import re

import pytest

from include.rules.coverage import place_of
from include.rules.regulation_files import REGULATION
from include.rules.rule import Article
from include.rules.rule_book import load_articles

LAW = (REGULATION / "text.zh.txt").read_text("utf-8")
ARTICLES = {c: a for c, a in load_articles().items() if place_of(c) is not None}
DIGITS = "一二三四五六七八九"
ITEM = re.compile(rf"(?<=[:;。])(?=\([{DIGITS}]\))")
DAMAGED = {
    7: "市数据对",
    11: "每7征集",
    17: "不超15个工作日",
    18: "不超8个工作日",
    19: "一般超过20个工作日",
    29: "不少于1月",
    31: "612月内",
}


def chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    return (DIGITS[tens - 1] if tens > 1 else "") + ("十" if tens else "") + (DIGITS[ones - 1] if ones else "")


def body(number: int) -> str:
    """Return the words of an article, its paragraphs and items one after the other."""
    after = rf"第{chinese(number + 1)}条|\Z"
    found = re.search(rf"^第{chinese(number)}条 (.*?)(?=^第[{DIGITS}十]+章|^{after})", LAW, re.M | re.S)
    assert found, f"text.zh.txt has no article {number}"
    return re.sub(r"\s", "", found[1])


def places(article: Article) -> list[tuple[int, int]]:
    """Return where the words of a clause stand in its article: its lead sentence and its items apart."""
    law, found = body(place_of(article.id) or 0), []
    least = 0
    for part in ITEM.split(article.text):
        start = law.find(part, least)
        assert start >= 0, f"{article.id}: {part!r} is not in the law"
        least = start + len(part)
        found.append((start, least))
    return found


def test_every_article_is_there_under_its_number() -> None:
    assert {place_of(c) for c in ARTICLES} == set(range(1, 42))
    for clause, article in ARTICLES.items():
        number = chinese(place_of(clause) or 0)
        assert re.match(rf"第{number}条($|第)", article.number), clause
        assert article.source == "双政办发〔2024〕39号"


def test_the_clauses_stand_in_the_order_of_the_law() -> None:
    numbers = [place_of(c) or 0 for c in ARTICLES]
    assert numbers == sorted(numbers)
    assert len({a.number for a in ARTICLES.values()}) == len(ARTICLES) > 80


@pytest.mark.parametrize("number", range(1, 42))
def test_every_sentence_of_an_article_is_in_exactly_one_clause(number: int) -> None:
    law, leads = body(number), set()
    taken = [0] * len(law)
    for article in (a for c, a in ARTICLES.items() if place_of(c) == number):
        spans = places(article)
        for start, end in spans:
            if law[end - 1] == ":":
                leads.add((start, end))
                continue
            for index in range(start, end):
                taken[index] += 1
    for start, end in leads:
        taken[start:end] = [1] * (end - start)
    wrong = "".join(ch if n != 1 else "·" for ch, n in zip(law, taken, strict=True)).strip("·")
    assert not wrong, f"article {number}: in no clause, or in two: {wrong}"


def test_an_item_follows_its_own_lead() -> None:
    items = {c: a for c, a in ARTICLES.items() if re.search(r"第.项$", a.number)}
    assert len(items) == 17
    for clause, article in items.items():
        law = body(place_of(clause) or 0)
        (lead, item) = ITEM.split(article.text)
        own, last = law.index(lead), clause.rpartition(".")[2]
        assert lead.endswith(":")
        assert item.startswith(f"({DIGITS[int(last) - 1]})"), clause
        assert f"第{DIGITS[int(last) - 1]}项" in article.number
        between = law[own + len(lead) : law.index(item)]
        assert ":" not in between, clause


def test_soft_wording_is_in_principle_and_nothing_else_is() -> None:
    soft = {c for c, a in ARTICLES.items() if re.search("原则上|一般", a.text)}
    assert soft == {c for c, a in ARTICLES.items() if a.modality == "in_principle"}
    assert {"art8.p2", "art9.p1", "art13.p1", "art16", "art17.p2", "art18.s2", "art19", "art25.2"} <= soft
    assert {"art16.s2", "art17.p2.s1", "art18", "art19.s1", "art30", "art40"} <= {
        c for c, a in ARTICLES.items() if a.modality == "must"
    }


def test_what_may_be_done_and_what_only_frames_is_no_duty() -> None:
    assert {c for c, a in ARTICLES.items() if a.modality == "may"} == {"art20.s1", "art20", "art40.s1"}
    assert {c for c, a in ARTICLES.items() if a.modality == "scope"} == {"art1", "art2", "art2.p2", "art38", "art39"}
    assert not [c for c, a in ARTICLES.items() if a.modality in ("may", "scope") and re.search("不得|应当", a.text)]


@pytest.mark.parametrize(("number", "printed"), DAMAGED.items())
def test_a_damaged_place_says_how_it_is_printed_and_read(number: int, printed: str) -> None:
    (damaged,) = [
        a for c, a in ARTICLES.items() if place_of(c) == number and a.reading and printed in a.reading["as_printed"]
    ]
    reading = damaged.reading
    assert reading
    read = reading["as_read"].split(";")[-1]
    assert read in damaged.text
    assert printed not in damaged.text
    assert re.sub(r"[年月至个局过不]", "", read) == re.sub(r"[年月至个局过不]", "", printed)


def test_a_number_restored_by_order_says_so() -> None:
    restored = {c: a for c, a in ARTICLES.items() if a.reading and a.reading["as_printed"].startswith("第")}
    assert {place_of(c) for c in restored} == {*range(21, 28), *range(31, 38), 41}
    for clause, article in ARTICLES.items():
        number = place_of(clause) or 0
        assert (clause in restored) == (number in (*range(21, 28), *range(31, 38), 41))
        if article.reading and clause in restored:
            assert article.reading["as_printed"].split(";")[0] == f"第{chinese(number // 10 * 10)}条"
            assert article.reading["as_read"].split(";")[0] == f"第{chinese(number)}条"


def test_no_reading_is_taken_for_confirmed() -> None:
    readings = [a.reading for a in ARTICLES.values() if a.reading]
    assert len(readings) > 20
    assert {r["status"] for r in readings} == {"unconfirmed"}
