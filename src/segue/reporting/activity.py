"""Users by the events they had before, in as few words as will do."""

from __future__ import annotations

from collections.abc import Sequence

from segue.evaluation.groups import USERS
from segue.reporting.evidence import Difference
from segue.reporting.words import counted, listed

EARLIER = "earlier event"


def users(groups: Sequence[Difference], of: Sequence[Difference], within_session: bool) -> str:
    """Users by their events before, as short as it can be said.

    Groups beside each other are said as one, as far as groups with predictions tell.
    """
    names, order = [one.name for one in groups], [one.name for one in of]
    where = " in their session" if within_session else ""
    if names == order:
        return "users of any activity, each taken by itself"
    runs: list[list[str]] = []
    for place, known in enumerate(order):
        if known not in names:
            continue
        if place and order[place - 1] in names:
            runs[-1].append(known)
        else:
            runs.append([known])
    return f"users with {listed([between(run[0], run[-1], order[0]) for run in runs])}{where}"


def between(first: str, last: str, lowest: str) -> str:
    """Numbers of events, from those of one group to those of another."""
    least, most = USERS[first][0], USERS[last][1]
    if most is None:
        return f"{counted(least, EARLIER)} or more"
    if first == lowest and most > least:
        return f"under {counted(most + 1, EARLIER)}"
    if least == most:
        return counted(least, EARLIER)
    return f"{least} {'or' if most == least + 1 else 'to'} {counted(most, EARLIER)}"
