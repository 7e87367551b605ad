"""Scripts of the page that know of no page, run by node; the tests of what they compute share it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import playwright

from segue.web.pages import STATIC

NODE = os.environ.get("PLAYWRIGHT_NODEJS_PATH") or str(Path(playwright.__file__).parent / "driver" / "node")
"""The one that drives the browser: wherever the tests run, it is there."""


def computed(folder: Path, program: str, given: Any = None) -> Any:
    """What a program gives back, with the page's modules beside it and `given` at hand."""
    if not (folder / "package.json").exists():
        for file in (STATIC / "page").glob("*.js"):
            shutil.copy(file, folder)
        (folder / "package.json").write_text('{"type": "module"}')
    (folder / "given.json").write_text(json.dumps(given))
    begin = 'import { readFileSync } from "node:fs";\nconst given = JSON.parse(readFileSync("given.json", "utf8"));\n'
    (folder / "program.js").write_text(f"{begin}{program}\n")
    ran = subprocess.run([NODE, "program.js"], cwd=folder, capture_output=True, text=True, timeout=60)
    assert ran.stderr == "", ran.stderr
    return json.loads(ran.stdout)
