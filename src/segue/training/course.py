"""How a network that has learned already goes on: which of its parts move when, and what holds them back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from segue.models.network import Network

OF_ITEMS = ("table", "bias")
"""The parameters that have a row for each item; the others are the core."""

OF_CONTENT = ("content.projection", "content.bias")
"""What makes vectors of items' content: of all items at once."""

CORE = "stack."
"""What the names of the layers' parameters begin with."""

Moves = Callable[[str, int], bool]
"""Whether a parameter, by its name in the network, moves in an epoch, counted from 0."""


def everything(name: str, epoch: int) -> bool:
    """All moves, from the first epoch on."""
    return True


def items_alone(name: str, epoch: int) -> bool:
    """The core stays as it is."""
    return name in (*OF_ITEMS, *OF_CONTENT)


class Course(NamedTuple):
    """What moves, and how far from where it was.

    Attributes:
        moves: which parameters learn in which epoch; the others keep every bit.
        known: so many items, the first of the catalog, have learned already; those after them are new.
        hold: the vectors of the known items keep every bit. Their biases learn: a state does not depend on them.
        pull: after each step what moved goes back towards the weights it had in the beginning, by this times the
            learning rate: L2 to a source (Li, Grandvalet and Davoine 2018, L2-SP), apart from the gradient as in AdamW.
            The rows of new items have no source.
        free: parameters that are not pulled: they have no source either.
        core_rate: the core learns at so many times the learning rate.
    """

    moves: Moves = everything
    known: int = 0
    hold: bool = False
    pull: float = 0.0
    free: Collection[str] = ()
    core_rate: float = 1.0

    def rate_of(self, name: str) -> float:
        """What a parameter's learning rate is multiplied with."""
        return self.core_rate if name.startswith(CORE) else 1.0


class Held:
    """A course, and the weights with which it began.

    Args:
        network: with these weights.
    """

    def __init__(self, network: Network, course: Course) -> None:
        self.course = course
        pulled = {name for name, _ in network.named_parameters() if course.pull and name not in course.free}
        needed = [*pulled, *({"table"} - pulled if course.hold else ())]
        self.source = {name: network.get_parameter(name).detach().clone() for name in needed}

    def drop_gradients(self, leaves: Mapping[str, Tensor], epoch: int, rows: Tensor | None) -> None:
        """Before a step, and before gradients are clipped: what stays has none.

        Args:
            leaves: by the name of the parameter, what has its gradient.
            epoch: from 0.
            rows: (R,) the items that the rows of `table` and `bias` among the leaves stand for; None: all N.
        """
        for name, leaf in leaves.items():
            if not self.course.moves(name, epoch) or (self.course.hold and name in OF_CONTENT):
                leaf.grad = None
            elif name == "table" and self.course.hold and leaf.grad is not None:
                leaf.grad[self._known(rows)] = 0

    @torch.no_grad()
    def draw_back(
        self, parameters: Mapping[str, Tensor], epoch: int, rows: Tensor | None, learning_rate: float
    ) -> None:
        """After a step: what moved goes back a little, and what is held all the way, decay and momentum included.

        Args:
            parameters: whole ones by name.
            epoch: from 0.
            rows: (R,) the items whose rows were moved; None: those of all.
            learning_rate: of the step.
        """
        for name, source in self.source.items():
            parameter = parameters[name]
            by = min(1.0, self.course.pull * learning_rate * self.course.rate_of(name))
            if name == "table" and self.course.hold:
                places = self._places(rows)
                parameter[places] = source[places]
            elif by and self.course.moves(name, epoch):
                if name in OF_ITEMS:
                    places = self._places(rows)
                    parameter[places] = parameter[places].lerp(source[places], by)
                else:
                    parameter.lerp_(source, by)

    def _known(self, rows: Tensor | None) -> slice | Tensor:
        """Of the rows in play those of known items."""
        return slice(self.course.known) if rows is None else rows < self.course.known

    def _places(self, rows: Tensor | None) -> slice | Tensor:
        """The known items that were moved."""
        return slice(self.course.known) if rows is None else rows[rows < self.course.known]
