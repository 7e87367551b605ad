"""RecBole's own virtual environment, benchmarks/.recbole: made on first use, kept until its pins change.

    .venv/bin/python benchmarks/rivals/environment.py

Takes about two minutes and 2 GB. RecBole needs libraries older than ours, so it cannot live in .venv.
"""

import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / ".recbole"
PINS = Path(__file__).with_name("recbole.txt")


def recbole_python() -> Path:
    """The Python that imports RecBole.

    Raises:
        RuntimeError: There is no Python 3.11, the newest that RecBole's requirements know.
        subprocess.CalledProcessError: An install failed; pip said why on stderr.
    """
    python, ready = FOLDER / "bin" / "python", FOLDER / ".ready"
    pins = PINS.read_text()
    if ready.exists() and ready.read_text() == pins:
        return python
    print(f"installing RecBole into {FOLDER}", file=sys.stderr)
    shutil.rmtree(FOLDER, ignore_errors=True)
    subprocess.run([python_311(), "-m", "venv", FOLDER], check=True, stdout=sys.stderr)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", PINS], check=True, stdout=sys.stderr)
    ready.write_text(pins)
    return python


def python_311() -> str:
    found = sys.executable if sys.version_info[:2] == (3, 11) else shutil.which("python3.11")
    if found is None:
        version = ".".join(map(str, sys.version_info[:2]))
        raise RuntimeError(f"RecBole needs Python 3.11: found Python {version}, and no python3.11 on PATH")
    return found


if __name__ == "__main__":
    print(recbole_python())
