"""`routing.yaml`: what a bureau's own file changes, and that whatever is wrong is named with file, line and fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.alerts.routing import Labels, Routing, load_routing
from include.errors import CardError
from tests.alerts.town import rules


@pytest.fixture
def laid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that loads the routing with a text laid over it."""
    folder = tmp_path / "config"
    folder.mkdir()
    monkeypatch.setenv("SHUHENG_CONFIG", str(folder))

    def load(text: str) -> Routing:
        (folder / "routing.yaml").write_text(text, "utf-8")
        return load_routing(rules().values())

    return load


def test_a_bureaus_own_file_changes_what_it_names_and_nothing_else(laid: Any) -> None:
    shipped = load_routing(rules().values())
    own = laid("""
channels: {dingtalk: {enabled: true, per_minute: 10}, second: {title: 二号, kind: webhook, connection: c, enabled: true}}
receivers: {bureau_cloud: {channels: [dingtalk, second]}}
departments: {教育局: {mail: [a@edu.example]}}
reminders: {workdays: [2]}
""")
    assert (own.channels["dingtalk"].is_enabled, own.channels["dingtalk"].per_minute) == (True, 10)
    assert own.channels["dingtalk"].connection == "alert_dingtalk"
    assert own.channels["second"].per_minute == 20, "what a channel leaves out is as its card has it"
    assert [c.id for c, _ in own.ways_to("bureau_cloud")] == ["dingtalk", "second"]
    assert (own.reminders.workdays, own.reminders.then_every) == ((2,), 20)
    assert own.receivers["bureau_cloud"].title == shipped.receivers["bureau_cloud"].title
    assert own.receivers["unit"] == shipped.receivers["unit"]
    assert own.topics == shipped.topics
    assert own.routes == shipped.routes


def test_a_department_gets_mail_only_where_it_has_an_address(laid: Any) -> None:
    own = laid("channels: {mail: {enabled: true}}\ndepartments: {教育局: {mail: [a@edu.example, b@edu.example]}}\n")
    ways = {name: [(c.id, to) for c, to in own.ways_to("unit", name)] for name in ("教育局", "水务局")}
    assert ways == {"教育局": [("mail", ("a@edu.example", "b@edu.example")), ("spool", ())], "水务局": [("spool", ())]}


def test_a_rule_of_a_bureau_moves_to_another_topic_where_both_say_so(laid: Any) -> None:
    own = laid("""
topics:
  security: {title: 网络与数据安全, rules: [security-duties-current, assessments-before-acceptance]}
  acceptance:
    rules: [contracts-within-approved-investment, tender-result-filed, contract-carries-required-terms, responsible-person-named,
      contract-split-avoided, trial-run-one-month, third-party-test-if-million, users-tested-public-service, acceptance-held,
      ex-ante-evaluation-made, self-evaluated-in-6-to-12-months, archive-kept,
          acceptance-supervised, post-evaluation-commissioned]
""")
    assert own.topic_of["assessments-before-acceptance"] == "security"
    assert own.topics["acceptance"].title == "合同与验收"


def test_routes_are_applied_in_order_and_look_at_every_label(laid: Any) -> None:
    own = laid("""
routes:
  - {when: {topic: [cloud], department: [教育局]}, add: [finance, drc]}
  - {when: {subject_type: [system], scope: [systems], severity: [medium]}, drop: [drc]}
""")
    labels = Labels("cloud", "deployed-on-city-cloud", "medium", "fail", "教育局", "system", "systems")
    assert own.receivers_of(labels, ("unit", "bureau_cloud")) == ("unit", "bureau_cloud", "finance")
    assert own.receivers_of(labels._replace(severity="low"), ("unit",)) == ("unit", "drc", "finance")
    assert own.receivers_of(labels._replace(department="水务局"), ("unit",)) == ("unit",)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("receivers:\n  drc: {channels: [dingtalk]}", 2, "no channel of the receiver drc is enabled"),
        ("channels:\n  dingtalk: {per_minute: 1000}\n", 2, "dingtalk takes 20 per_minute"),
        ("channels:\n  feishu: {per_second: 6}\n", 2, "feishu takes 5 per_second"),
        (
            "channels:\n  dingtalk: {enabled: true}\n"
            "  d2: {title: x, kind: dingtalk, connection: alert_dingtalk, enabled: true}\n",
            3, "on the connection alert_dingtalk already",
        ),
        (
            "inhibitions:\n  - cause: {rule: evidence-current}\n    consequence: {topic: plan}\n    equal: [department]\n",
            4, "no department has a plan_year/source",
        ),
        ("office_hours: {from: '18:00'}\n", 1, "before they begin"),
        ("office_hours: {from: '8:30'}\n", 1, "time of day"),
        ("reminders:\n  workdays: [7, 3]\n", 2, "do not rise"),
        ("topics:\n  cloud:\n    rules:\n      - deployed-on-city-cloud\n      - no-such-rule\n", 5, "no rule 'no-such-rule'"),
        ("topics:\n  cloud: {rules: [deployed-on-city-cloud]}\n", 1, "no-own-data-centre is in no topic"),
        ("topics:\n  more: {title: 更多, rules: [archive-kept]}\n", 2, "in the topic acceptance already"),
        ("topics:\n  more: {rules: [archive-kept]}\n", 2, "has no title"),
        ("receivers:\n  unit: {channels: [pigeon]}\n", 2, "no channel 'pigeon'"),
        ("receivers:\n  chief: {title: 负责人}\n", 2, "has no channels"),
        ("channels:\n  own: {title: 自有}\n", 2, "has no kind"),
        ("channels:\n  own: {title: 自有, kind: fax}\n", 2, "One of spool, mail"),
        ("routes:\n  - {when: {topic: [clouds]}, add: [drc]}\n", 2, "no topic 'clouds'"),
        ("routes:\n  - {when: {rule: [x]}, add: [drc]}\n", 2, "no rule 'x'"),
        ("routes:\n  - {when: {topic: [cloud]}, add: [nobody]}\n", 2, "no add 'nobody'"),
        ("routes:\n  - {when: {topic: [cloud]}}\n", 2, "add"),
        ("departments:\n  教育局: {mail: ['a b@c']}\n", 2, "without names"),
        ("inhibitions:\n  - {cause: {rule: x}, consequence: {topic: cloud}, equal: [subject]}\n", 2, "no rule 'x'"),
        (
            "inhibitions:\n  - {cause: {rule: evidence-current}, consequence: {topic: cloud}, equal: []}\n", 2, "equal",
        ),
        (
            "inhibitions:\n  - cause: {rule: evidence-current}\n    consequence: {topic: interconnection}\n    equal: [subject]\n",
            4, "no subject can be equal",
        ),
        (
            "inhibitions:\n  - cause: {rule: archive-kept}\n    consequence: {rules: [acceptance-held]}\n    equal: [source]\n",
            4, "judges no source",
        ),
        (
            "inhibitions:\n- cause: {rule: evidence-current, group: nowhere}\n  consequence: {topic: cloud}\n  equal: [source]\n",
            2, "no source is of the group",
        ),
        (
            "inhibitions:\n  - {cause: {rule: archive-kept}, consequence: {rules: [archive-kept]}, equal: [subject]}\n", 2,
            "follows from itself",
        ),
        ("inhibitions:\n  - {cause: {parts_of: archive-kept}, consequence: {topic: funds}, equal: [department]}\n", 2, "no cause"),
        ("colour: red\n", 1, "colour"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_line_and_fix(
    laid: Any, tmp_path: Path, text: str, line: int, says: str
) -> None:
    with pytest.raises(CardError) as error:
        laid(text)
    assert str(error.value).startswith(f"{tmp_path / 'config' / 'routing.yaml'}:{line}"), str(error.value)
    assert says in str(error.value)


def test_a_receiver_whose_channels_are_all_switched_off_is_refused(laid: Any) -> None:
    with pytest.raises(CardError, match="no channel of the receiver unit is enabled, so it would be told nothing"):
        laid("channels: {spool: {enabled: false}}")


def test_a_circle_of_two_is_refused(laid: Any) -> None:
    one = "{{cause: {{rule: {0}}}, consequence: {{rules: [{1}]}}, equal: [subject]}}"
    pairs = [("archive-kept", "acceptance-held"), ("acceptance-held", "archive-kept")]
    text = "inhibitions:\n" + "".join(f"  - {one.format(*pair)}\n" for pair in pairs)
    with pytest.raises(CardError, match="follows from itself"):
        laid(text)


def test_a_rule_that_tells_nobody_there_is_refused(laid: Any) -> None:
    from dataclasses import replace

    odd = [replace(r, told=("mayor",)) if r.id == "archive-kept" else r for r in rules().values()]
    with pytest.raises(CardError, match="'mayor'"):
        load_routing(odd)
