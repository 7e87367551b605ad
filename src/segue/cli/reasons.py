"""One list, and why it is so: a table, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from segue.cli.show import print_json, print_table
from segue.recommender import Recommendation, Recommender
from segue.serving.explain import Reason


def print_list(
    recommender: Recommender,
    found: Sequence[Recommendation],
    reasons: Sequence[Reason] | None,
    *,
    json: bool,
    **more: Any,
) -> None:
    """A list with its reasons, if there are any; in JSON also what `more` says."""
    if json:
        told = [_plain(reason) for reason in reasons or ()] or [{}] * len(found)
        print_json({"items": [one._asdict() | why for one, why in zip(found, told, strict=True)], **more})
        return
    rows = [[str(one.rank), one.item_id, one.title or "", f"{one.score:.4f}"] for one in found]
    print_table(["rank", "item_id", "title", "score"], rows)
    if reasons is None:
        return
    headings = ["rank", "item_id", "moved by", "people went on to it from"]
    lines = [
        [str(one.rank), one.item_id, *_cells(recommender, reason)] for one, reason in zip(found, reasons, strict=True)
    ]
    print_table(headings, lines, title="why", words=headings[1:])


def ids_of(found: Sequence[Recommendation]) -> list[str]:
    """The ids of a list."""
    return [one.item_id for one in found]


def rows_of(recommender: Recommender, frames: Iterable[Any]) -> list[Recommendation]:
    """The rows of frames of lists, with the titles of the items."""
    rows = [row for frame in frames for row in frame.select("item_id", "score", "rank").iter_rows()]
    return [Recommendation(item_id, score, rank, recommender.bundle.title_of(item_id)) for item_id, score, rank in rows]


def _plain(reason: Reason) -> dict[str, Any]:
    return {
        "reasons": {
            "events": [one._asdict() for one in reason.events],
            "followed": [one._asdict() for one in reason.followed],
            "rank_without_rules": reason.rank_without_rules,
        }
    }


def _cells(recommender: Recommender, reason: Reason) -> tuple[str, str]:
    def named(item_id: str) -> str:
        return recommender.bundle.title_of(item_id) or item_id

    moved = ", ".join(f"{named(one.item_id)} {one.difference:+.3f}" for one in reason.events)
    followed = ", ".join(f"{named(one.item_id)} {one.times:,} of {one.of:,} times" for one in reason.followed)
    return moved or "-", followed or "-"
