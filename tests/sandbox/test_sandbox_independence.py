"""The sandbox is a second statement of the vendor's pages: it takes nothing from the first."""

from __future__ import annotations

import ast
from pathlib import Path

import bulkzcrm.sandbox

_FOLDER = Path(bulkzcrm.sandbox.__file__).parent


def test_no_module_of_the_sandbox_imports_another_part_of_the_package() -> None:
    for path in sorted(_FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""] if node.level == 0 else ["relative imports are not the house's way"]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            foreign = [
                name for name in names if name.startswith("bulkzcrm") and not name.startswith("bulkzcrm.sandbox")
            ]
            assert foreign == [], f"{path.name} imports {foreign}"
