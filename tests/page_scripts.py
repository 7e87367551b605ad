"""Scripts of the page that know of no page, run by node; the tests of what they compute share it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from segue.web.pages import STATIC

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def computed(folder: Path, program: str, given: Any = None) -> Any:
    """What a program gives back, with the page's modules beside it and `given` at hand."""
    if not (folder / "package.json").exists():
        for file in (STATIC / "page").glob("*.js"):
            shutil.copy(file, folder)
        (folder / "package.json").write_text('{"type": "module"}')
    (folder / "given.json").write_text(json.dumps(given))
    begin = 'import { readFileSync } from "node:fs";\nconst given = JSON.parse(readFileSync("given.json", "utf8"));\n'
    (folder / "program.js").write_text(f"{begin}{program}\n")
    ran = subprocess.run(["node", "program.js"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert ran.stderr == "", ran.stderr
    return json.loads(ran.stdout)
