"""What a request for a list may say to the model that serves."""

from __future__ import annotations

from typing import NamedTuple

from segue.errors import ConfigError
from segue.models.known_items import SIMILARITIES, Similarity
from segue.ranking.diversity import STRATEGIES, parse
from segue.serving.browse.items import LONGEST_TEXT
from segue.serving.bundle import EXCLUDES, Bundle, Exclude
from segue.serving.engine import Engine
from segue.serving.lists.asks import USUAL_K
from segue.serving.lists.diverse import DEFAULT, Wish

MOST = 100
"""So many categories are named, the largest."""


class Defaults(NamedTuple):
    """What holds where a request does not say. `strategy` and `similarity` are those of a `diversity` above 0."""

    k: int
    diversity: float
    strategy: str
    similarity: Similarity
    exclude: Exclude


class Choices(NamedTuple):
    """What a request may say.

    Attributes:
        strategies, similarities: of diversity, those that can be had of these items.
        excludes: what may be left out.
        scenarios: names of sets of rules.
        categories: the largest, and how many items each has. A name that is longer than is shown is left out.
        defaults: what holds where a request does not say.
        gap: seconds above which a pause ends a session; None: none does.
        time_aware: whether the model reads how long a pause was.
    """

    strategies: list[str]
    similarities: list[Similarity]
    excludes: list[Exclude]
    scenarios: list[str]
    categories: list[tuple[str, int]]
    defaults: Defaults
    gap: float | None
    time_aware: bool


def choices_of(engine: Engine) -> Choices:
    """What a request may say at the moment. Of a large catalog the first one to ask waits a second or more."""
    bundle = engine.bundle
    return Choices(
        strategies=[name for name in sorted(STRATEGIES) if any(can(bundle, name, one) for one in SIMILARITIES)],
        similarities=[one for one in SIMILARITIES if can(bundle, None, one)],
        excludes=list(EXCLUDES),
        scenarios=sorted(engine.scenarios.sets),
        categories=largest(bundle),
        defaults=defaults_of(bundle, engine.usual),
        gap=bundle.rule.gap,
        time_aware=bool(bundle.model.settings().get("time_gap")),
    )


def defaults_of(bundle: Bundle, usual: Wish) -> Defaults:
    """What holds where a request does not say. `usual`: of this server."""
    return Defaults(
        USUAL_K, usual.diversity or 0.0, usual.strategy or DEFAULT, usual.similarity or "auto", bundle.exclude
    )


def can(bundle: Bundle, strategy: str | None, similarity: Similarity) -> bool:
    """Whether the items can be told by a similarity, and a strategy be had of that."""
    try:
        fields = bundle.known_items.fields(similarity)
        if strategy is not None:
            parse(strategy).check(fields)
    except ConfigError:
        return False
    return True


def largest(bundle: Bundle) -> list[tuple[str, int]]:
    """The categories with the most items, the largest first; of equals in order of their names."""
    sizes = [(str(name), size) for name, size in bundle.facts.members("categories").sizes().items()]
    return sorted((one for one in sizes if len(one[0]) <= LONGEST_TEXT), key=lambda one: (-one[1], one[0]))[:MOST]
