"""Events as they arrive, and what is refused at the door."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from segue.data.encoding.values import Value
from segue.errors import RequestError
from segue.moments import LATEST
from segue.serving.features import check_features

LateEvents = Literal["append", "reject", "refold"]
"""An event older than the user's last one: counts as simultaneous with that; is refused; or takes its place in time."""


class LiveEvent(NamedTuple):
    """One event as it arrives.

    Attributes:
        timestamp: Unix seconds; None: the moment it arrived.
        session_id: the session it belongs to, if the caller knows; else the pause decides.
        event_id: makes a repetition harmless: the same id with the same body is stored once a user.
        event_type: kept with the event; a model may have learned to read it.
        features: further values by name, kept with the event; a model reads those that it learned of.
    """

    user_id: str
    item_id: str
    timestamp: float | None = None
    session_id: str | None = None
    event_id: str | None = None
    event_type: str | None = None
    features: Mapping[str, Value] | None = None


class Observed(NamedTuple):
    """What became of an event.

    Attributes:
        seq: its place among the user's events, from 1; 0 where it was refused.
        duplicate: True if it was there already, and nothing was changed.
        known_item: False if the item is outside the catalog; the event is kept all the same.
        refused: why it was not stored: `conflict` (its event id is another event's), `late`, `future`, or `features`
            (one has another kind of value than the model learned of); else None.
        message: the same for people; or what it says of features that are not read.
        unread_features: names that the model does not read; they are kept all the same.
    """

    seq: int
    duplicate: bool
    known_item: bool
    refused: str | None = None
    message: str | None = None
    unread_features: Sequence[str] = ()


def check_event(event: LiveEvent, where: str) -> None:
    """Raise RequestError for ids that cannot be kept and times that cannot be meant."""
    check_id(event.user_id, f"{where}.user_id")
    check_id(event.item_id, f"{where}.item_id")
    for name in ("session_id", "event_id", "event_type"):
        if getattr(event, name) is not None:
            check_id(getattr(event, name), f"{where}.{name}")
    check_time(event.timestamp, f"{where}.timestamp")
    if event.features is not None:
        check_features(event.features, f"{where}.features")


def check_id(string: str, where: str) -> None:
    """Raise RequestError for an id that no store keeps faithfully."""
    if not isinstance(string, str):
        raise RequestError(f"`{where}` is {string!r} ({type(string).__name__}); expected text, such as {str(string)!r}")
    if not string:
        raise RequestError(f"`{where}` is empty; expected an id of at least one character")
    if "\0" in string or not is_text(string):
        raise RequestError(f"`{where}` is {string[:80]!a}; expected text that is valid UTF-8 without NUL characters")


def is_text(string: str) -> bool:
    """Whether it can be written as UTF-8: lone surrogates cannot."""
    if string.isascii():
        return True
    try:
        string.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_time(timestamp: float | None, where: str) -> None:
    """Raise RequestError for a time before 1970 or after 2200."""
    if timestamp is None or (math.isfinite(timestamp) and 0 <= timestamp < LATEST):
        return
    hint = "; it looks like milliseconds: divide it by 1000" if timestamp >= LATEST else ""
    raise RequestError(
        f"`{where}` is {timestamp!r}; expected Unix seconds from 0 up to the year 2200 ({LATEST:.0f}){hint}"
    )
