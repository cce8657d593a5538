"""The parts that systems play in the catalogues: what is there of each, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass

from include.sandbox.systems import System


@dataclass(frozen=True, slots=True)
class Part:
    """What the catalogues hold of a system."""

    has_data: bool = True
    has_component: bool = True
    has_cloud: bool = True
    is_linked: bool = True
    """Whether its data and components name the system's code; without it they name the unit alone."""
    collection: str = "已归集"
    is_mounted: bool = True
    cycle: str = "monthly"
    cycle_word: str = "每月"
    age: int = 5
    """How many days before the start day its data was last updated."""
    share: str = "有条件共享"
    condition: str = "因履行职责需要，经提供方审核后使用"
    issued: str = ""
    """A date instead of the real one."""
    has_second_owner: bool = False
    """Whether a portal lists its data under the same code as another unit's."""


BASIS = "《中华人民共和国统计法》第九条"
PARTS: dict[str, Part] = {
    "complete": Part(),
    "no_data": Part(has_data=False),
    "no_component": Part(has_component=False),
    "no_cloud": Part(has_cloud=False),
    "nothing": Part(has_data=False, has_component=False, has_cloud=False),
    "not_collected": Part(collection="未归集"),
    "partly_collected": Part(collection="部分归集"),
    "not_required": Part(collection="无需归集"),
    "not_mounted": Part(is_mounted=False),
    "overdue": Part(age=120),
    "overdue_quarterly": Part(cycle="quarterly", cycle_word="每季度", age=400),
    "irregular": Part(cycle="irregular", cycle_word="不定期", age=900),
    "two_yearly": Part(cycle="two_yearly", cycle_word="每两年", age=300),
    "unlinked": Part(is_linked=False),
    "not_shared": Part(share="不予共享", condition=BASIS),
    "not_shared_without_basis": Part(share="不予共享", condition=""),
    "conditional_without_condition": Part(condition=""),
    "unmapped_cycle": Part(cycle="", cycle_word="按学期"),
    "placeholder_date": Part(issued="1900-01-01"),
    "two_owners": Part(has_second_owner=True),
}
PLANTED = tuple(name for name in PARTS if name != "complete")
NOT_OWING = ("在建", "停用")
"""Systems of these states owe no entries, and have none."""


def part_name(system: System) -> str:
    """Return the part of a system: two of three have a planted one, in turn."""
    number = system.number
    return "complete" if number % 3 == 0 else PLANTED[(number - number // 3 - 1) % len(PLANTED)]


def part_of(system: System) -> Part:
    """Return what the catalogues hold of a system."""
    return PARTS[part_name(system)]


def owes(system: System) -> bool:
    """Return whether the catalogues should hold anything of a system."""
    return system.profile.status not in NOT_OWING
