"""What the items of a catalog are, in numbers, for a network that reads them."""

from __future__ import annotations

from functools import partial

from segue.config import Settings
from segue.data.catalog import Catalog
from segue.data.encoding import Content, TableEncoder
from segue.ranking.rules.facts import FROM, UNTIL
from segue.training.axes import axes_of


def encoder_of(catalog: Catalog, settings: Settings) -> TableEncoder | None:
    """What `content.columns` asks for, learned from the items of a catalog; None where nothing is to be had.

    Raises:
        ConfigError: no such column or kind.
        LogError: values of another kind than was asked for.
    """
    asked = settings.content.columns
    if not catalog.columns and set(asked) <= {"auto"}:
        return None
    axes = partial(axes_of, seed=settings.seed)
    encoder = TableEncoder.fitted(catalog.columns, asked, axes=axes, skip=(FROM, UNTIL))
    return encoder if encoder.width else None


def content_of(catalog: Catalog, encoder: TableEncoder | None) -> Content | None:
    """The numbers of a catalog, by what was learned from an earlier one."""
    return None if encoder is None else Content(encoder, encoder.encode(catalog.columns, len(catalog)))
