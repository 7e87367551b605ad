"""The event loop of a client."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from segue.errors import ConfigError
from segue.traffic.plan import Plan, check_plan
from segue.traffic.report import StressReport, report_of
from segue.traffic.stress import Bounds, stress
from segue.traffic.target import Target

Result = TypeVar("Result")


def run_stress(target: Target, plan: Plan, bounds: Bounds | None = None) -> StressReport:
    """Put a load on a server, and say how it answered.

    Raises:
        ConfigError: the load cannot be meant.
        SegueError: the server takes no connection at the start.
    """
    check_plan(plan)
    limits = bounds or Bounds()
    for name, value in limits._asdict().items():
        if not value >= 1 and name != "timeout":
            raise ConfigError(f"--{name.replace('_', '-')} is {value}; expected at least 1")
    return report_of(target.url, plan, run_loop(stress(target, plan, limits)))


def run_loop(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end, by uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.run(work)
    return uvloop.run(work)
