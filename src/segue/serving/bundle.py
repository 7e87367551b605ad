"""What an engine serves: a model, the names of its items, and the rules that travel with them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Self

from segue.artifact import About, Artifact
from segue.data.encoding.events import EventEncoder
from segue.data.ids import Ids
from segue.models.base import Model, SessionRule
from segue.models.known_items import KnownItems, new_since
from segue.models.log_counts import LogCounts
from segue.ranking.index import Index
from segue.ranking.rules import Bound, Facts, Rules
from segue.ranking.rules.bound import united
from segue.serving.lists.fallback import Chain
from segue.serving.search.titles import Titles
from segue.shapes import Ints

Exclude = Literal["none", "current", "seen"]
"""What may not be answered: nothing, the last item of the current session, or every item the user had."""

EXCLUDES: tuple[Exclude, ...] = ("none", "current", "seen")


BY_TIME = " by time"
"""What the version of a state has after the model's where events count by their times."""


@dataclass(frozen=True)
class Refused:
    """A model that was to serve and does not, and why."""

    version: str
    message: str


@dataclass(frozen=True)
class Bundle:
    """A model ready to serve.

    Attributes:
        model: scores the catalog of N items.
        item_ids: the id of each item.
        version: names these very weights; a state made under others is folded anew from the events.
        name: what people call it.
        columns: metadata of the items by name (such as `title`), N values each.
        exclude: what is left out of an answer unless a request says otherwise.
        index: finds the best of a large catalog; None: a product with all of it does.
        window: a state is folded anew from so many events of a user, unless said otherwise: what training saw at once.
        counts: what the training log says of each item; None: a model that was saved without it.
        seed: of the space in which items are alike, see `known_items`.
        order: in which events count, `arrival` or `time`: a state made under the other one means nothing.
        core_version: the version that states bear, where what they depend on is that version's still; "": its own.
        events: makes numbers of the features of events; None: the model reads none.
        about: what the model says of itself to people; None: nothing.
    """

    model: Model
    item_ids: Ids
    version: str
    name: str
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    exclude: Exclude = "none"
    index: Index | None = None
    window: int = 200
    counts: LogCounts | None = None
    seed: int = 1
    order: str = "arrival"
    core_version: str = ""
    events: EventEncoder | None = None
    about: About | None = None

    @classmethod
    def of(cls, artifact: Artifact) -> Self:
        """What a trained model serves."""
        return cls(
            model=artifact.model,
            item_ids=artifact.catalog.ids,
            version=artifact.version or "unsaved",
            name=artifact.facts.name,
            columns=artifact.catalog.columns,
            exclude=artifact.facts.exclude,  # type: ignore[arg-type]  # one of the three: it was checked as a setting
            index=artifact.index,
            window=artifact.settings.train.window,
            counts=artifact.counts,
            seed=artifact.settings.seed,
            core_version=artifact.facts.core_version,
            events=artifact.events,
            about=About.of(artifact),
        )

    def ordered_by(self, order: str) -> Bundle:
        """The same where events count in this order. What is made of its items is made once for both."""
        if order == self.order:
            return self
        other = replace(self, order=order)
        # where these properties keep what they made
        vars(other).update(chain=self.chain, known_items=self.known_items, facts=self.facts, titles=self.titles)
        return other

    @property
    def memory_version(self) -> str:
        """What a state must bear to mean anything: the weights it depends on, and in which order events counted."""
        version = self.core_version or self.version
        return version if self.order == "arrival" else version + BY_TIME

    @property
    def rule(self) -> SessionRule:
        """When a session is over, as the model learned it."""
        return self.model.rule

    def items_in(self, categories: Iterable[str]) -> Ints:
        """The items of any of these categories, ascending."""
        found = [self.by_category[name] for name in dict.fromkeys(categories) if name in self.by_category]
        return united(found)

    @cached_property
    def chain(self) -> Chain | None:
        """What fills a list that the model leaves short; None where nothing is known of the training log."""
        return None if self.counts is None else Chain(self.counts)

    @property
    def greets(self) -> bool:
        """Whether someone of whom nothing is known gets what the chain says, as a network's initial state knows less.

        A model that says nothing of it (`knows_strangers`) answers itself, as popularity does.
        """
        return self.chain is not None and not getattr(self.model, "knows_strangers", True)

    @property
    def by_category(self) -> Mapping[Hashable, Ints]:
        """The items of each category."""
        return self.facts.members("categories")

    @cached_property
    def known_items(self) -> KnownItems:
        """What strategies of diversity are told of the items: the same as `segue frontier` takes for model and log."""
        counts, new = self.counts, None
        if counts is not None and counts.timed:
            new = new_since(counts.first_seen, float(counts.until[0]))
        events = None if counts is None else counts.events
        return KnownItems(self.columns, self.model, seed=self.seed, counts=events, new=new)

    @cached_property
    def facts(self) -> Facts:
        """What rules are told of the items."""
        return Facts(self.item_ids, self.columns)

    @cached_property
    def titles(self) -> Titles:
        """The items by the words of their titles, the most frequent first."""
        return Titles(self.item_ids, self.columns.get("title"), None if self.counts is None else self.counts.events)

    @cached_property
    def scenarios(self) -> dict[str, tuple[Rules, Bound]]:
        """Named rules in terms of these items, as they come to be asked for: kept here, they go with the bundle."""
        return {}

    def title_of(self, item_id: str) -> str | None:
        """The title of an item, None if it has none."""
        titles, item = self.columns.get("title"), self.item_ids.place_of(item_id)
        if titles is None or item < 0 or titles[item] is None:
            return None
        return str(titles[item])
