"""What a live event brings with it: what may be kept, how it is kept, and what a model reads of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from segue.data.encoding.values import Value, shown
from segue.errors import RequestError, did_you_mean
from segue.shapes import Floats

if TYPE_CHECKING:
    from segue.serving.bundle import Bundle
    from segue.serving.store.base import StoredEvent

MOST_FEATURES, LONGEST_NAME, LONGEST_TEXT, MOST_LABELS = 100, 256, 1024, 100

OWN = ("user_id", "item_id", "timestamp", "session_id", "event_id", "event_type", "type")
"""What an event has a place for beside its features: an exported log has one column of a name."""

TAKEN = ("user", "item", "time", "session", "split")
"""What columns of other things are called: an exported log is to be read as it was meant."""

WHOLE = 2**53
"""Below it a float of a whole number is that number."""


def check_features(features: Mapping[str, Value], where: str) -> None:
    """Raise RequestError for features that no store keeps faithfully."""
    if not isinstance(features, Mapping):
        raise RequestError(f"`{where}` is {shown(features)}; expected names and values, such as {{'price': 9.5}}")
    if len(features) > MOST_FEATURES:
        raise RequestError(f"`{where}` has {len(features)} features; expected {MOST_FEATURES} at most")
    for name, value in features.items():
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or not is_kept(name):
            raise RequestError(f"`{where}` has a feature {shown(name)}; expected a name of 1 to {LONGEST_NAME} letters")
        if name in TAKEN:
            raise RequestError(
                f"`{where}.{name}` is no feature: in an exported log a column of that name would be read as something "
                "else; choose another name"
            )
        if name in OWN:
            own = "event_type" if name == "type" else name
            raise RequestError(f"`{where}.{name}` is no feature: say it as `{own}` of the event itself")
        if isinstance(value, list | tuple):
            if len(value) > MOST_LABELS:
                raise RequestError(f"`{where}.{name}` has {len(value)} labels; expected {MOST_LABELS} at most")
            texts: Sequence[Any] = value
        elif value is None or isinstance(value, bool | int):
            continue
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise RequestError(f"`{where}.{name}` is {value!r}; expected a finite number, or nothing")
            continue
        else:
            texts = [value]
        for text in texts:
            if not isinstance(text, str) or len(text) > LONGEST_TEXT or not is_kept(text):
                raise RequestError(
                    f"`{where}.{name}` is {shown(text)}; expected a number, a text of at most {LONGEST_TEXT} letters "
                    "without NUL, or a list of such texts"
                )


def is_kept(text: str) -> bool:
    """Whether a text has no NUL, and can be written as UTF-8."""
    try:
        return "\0" not in text and bool(text.encode() or True)
    except UnicodeEncodeError:
        return False


def packed(features: Mapping[str, Value] | None) -> str | None:
    """Features as a store keeps them: JSON, the same for the same features; None where nothing is known.

    >>> packed({"price": 9.0, "channel": None, "a": ["x"]}), packed({"price": None})
    ('{"a":["x"],"price":9}', None)
    """
    if not features:
        return None
    known = {name: plain(value) for name, value in features.items() if value is not None}
    return msgspec.json.encode(known, order="sorted").decode() if known else None


def plain(value: Value) -> Value:
    """A value that is written in one way."""
    if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE:
        return int(value)
    return value


def unpacked(features: str | None) -> dict[str, Value] | None:
    """What `packed` was given; None also where that cannot be read."""
    if features is None:
        return None
    try:
        return msgspec.json.decode(features, type=dict[str, Any])
    except msgspec.MsgspecError:
        return None


def features_of(bundle: Bundle, events: Sequence[StoredEvent]) -> Floats | None:
    """(B, F) what a model reads of events besides item and time; None where it reads nothing."""
    if bundle.events is None:
        return None
    return bundle.events.encode([(unpacked(event.features), event.event_type) for event in events])


def unread(bundle: Bundle, features: Mapping[str, Value]) -> tuple[tuple[str, ...], str]:
    """The features that a model does not read, and a sentence about them."""
    names = tuple(features if bundle.events is None else bundle.events.unread(features))
    known = [] if bundle.events is None else bundle.events.names
    told = [f"`{name}`{did_you_mean(name, known) if known else ''}" for name in names]
    return names, f"the model does not read {', '.join(told)}: it is kept with the event" if names else ""


def check_read(bundle: Bundle, features: str | None, where: str) -> None:
    """Raise RequestError for features that a model does not read, or that are of another kind than it learned of."""
    given = unpacked(features)
    if given is None:
        return
    wrong = None if bundle.events is None else bundle.events.check(given)
    if wrong is not None:
        raise RequestError(f"`{where}`: {wrong}")
    names, _ = unread(bundle, given)
    if names:
        known = [] if bundle.events is None else bundle.events.names
        raise RequestError(
            f"`{where}.features` names `{names[0]}`, which the model does not read"
            + (did_you_mean(names[0], known) if known else ": it reads no features of events")
        )
