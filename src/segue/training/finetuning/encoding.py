"""Content of another catalog as a source reads it: by the encoders of the source, in the columns that are there."""

from __future__ import annotations

from segue.config import Settings
from segue.data.catalog import Catalog
from segue.data.encoding import KINDS, TableEncoder
from segue.errors import ConfigError, LogError
from segue.training.finetuning.source import Source
from segue.training.item_content import encoder_of


def encoder_for(source: Source, catalog: Catalog, settings: Settings) -> TableEncoder | None:
    """The source's encoders of the columns that the catalog has; where there are none, what is learned of it anew.

    Raises:
        ConfigError: content was asked for, and there is none.
        LogError: a column has values of another kind than the source learned from.
    """
    table = settings.finetune.table
    if table != "anew" and source.encoder is not None:
        wanted = named(source.encoder, settings)
        found = {
            name: one for name, one in source.encoder.columns.items() if name in wanted and name in catalog.columns
        }
        lacking = [name for name in wanted if name not in catalog.columns]
        notes = [f"content of items by the encoders of the source: {', '.join(f'`{name}`' for name in found)}"]
        if lacking:
            notes.append(f"the source learned of {quoted(lacking)} too, which the items table lacks")
        encoder = TableEncoder(found, tuple(notes))
        if found and encoded(encoder, catalog):
            return encoder
    if table == "content":
        why = "the source reads no content of items"
        if source.encoder is not None:
            why = f"the source reads {quoted(list(source.encoder.columns))}, and nothing of that is known of the items"
        raise ConfigError(f"finetune.table is content, but {why}: give --items with such columns, or leave it at auto")
    return encoder_of(catalog, settings)


def named(encoder: TableEncoder, settings: Settings) -> list[str]:
    """The columns of an encoder that `content.columns` asks for. Raises ConfigError for one that it does not have."""
    chosen = []
    for one in settings.content.columns:
        name, _, kind = one.rpartition(":") if one.rpartition(":")[2] in KINDS else (one, "", "")
        if name == "auto":
            chosen += list(encoder.columns)
        elif name not in encoder.columns or kind not in ("", encoder.columns[name].encoder.kind):
            had = ", ".join(f"{other}:{of.encoder.kind}" for other, of in encoder.columns.items())
            raise ConfigError(
                f"content.columns asks for `{one}`, and the source reads {had}: take these, or learn content of your "
                "own with finetune.table=anew"
            )
        else:
            chosen.append(name)
    return [name for name in encoder.columns if name in chosen]


def encoded(encoder: TableEncoder, catalog: Catalog) -> bool:
    """Whether anything is known of any item. Raises LogError for values that the source cannot read."""
    try:
        return bool(encoder.encode(catalog.columns, len(catalog)).any())
    except LogError as error:
        raise LogError(
            f"{error}. Mend it, leave the column out (content.columns), or learn content anew (finetune.table=anew)"
        ) from None


def quoted(names: list[str]) -> str:
    """Names in a sentence."""
    return ", ".join(f"`{name}`" for name in names)
