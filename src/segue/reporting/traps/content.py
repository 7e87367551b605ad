"""Who and what the log is made of."""

from __future__ import annotations

from collections.abc import Iterator

from segue.reporting.data import Data
from segue.reporting.traps.base import Trap, level
from segue.reporting.words import counted, share


def of_people(data: Data) -> Iterator[Trap]:
    """Users who are no persons, or who count for many."""
    known, census = data.statistics, data.census
    part, hundredth = census.heaviest / known.events, census.heaviest_hundredth / known.events
    machine, much = census.busiest_user_day > 1000, census.busiest_user_day > 300
    busiest = f", {census.busiest_user_day:,} on one day" if data.timed else ""
    yield Trap(
        "Bots and heavy users",
        "matters" if part > 0.05 or machine else "note" if much else level(hundredth, 0.1, 0.5),
        f"the heaviest user has {counted(census.heaviest, 'event')} ({share(part)}){busiest}; "
        f"the heaviest 1 % have {share(hundredth)}",
        "More than a person does in a day: look whether it is a bot, and leave it out."
        if machine
        else "Much for one person in one day: entered at one go, or by a program."
        if much
        else "Few users make much of the log, and weigh so in every figure."
        if part > 0.05 or hundredth > 0.1
        else "No user weighs much.",
    )


def of_items(data: Data) -> Iterator[Trap]:
    """What is popular, what comes again, what changes."""
    known = data.statistics
    yield Trap(
        "Concentration",
        level(known.top_share, 0.2, 0.5),
        f"the most popular 1 % of items have {share(known.top_share)} of the events",
        "A list of bestsellers already looks good: compare with popularity, and look at less popular targets."
        if known.top_share > 0.2
        else "Bestsellers alone do not make a good figure.",
    )
    yield Trap(
        "Repeats",
        level(known.repeated, 0.2, 0.6),
        f"{share(known.repeated)} of events are of an item that the "
        f"user had before, {share(known.repeated_at_once)} of the very item before",
        "Coming back is easily foreseen: look at new targets apart."
        if known.repeated > 0.2
        else "Nearly all that comes is new to the user.",
    )
    yield Trap(
        "Drift",
        level(known.drift, 0.3, 0.6),
        f"{share(known.drift)} of popularity moved from the first tenth of the log to the last",
        "What was popular no longer is: figures age quickly, so update often."
        if known.drift > 0.3
        else "What is popular stays so.",
    )
