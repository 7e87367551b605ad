"""The last events of each user that are to be predicted, found block by block."""

from __future__ import annotations

import numpy as np

from segue.data import spill
from segue.data.events import EventLog
from segue.shapes import Array, Floats, Longs


def last_two(log: EventLog, worth: Floats | None = None) -> tuple[Longs, Longs]:
    """(U,) the place of each user's last event, and of the one before it; the number of events, E, where there is none.

    A user's first event, from which nothing is foretold, is neither.

    Args:
        log: E events.
        worth: (E,) of each event: where it is 0 the event is passed over; None: all count.
    """
    none = len(log)
    first, last, second = (np.full(len(log.users), none, np.int64) for _ in range(3))
    for block in reversed(list(spill.blocks(none))):
        # of equal users the one that is written last stays
        first[log.user[block][::-1]] = np.arange(block.stop - 1, block.start - 1, -1)

    def held_out(block: slice, *, but: Longs) -> tuple[Array, Longs]:
        user, place = log.user[block], np.arange(block.start, block.stop)
        may = (place != first[user]) & (place != but[user])
        may &= True if worth is None else worth[block] > 0
        return user[may], place[may]

    for found, but in ((last, first), (second, last)):
        for block in spill.blocks(none):
            user, place = held_out(block, but=but)
            found[user] = place
            spill.release(log.user)
    return last, second
