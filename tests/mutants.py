"""Changes a file's comparisons, numbers and branches one at a time and prints the changes that no test notices.

    pip install --target /tmp/cosmic cosmic-ray==8.7.0
    .venv/bin/python -m tests.mutants include/rules/timeline.py tests/rules/test_timeline.py -m 'not postgres'

For each a fork imports the project anew with the changed text; the file stays as it is. `FILE:name,name` takes those functions.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import resource
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from difflib import unified_diff
from pathlib import Path

import pytest

sys.path.append("/tmp/cosmic")  # behind the project's own packages: the tool brings some of the same
LEFT_OUT = (
    r"core/(ReplaceBinaryOperator_(?!Add_Sub|Sub_Add|Mul_(Add|FloorDiv)|FloorDiv_(Mul|Add)|Div_Mul|Mod_FloorDiv"
    r"|BitOr_BitAnd|BitAnd_BitOr|Pow_Mul)|ReplaceComparisonOperator_(Is_(?!IsNot$)|IsNot_(?!Is$)|(?!Is_|IsNot_)\w+_(Is|IsNot)$))"
)


def _changes(text: str, names: list[str]) -> Iterator[str | None]:
    """Yield the text with each change; None for one that is left out by its kind, or is of an annotation or a decorator."""
    from cosmic_ray import mutating, plugins
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.ast.ast_query import ASTQuery

    nodes = list(ast_nodes(get_ast(text)))
    for kind, make in [(kind, plugins.get_operator(kind)) for kind in plugins.operator_names()]:
        found = [node for node in nodes if not make.arguments() for _ in make().mutation_positions(node)]
        for place, node in enumerate(found):
            if not names or ASTQuery(node).get_definition_name() in names:
                new = "" if re.match(LEFT_OUT, kind) else mutating.mutate_code(text, make(), place)
                yield new if new and _judged(new) != _judged(text) else None


def _judged(text: str) -> str:
    with suppress(SyntaxError):  # that is noticed
        for node in ast.walk(tree := ast.parse(text)):
            for name in {"annotation", "returns", "decorator_list"} & set(node._fields):
                setattr(node, name, [] if name == "decorator_list" else None)
        return ast.dump(tree)
    return text


def _is_noticed(file: Path, text: str, options: list[str]) -> bool:
    if child := os.fork():
        return os.waitpid(child, 0)[1] != 0
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (180, 185))  # what hangs; the time on the clock is others' as well
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        package = importlib.import_module(".".join(file.parent.parts))
        spec = importlib.util.spec_from_file_location(f"{package.__name__}.{file.stem}", file.resolve())
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        exec(compile(text, file, "exec"), module.__dict__)
        setattr(package, file.stem, module)
        os._exit(pytest.main([*options, "-x", "--ff"]))  # what failed lately first
    finally:
        os._exit(1)


def main(target: str, *tests: str) -> None:
    path, _, names = target.partition(":")
    file, text, survived = Path(path), Path(path).read_text("utf-8"), 0
    options = [*tests, "-qq", "-n0", "--timeout=0", "-o", f"cache_dir={tempfile.mkdtemp()}"]
    pytest.main([*options, "--collect-only"])  # imports what others wrote, once for all
    for name in [name for name in sys.modules if re.match(r"(include|tests|plugins|conftest)\b", name)]:
        del sys.modules[name]
    assert not _is_noticed(file, text, options), "the tests fail without a change"
    changes = list(_changes(text, names.split(",") if names else []))
    for changed in filter(None, changes):
        if not _is_noticed(file, changed, options):
            survived += 1
            print(*unified_diff(text.split("\n"), changed.split("\n"), lineterm="", n=1), sep="\n", flush=True)
    run = len(changes) - changes.count(None)
    print(f"{path} made {len(changes)} left out {len(changes) - run} noticed {run - survived} survived {survived}")


if __name__ == "__main__":
    if len(sys.argv) < 3 or not Path(sys.argv[1].partition(":")[0]).is_file():
        sys.exit(__doc__)  # --help is no file either
    main(*sys.argv[1:])
