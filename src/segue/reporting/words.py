"""Numbers and names as a sentence has them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

NARROW = "\N{NO-BREAK SPACE}"
"""Between a number and its sign, so that no line ends there."""

MINUS = "\N{MINUS SIGN}"

NAMES = {
    "gru": "GRU",
    "lstm": "LSTM",
    "elman": "Elman network",
    "mingru": "minGRU",
    "rglru": "RG-LRU",
    "conv": "convolution",
    "mix": "mix of network and session neighbours",
    "sknn": "session neighbours",
    "markov": "Markov chain",
    "popularity": "popularity",
    "recent_popularity": "recent popularity",
}
"""What models are called in sentences; others by their own name."""


def name(model: str) -> str:
    """What a model is called in a sentence."""
    return NAMES.get(model, model)


def sentence(text: str) -> str:
    """With a large letter in front.

    >>> sentence("session neighbours"), sentence("minGRU wins")
    ('Session neighbours', 'minGRU wins')
    """
    return text if text[:6] == "minGRU" else text[:1].upper() + text[1:]


def counted(number: int, one: str, many: str | None = None) -> str:
    """So many of something.

    >>> counted(1, "user"), counted(1200, "user"), counted(2, "has", "have")
    ('1 user', '1,200 users', '2 have')
    """
    return f"{number:,} {one if number == 1 else (many or one + 's')}"


def share(part: float, digits: int = 0) -> str:
    """A share as a percentage; small ones keep a digit, and none that is there becomes 0 or 100.

    >>> [share(part).replace(NARROW, " ") for part in (0.256, 0.0042, 0.00001, 0, 0.99999)]
    ['26 %', '0.4 %', 'under 0.1 %', '0 %', 'over 99.9 %']
    """
    value = 100 * part
    if 0 < value < 0.1:
        return f"under 0.1{NARROW}%"
    if 99.9 < value < 100:
        return f"over 99.9{NARROW}%"
    digits = 1 if 0 < value < 1 or 99 < value < 100 else digits
    return f"{value:.{digits}f}{NARROW}%"


def relative(difference: float, half: float | None, base: float, *, sign: bool = True) -> str:
    """A difference as a share of what it is compared with, with half its interval.

    >>> relative(0.006, 0.002, 0.1).replace(NARROW, " "), relative(0.0006, 0.0002, 0.1, sign=False).replace(NARROW, " ")
    ('+6 % ± 2', '0.6 % ± 0.2')
    """
    value, digits = 100 * difference / base, 0
    if abs(value) < 0.95 or (half is not None and 100 * half / base < 0.95):
        digits = 1
    around = "" if half is None else f"{NARROW}±{NARROW}{100 * half / base:,.{digits}f}"
    front = ("+" if value > 0 else MINUS if value < 0 else "") if sign else ""
    return f"{front}{abs(value):,.{digits}f}{NARROW}%{around}"


def listed(parts: Sequence[str]) -> str:
    """With commas and an `and`.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b and c')
    """
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def day(seconds: float) -> str:
    """A day, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def lasting(seconds: float) -> str:
    """A length of time in its natural unit.

    >>> lasting(3), lasting(150), lasting(86400 * 3)
    ('3 s', '2.5 min', '3 days')
    """
    for size, unit in ((2 * 86400.0, "days"), (2 * 3600.0, "hours"), (120.0, "min")):
        if seconds >= size:
            per = {"days": 86400.0, "hours": 3600.0, "min": 60.0}[unit]
            return f"{seconds / per:.3g} {unit}"
    return f"{seconds:.3g} s"
