"""What an engine serves: a model, the names of its items, and the rules that travel with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from segue.data.ids import Ids
from segue.models.base import Model, SessionRule

Exclude = Literal["none", "current", "seen"]
"""What may not be answered: nothing, the last item of the current session, or every item the user had."""

EXCLUDES: tuple[Exclude, ...] = ("none", "current", "seen")


@dataclass(frozen=True)
class Bundle:
    """A model ready to serve.

    Attributes:
        model: scores the catalog of N items.
        item_ids: the id of each item.
        version: names these very weights; a state made under another version is folded anew from the events.
        name: what people call it.
        columns: metadata of the items by name (such as `title`), N values each.
        exclude: what is left out of an answer unless a request says otherwise.
    """

    model: Model
    item_ids: Ids
    version: str
    name: str
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    exclude: Exclude = "none"

    @property
    def rule(self) -> SessionRule:
        """When a session is over, as the model learned it."""
        return self.model.rule

    def title_of(self, item_id: str) -> str | None:
        """The title of an item, None if it has none."""
        titles, item = self.columns.get("title"), self.item_ids.place_of(item_id)
        if titles is None or item < 0 or titles[item] is None:
            return None
        return str(titles[item])
