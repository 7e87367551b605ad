"""How far a training is along its schedule: by the passes done or by the clock, whichever is further."""

from __future__ import annotations

import time

from segue.training.standing import Standing


class Pace:
    """The clock of a training.

    Args:
        at: where it stands; the seconds of earlier commands are in it.
        events: E of a pass.
        whole: passes after which the schedule ends.
        last: the share of the schedule to stop at.
        seconds: the allowance, or None.
    """

    def __init__(self, at: Standing, events: int, whole: float, last: float, seconds: float | None) -> None:
        self.at, self.events, self.whole, self.last, self.seconds = at, events, whole, last, seconds
        self.before, self.started, self.begun = at.seconds, time.monotonic(), at.share
        self.learned = 0

    def spent(self) -> float:
        """Seconds, over all resumptions."""
        return self.before + time.monotonic() - self.started

    def passes(self) -> float:
        """How often the log was gone through."""
        return self.at.epoch + self.at.events / self.events

    def advance(self, events: int) -> None:
        """Note a window of so many events."""
        at = self.at
        at.window, at.events, self.learned = at.window + 1, at.events + events, self.learned + events
        self.look()
        at.trained = at.share

    def look(self) -> None:
        """Note the share of the schedule that is behind.

        The clock counts time of learning, and what there is of it: the allowance less what validations took and the
        last one will take, or a tenth of it where they leave less.
        """
        by_passes, by_clock = self.passes() / self.whole, 0.0
        if self.seconds is not None:
            checking = self.at.validating
            room = max(self.seconds - checking - self.at.slowest_validation, 0.1 * self.seconds)
            by_clock = self.last * (self.spent() - checking) / room
        self.at.share, self.at.bent = max(by_passes, by_clock), self.at.bent or by_clock > by_passes

    def validates(self) -> bool:
        """Whether the time left is worth a validation now: always in the end, else not where it costs a third of it.

        A schedule that loses its end to a validation would stop at a high learning rate.
        """
        if self.seconds is None or self.at.share >= self.last:
            return True
        return self.seconds - self.spent() - self.at.slowest_validation > 3 * self.at.slowest_validation

    def validated(self, began: float) -> None:
        """Note that a validation was begun at a time of `time.monotonic` and is over."""
        took = time.monotonic() - began
        self.at.validating += took
        self.at.slowest_validation = max(self.at.slowest_validation, took)

    def planned(self) -> float:
        """The passes that the schedule was made for, as it turned out."""
        at = self.at
        return at.passes / min(1.0, at.trained) if at.bent and at.trained else self.whole

    def rate(self) -> float:
        """Events a second, in this command."""
        return self.learned / max(time.monotonic() - self.started, 1e-9)

    def seconds_left(self) -> float:
        """At the pace so far."""
        done = max(self.at.share - self.begun, 1e-9)
        return max(0.0, (time.monotonic() - self.started) * (self.last - self.at.share) / done)
