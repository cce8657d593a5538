"""What can be asked of lists: filters, order and page, checked before anything is read. Blank fields of a form ask nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST = 500
"""Rows of one page at most."""

FAR = 1_000_000
"""No list is paged further than this."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A text in an address: no control characters, which PostgreSQL would refuse."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""The code of a record, as its source writes it."""

FindingId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
MessageId = FindingId

Outcome = Literal["fail", "warn", "unknown", "pass", "not_applicable"]
Severity = Literal["critical", "high", "medium", "low"]
Handling = Literal["new", "acknowledged", "rectifying", "waived", "disputed", "attested", "settled"]
State = Literal["open", "settled", "resolved"]
"""What is still seen and was settled is not open to whoever asks for what is to be done."""
ScopeName = Literal["interconnection", "catalogues", "systems", "regulation"]
MessageState = Literal["pending", "sent", "dead"]

FINDING_ORDER = Literal[
    "severity", "-severity", "since", "-since", "judged", "-judged", "subject", "-subject", "rule", "-rule"
]
SUBJECT_ORDER = Literal["leads", "-leads", "code", "-code", "name", "-name", "unit", "-unit"]


class Asked(BaseModel):
    """A page of a list. `limit` rows from row `offset` on, counted from 0."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    limit: Annotated[int, Field(ge=1, le=MOST, description="每页行数 rows of a page")] = 50
    offset: Annotated[int, Field(ge=0, le=FAR, description="从第几行起 first row")] = 0

    @model_validator(mode="before")
    @classmethod
    def _leave_out_blanks(cls, given: Any) -> Any:
        """A form sends every field, those that ask nothing as empty texts."""
        if not isinstance(given, Mapping):
            return given
        lists = {name: [v for v in value if v != ""] for name, value in given.items() if isinstance(value, list)}
        kept = {name: lists.get(name, value) for name, value in given.items() if value != ""}
        return {name: value for name, value in kept.items() if value != []}

    def parameters(self, **changed: Any) -> list[tuple[str, str]]:
        """Return the arguments of an address that asks the same but for what is changed; None leaves one out."""
        values = self.model_dump(exclude_defaults=True) | changed
        found: list[tuple[str, str]] = []
        for name, value in values.items():
            many = value if isinstance(value, list | tuple) else [value]
            found += [
                (name, str(one)) for one in many if one is not None and one != type(self).model_fields[name].default
            ]
        return found


class FindingsAsked(Asked):
    """Which findings, in which order."""

    state: Annotated[State | Literal["all"], Field(description="未了结、已处理结案、已了结或全部")] = "open"
    outcome: Annotated[list[Outcome], Field(max_length=5)] = []
    severity: Annotated[list[Severity], Field(max_length=4)] = []
    handling: Annotated[list[Handling], Field(max_length=7)] = []
    scope: Annotated[list[ScopeName], Field(max_length=4)] = []
    rule: Annotated[list[Text], Field(max_length=20, description="规则编号")] = []
    article: Annotated[list[Annotated[int, Field(ge=1, le=41)]], Field(max_length=20, description="第几条")] = []
    subject_type: Annotated[list[Text], Field(max_length=9)] = []
    department: Annotated[Text | None, Field(description="建设(使用)单位全称;未登记单位")] = None
    is_overdue: Annotated[bool, Field(description="只看整改逾期的")] = False
    q: Annotated[Text | None, Field(description="文字、对象编码或线索编号开头")] = None
    sort: FINDING_ORDER = "severity"


class SubjectsAsked(Asked):
    """Which systems or projects, in which order."""

    q: Annotated[Text | None, Field(description="名称、编码或单位中的文字")] = None
    department: Annotated[Text | None, Field(description="单位全称")] = None
    has_leads: Annotated[bool, Field(description="只看有未了结线索的")] = False
    sort: SUBJECT_ORDER = "-leads"


class SystemsAsked(SubjectsAsked):
    """Which systems."""

    status: Annotated[list[Literal["building", "trial", "in_use", "stopped"]], Field(max_length=4)] = []
    deployment: Annotated[list[Literal["city_cloud", "other_cloud", "own_room", "mixed"]], Field(max_length=4)] = []


class ProjectsAsked(SubjectsAsked):
    """Which projects; by default those that rules judge, with `is_all` every one of the platforms."""

    is_all: Annotated[bool, Field(description="含不属数字化项目的")] = False
    plan_year: Annotated[int | None, Field(ge=2000, le=2100)] = None


class AlertsAsked(Asked):
    """Which messages."""

    state: Annotated[list[MessageState], Field(max_length=3)] = []
    channel: Text | None = None
    receiver: Text | None = None
    department: Text | None = None


class ComplianceAsked(Asked):
    """Which days, rules and departments of the daily figures; the newest day first."""

    since: date | None = None
    until: date | None = None
    rule: Annotated[list[Text], Field(max_length=20)] = []
    department: Text | None = None


def choices(of: Any) -> tuple[str, ...]:
    """Return the names that a literal admits."""
    return tuple(get_args(of))
