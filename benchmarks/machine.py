"""What every benchmark prints first: its command, the machine, the seed."""

import os
import platform
import sys
from pathlib import Path

DATA = Path(__file__).parents[1].parent / "shared" / "data"


def introduce(seed: int | None = None) -> None:
    """Print what a figure depends on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    load = f"load {os.getloadavg()[0]:.1f} before"
    print(f"command: python {' '.join(sys.argv)}" + ("" if seed is None else f"; seed {seed}"))
    print(
        f"machine: {model} ({platform.machine()}), {os.cpu_count()} cores, {load}; Python {platform.python_version()}"
    )
    sys.stdout.flush()
