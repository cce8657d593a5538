"""Whether a data set may be published: rules as data (`guards.yaml`), each with what people are told when it holds one back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.datasets.definitions import Dataset
from include.datasets.inputs import MISSING, Input
from include.errors import ConfigurationError
from include.sources.own_files import read_laid_over

if TYPE_CHECKING:
    from include.datasets.export import Exported

SHIPPED = Path(__file__).with_name("guards.yaml")
REFERENCE = "include/datasets/guards.yaml"


@dataclass(frozen=True, slots=True)
class Change:
    """How much a data set may shrink or grow, in percent of its rows; a change of fewer than `least_rows` is never held."""

    fewer_percent: int
    more_percent: int
    least_rows: int


@dataclass(frozen=True, slots=True)
class InputLimit:
    """What is asked of the sources of a group."""

    max_age_days: int
    incomplete: str


@dataclass(frozen=True, slots=True)
class Guard:
    """What holds one data set back."""

    inputs: Mapping[str, InputLimit]
    change: Change


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a data set is not published, in Chinese; `is_waiting` where nothing went wrong: a source was simply never read yet."""

    guard: str
    text: str
    is_waiting: bool = False

    @property
    def can_be_accepted(self) -> bool:
        """Return whether a person may let it pass: rows that break the schema are published by nobody."""
        return self.guard not in ("schema", "view")

    def summary(self) -> dict[str, Any]:
        """Return it for manifests and programs."""
        return asdict(self)


def load_guards(names: Collection[str]) -> dict[str, Guard]:
    """Return the guard of each of these data sets.

    Raises `CardError` with file, line and fix for what is wrong in a file, `ConfigurationError` for a data set that has no guard.
    """
    laid = read_laid_over(SHIPPED, "guards.v1.json", REFERENCE)
    data = laid.data
    inputs = {group: InputLimit(**limit) for group, limit in data["inputs"].items()}
    if unguarded := sorted(set(names) - set(data["datasets"])):
        raise ConfigurationError(
            f"{REFERENCE} says nothing of {', '.join(unguarded)}: name under datasets what they depend on"
        )
    for name, said in data["datasets"].items():
        if unknown := sorted(set(said["depends_on"]) - set(inputs)):
            problem = f"{name} depends on {unknown[0]!r}, of which inputs says nothing"
            raise laid.wrong(["datasets", name], problem, f"use one of {', '.join(sorted(inputs))}")
    change, found = data["change"], {}
    for name in names:
        said = data["datasets"][name]
        limits = {group: inputs[group] for group in said["depends_on"]}
        found[name] = Guard(limits, Change(**said.get("change", change)))
    return found


def held_by_inputs(guard: Guard, inputs: Iterable[Input], *, is_published: bool) -> Iterator[Hold]:
    """Yield why the sources of a data set hold it back.

    A source that was never read is waited for before the first release; one that comes later (`is_published`) would let the data
    set grow old, which nobody may take for waiting.
    """
    for one in inputs:
        limit = guard.inputs.get(one.group)
        if limit is None:
            continue
        if one.last_batch is None:
            yield Hold("input_never_read", f"来源“{one.title}”({one.source})尚未读取", is_waiting=not is_published)
        elif not one.is_complete and limit.incomplete == "hold":
            why = "、".join(MISSING.get(code, code) for code in one.missing) or "原因见批次"
            yield Hold("input_incomplete", f"来源“{one.title}”({one.source})最近一次未读全:{why}")
        elif one.age_days is None or one.age_days > limit.max_age_days:
            age = (
                "从未读全"
                if one.age_days is None
                else f"最近一次读全距今 {one.age_days} 天,超过 {limit.max_age_days} 天"
            )
            yield Hold("input_old", f"来源“{one.title}”({one.source}){age}")


def held_by_change(guard: Guard, before: int | None, rows: int) -> Iterator[Hold]:
    """Yield whether a data set has lost or gained more rows than is believed without a person; `before` None: there was none."""
    if before is None or abs(rows - before) < max(1, guard.change.least_rows):
        return
    share = abs(rows - before) * 100
    if rows < before and share > before * guard.change.fewer_percent:
        yield Hold("rows_fewer", f"行数由 {before} 减为 {rows},减少超过 {guard.change.fewer_percent}%,需人工确认")
    elif rows > before and share > before * guard.change.more_percent:
        yield Hold("rows_more", f"行数由 {before} 增为 {rows},增加超过 {guard.change.more_percent}%,需人工确认")


def held_by_content(dataset: Dataset, exported: Exported) -> Iterator[Hold]:
    """Yield what is wrong with the rows themselves."""
    from include.datasets.checks import words_of

    if exported.failure:
        yield Hold("view", "数据集视图出错,详见任务日志")
    for problem in exported.problems:
        yield Hold("schema", words_of(problem, dataset))
