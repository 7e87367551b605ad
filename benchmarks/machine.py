"""What every benchmark prints first: its command, the machine, the seed."""

import os
import platform
import sys
from pathlib import Path

DATA = Path(__file__).parents[1].parent / "shared" / "data"


def introduce(seed: int | None = None) -> None:
    """Print what a figure depends on."""
    load = f"load {os.getloadavg()[0]:.1f} before"
    print(f"command: python {' '.join(sys.argv)}" + ("" if seed is None else f"; seed {seed}"))
    python = f"Python {platform.python_version()}"
    print(f"machine: {processor()} ({platform.machine()}), {os.cpu_count()} cores, {load}; {python}")
    sys.stdout.flush()


def processor() -> str:
    """Its name, and what it has for matrix products."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(lines))}
    wide = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in facts.get("flags", "").split()]
    return f"{facts.get('model name', 'unknown')} with {', '.join(wide) or 'nothing wide'}"
