"""`segue similar`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from segue.cli.options import Folder, Json, K, Own
from segue.cli.show import print_json, print_table


def command(
    folder: Folder,
    /,
    *,
    item: Annotated[str, Parameter(help="The id of the item.")],
    k: K = 10,
    own: Own = None,
    json: Json = False,
) -> None:
    """Name the items nearest to one, by the model's item vectors."""
    from segue.recommender import load

    found = load(folder, light=True).similar(item, k=k)
    if json:
        print_json({"items": [one._asdict() for one in found]})
    else:
        rows = [[str(one.rank), one.item_id, one.title or "", f"{one.score:.4f}"] for one in found]
        print_table(["rank", "item_id", "title", "score"], rows)
