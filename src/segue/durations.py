"""Lengths of time as people write them: `2ms`, `90s`, `10m`, `1h30m`."""

from __future__ import annotations

import re
import time

from segue.errors import ConfigError

UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
LONGEST = 3650 * UNITS["d"]
"""Ten years: what is longer was not meant."""

EXPECTED = "a length of time such as 2ms, 90s, 10m or 1h30m; the units are ms, s, m (minutes), h, d and w"
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([^\W\d_]*)")


def seconds_of(text: str, *, of: str) -> float:
    """The seconds of a text such as `10m`; `of` names what it is for, in messages.

    Raises:
        ConfigError: it is no length of time above zero and of ten years at most.

    >>> seconds_of("1h30m", of="--budget"), seconds_of("2ms", of="--latency")
    (5400.0, 0.002)
    """
    cleaned = text.strip().lower()
    parts = _PART.findall(cleaned)
    if not parts or _PART.sub("", cleaned).strip():
        raise ConfigError(f"{of} is `{text}`; expected {EXPECTED}")
    for number, unit in parts:
        if unit not in UNITS:
            found = f"`{unit}` is no unit of time" if unit else f"{number} has no unit"
            raise ConfigError(f"{of} is `{text}`: {found}; expected {EXPECTED}")
    seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    if not seconds > 0:
        raise ConfigError(f"{of} is `{text}`, which is no time at all; expected {EXPECTED}")
    if seconds > LONGEST:
        raise ConfigError(f"{of} is `{text}`, which is longer than 10 years; expected {EXPECTED}")
    return seconds


def spoken(seconds: float) -> str:
    """A length of time in the unit that suits it.

    >>> spoken(0.0021), spoken(45), spoken(600), spoken(5400)
    ('2.1 ms', '45 s', '10 min', '1 h 30 min')
    """
    if seconds < 1:
        return f"{seconds * 1e3:.2g} ms"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def seconds_since(start: float) -> float:
    """Seconds by the monotonic clock, to a hundredth."""
    return round(time.monotonic() - start, 2)
