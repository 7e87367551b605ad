"""Shapes of a network that were considered for a limit of time, and what was found of them."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from segue.config import Settings


class Shape(Struct, frozen=True, kw_only=True):
    """A shape of the network, and what was found of it.

    Attributes:
        p90_ms: an event absorbed and its list take no longer nine times of ten: own time of one thread.
        clock_ms: the same by the clock, what other processes took included.
        fits: within the limit.
        value: the validation metric after `epochs` of training; null where it was not trained.
        note: why it was not trained, if it was not.
    """

    cell: str
    width: int
    layers: int
    p90_ms: float
    clock_ms: float
    fits: bool
    value: float | None = None
    epochs: float = 0
    note: str = ""
    chosen: bool = False

    @property
    def name(self) -> str:
        """In a word or two."""
        return f"{self.cell}, width {self.width}, {self.layers} layer{'s' if self.layers > 1 else ''}"


class LatencyChoice(Struct, frozen=True, kw_only=True):
    """The shapes that were considered for a limit.

    Attributes:
        limit_ms: of the 90th percentile.
        items, k: of the catalog that was scored and of the list.
        metric: that the values are of.
        shapes: in the order they were measured.
    """

    limit_ms: float
    items: int
    k: int
    metric: str
    shapes: list[Shape]

    @property
    def chosen(self) -> Shape:
        """The shape that was chosen."""
        return next(shape for shape in self.shapes if shape.chosen)

    def rows(self) -> list[list[str]]:
        """The shapes as a table shows them: name, milliseconds, fits, validation metric, remark."""
        return [
            [
                shape.name,
                f"{shape.p90_ms:.2f}",
                "yes" if shape.fits else "no",
                "-" if shape.value is None else f"{shape.value:.4f} ({shape.epochs:g} epochs)",
                ", ".join(word for word in ("chosen" if shape.chosen else "", shape.note) if word),
            ]
            for shape in self.shapes
        ]


def with_shape(settings: Settings, shape: Shape) -> Settings:
    """Settings of a network of that shape."""
    return replace(settings, model=replace(settings.model, cell=shape.cell, width=shape.width, layers=shape.layers))
