"""Small logs that the tests of the baselines share."""

from typing import Any

import numpy as np

from segue.data.events import log_of
from segue.data.sessions import Sequences, lay_out
from segue.models.base import Event, SessionRule

RESET = SessionRule(gap=100.0, at_session_start="reset")
MARK = SessionRule(gap=100.0, at_session_start="mark")


def laid(sessions: list[str], *, item: Any = None) -> Sequences:
    """Sessions as words, a letter an item (a is 0); one user each, the first session first."""
    users = [f"u{s}" for s, word in enumerate(sessions) for _ in word]
    letters = [letter for word in sessions for letter in word]
    log = log_of(users, letters, [float(t) for t in range(len(letters))])
    index = np.array([ord(x) - ord("a") for x in letters], np.int32)
    return lay_out(log, gap=100.0, at_session_start="reset", item=index if item is None else item)


def event(*items: int, time: float = 0.0, opens: bool = False) -> Event:
    n = len(items)
    return Event(np.array(items, np.int32), np.full(n, time), np.full(n, opens))


def after(model: Any, clicks: str, candidates: Any = None) -> list[float]:
    """The scores after the clicks of one session."""
    state = model.initial_state(1)
    for place, letter in enumerate(clicks):
        item = -1 if letter == "?" else ord(letter) - ord("a")
        state = model.step(event(item, time=float(place), opens=place == 0), state)
    return [float(x) for x in model.score(model.query(state), candidates)[0]]


def random_sessions(seed: int = 3, n: int = 60) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("abcdefgh"), rng.integers(2, 8))) for _ in range(n)]
