"""Write `docs/datasets.md`, what the columns mean, from the schemas: `python -m include.datasets.reference_page`.

A test fails when the page and the schemas are out of step.
"""

from __future__ import annotations

from collections.abc import Iterator

from include.datasets.definitions import DATASETS, Column, Dataset
from include.settings import ROOT

PAGE = ROOT / "docs" / "datasets.md"

HEAD = """# Data sets 数据集

Made from `schemas/datasets/` by `python -m include.datasets.reference_page`; do not edit. Each data set is a view of its name in
the ledger and is published as Parquet and CSV under its version. A version never loses, renames or retypes a column
(`schemas/datasets/released.json` locks it); a nullable column may be added at the end. Rows stand in the order of the key.
Amounts and shares are exact decimals with two digits, moments are in Asia/Shanghai, null is "not known" and never zero.
A finding is a lead (线索) for people to look at, never a decision; `unknown` and `waived` stand beside every rate.
"""


def render() -> str:
    """Return the page."""
    listed = [f"| `{d.id}` | {d.title} | {', '.join(f'`{name}`' for name in d.key)} |" for d in DATASETS.values()]
    parts = [HEAD, "| data set | 名称 | key |", "|---|---|---|", *listed]
    return "\n".join([*parts, *(line for dataset in DATASETS.values() for line in _dataset(dataset))]) + "\n"


def _dataset(dataset: Dataset) -> Iterator[str]:
    yield f"\n## {dataset.title} `{dataset.id}`\n"
    yield f"{dataset.schema['description']}\n"
    yield "| column | 名称 | type | null | meaning |\n|---|---|---|---|---|"
    yield from (_column(column) for column in dataset.columns)


def _column(column: Column) -> str:
    kind = f"{column.type}, {column.unit}" if column.unit else column.type
    meaning = [column.description] if column.description else []
    meaning += ["、".join(f"`{value}` {column.labels[value]}" for value in column.values)] if column.values else []
    return (
        f"| `{column.name}` | {column.title} | {kind} | {'yes' if column.is_nullable else ''} | {' '.join(meaning)} |"
    )


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
