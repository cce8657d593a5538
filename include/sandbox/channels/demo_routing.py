"""The routing of the demo: every channel switched on, so that each has something to show; lies over the shipped routing.yaml."""

from __future__ import annotations

from typing import Any

import yaml

from include.sandbox import words

SENDER, OFFICE = "shuheng@bureau.invalid", "office@bureau.invalid"
BUREAU = ("bureau_cloud", "bureau_data", "bureau_exchange", "bureau_office", "bureau_projects")
CHANNELS = ("dingtalk", "wecom", "feishu", "mail", "webhook")


def demo_routing() -> str:
    """Return the YAML: robots for the bureau, its heads and the engineer, mail for the others, with an address for each unit."""
    over = {
        **dict.fromkeys(BUREAU, ["dingtalk"]),
        **dict.fromkeys(("bureau_security", "section_head", "bureau_leader"), ["wecom"]),
        **dict.fromkeys(("drc", "finance"), ["mail"]),
        "operator": ["feishu", "webhook"],
        "unit": ["mail", "spool"],
    }
    routing: dict[str, Any] = {
        # Whoever tries it out wants to see something, at whatever hour.
        "office_hours": {"from": "00:00", "to": "23:59", "every_day": True},
        "channels": {name: {"enabled": True} for name in CHANNELS},
        "receivers": {name: {"channels": [*channels]} for name, channels in over.items()},
        "departments": {unit: {"mail": [address]} for unit, address in addresses().items()},
    }
    return (
        "# Written by the demo; lies over include/alerts/routing.yaml. What is changed here stays.\n"
        + yaml.safe_dump(routing, allow_unicode=True, sort_keys=False)
    )


def addresses() -> dict[str, str]:
    """Return the mail address of every unit of the city by its name; enterprises have none."""
    return {unit: f"unit-{number:02}@units.invalid" for number, unit in enumerate((*words.UNITS, words.HEALTH), 1)}
