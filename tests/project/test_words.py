"""One word, one thing, one place."""

import ast
from collections import defaultdict
from pathlib import Path

import ippbx_billing

PACKAGE = Path(ippbx_billing.__file__).parent


def test_no_two_public_classes_share_a_name() -> None:
    """Whoever reads a class's name knows which one is meant; classes with an underscore are their file's own."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert places
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
