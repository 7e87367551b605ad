"""What a figure was made with: processor, cores, memory, versions."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "torch", "polars", "onnxruntime")


def machine_of() -> dict[str, str]:
    """Facts by name, as far as the system tells."""
    found = {"processor": f"{processor()} ({platform.machine()})", "cores": str(os.cpu_count() or "unknown")}
    if memory := megabytes():
        found["memory"] = f"{memory / 1000:,.1f} GB"
    found["system"] = f"{platform.system()} {platform.release()}"
    found["Python"] = platform.python_version()
    for package in PACKAGES:
        if number := installed(package):
            found[package] = number
    return found


def installed(package: str) -> str | None:
    """The version of a package, if it is there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def processor() -> str:
    """Its name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


def megabytes() -> float | None:
    """The memory of this machine."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (AttributeError, ValueError, OSError):
        return None
