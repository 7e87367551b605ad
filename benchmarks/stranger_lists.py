"""Counts of a log that nobody wrote, for lists of someone of whom nothing is known; `rules.py` measures them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from segue.models.counts import Lists
from segue.models.log_counts import LogCounts
from segue.ranking.rules import bind
from segue.serving.bundle import Bundle
from segue.serving.fold import blank
from segue.serving.lists.applied import rules_of
from segue.serving.lists.asks import Question
from segue.serving.lists.diverse import Diverse

ASKED = 100
EVENTS_AN_ITEM, SPAN = 5, 86_400.0


def counts_of(n_items: int, rng: np.random.Generator) -> LogCounts:
    """Of events whose items come with chances of 1 / rank; what came right after what is not counted."""
    chance = 1 / rng.permutation(np.arange(1, n_items + 1))
    events = rng.multinomial(EVENTS_AN_ITEM * n_items, chance / chance.sum()).astype(np.int32)
    with np.errstate(divide="ignore"):
        recent = np.log2(events * rng.random(n_items)).astype(np.float32)
    first = np.where(events > 0, rng.random(n_items) * SPAN, np.inf)
    none = np.zeros(n_items, np.int32)
    return LogCounts(Lists.empty(n_items), none[:0], none, events, events, recent, first, np.array([SPAN]))


def strangers_of(
    bundle: Bundle, sets: Mapping[str, Mapping[str, Any]], now: float, k: int, rng: np.random.Generator
) -> dict[str, tuple[Bundle, list[Question]]]:
    """What strangers ask: plain lists, with an item denied, by categories, less of the same, and with `sets`."""
    known = replace(bundle, counts=counts_of(len(bundle.item_ids), rng))
    assert known.chain is not None
    _ = known.chain.by_item, known.known_items.known()
    plain = Question(blank(known), now, k, [])
    one = rules_of({"deny": {"items": ["item 5"]}})
    asked = {
        "stranger": plain,
        "stranger, 1 denied": plain._replace(rules=bind(one, known.facts)),
        "stranger, 30 % by categories": plain._replace(allowed=known.items_in([f"department {n}" for n in (1, 2, 3)])),
        "stranger, diversity 0.3": plain._replace(diverse=Diverse(0.3)),
    }
    for name, written in sets.items():
        asked[f"stranger, {name}"] = plain._replace(rules=bind(rules_of(written), known.facts))
    return {name: (known, [question] * ASKED) for name, question in asked.items()}
