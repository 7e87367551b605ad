"""`segue similar`."""

from __future__ import annotations

from pathlib import Path

from segue.cli.options import Json, K
from segue.cli.show import print_json, print_table


def command(folder: Path, /, *, item: str, k: K = 10, json: Json = False) -> None:
    """Name the items nearest to one, by the model's item vectors."""
    from segue.api import load

    found = load(folder).similar(item, k=k)
    if json:
        print_json({"items": [one._asdict() for one in found]})
    else:
        rows = [[str(one.rank), one.item_id, one.title or "", f"{one.score:.4f}"] for one in found]
        print_table(["rank", "item_id", "title", "score"], rows)
