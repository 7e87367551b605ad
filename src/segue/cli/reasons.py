"""One list, what is to be said of it, and why it is so: tables, or JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from segue.cli.show import print_json, print_table, say
from segue.data.events import EventLog
from segue.ranking.pool import POOL
from segue.recommender import Recommendation, Recommendations, Recommender
from segue.serving.lists.explain import Reason


def after_items(
    recommender: Recommender,
    items: Sequence[str],
    asked: Mapping[str, Any],
    wishes: Mapping[str, Any],
    *,
    explain: bool,
    json: bool,
) -> None:
    """The list after some items.

    Args:
        asked: its length, and what may not be in it.
        wishes: rules, and how it is less of the same.
    """
    found = recommender.recommend(items=items, **asked, **wishes)
    unknown = [item for item in items if recommender.bundle.item_ids.place_of(item) < 0]
    if found.unknown_items:
        say(f"note: not in the catalog: {', '.join(found.unknown_items)}")
    if found.unknown_categories:
        say(f"note: no item has the category: {', '.join(found.unknown_categories)}")
    if len(unknown) == len(items):
        say("note: no item is known, so this is the list for someone of whom nothing is known")
    reasons = None
    if explain:
        before = recommender.recommend(items=items, **{**asked, "k": max(asked["k"], POOL)}) if wishes else found
        reasons = recommender.explain(found, items=items, before_rules=ids_of(before))
    print_list(recommender, found, reasons, json=json)


def for_one_user(
    recommender: Recommender,
    log: EventLog,
    user_id: str,
    asked: Mapping[str, Any],
    wishes: Mapping[str, Any],
    *,
    json: bool,
) -> None:
    """The list of a user of a log, with reasons; `asked` and `wishes` as in `after_items`."""
    from segue.serving.given import events_in

    def rows(**more: Any) -> Recommendations:
        return rows_of(recommender, recommender.lists(log, users=[user_id], **{**asked, **more}))

    found = rows(**wishes)
    say_chosen(wishes)
    before = rows(k=max(asked["k"], POOL)) if wishes else found
    reasons = recommender.explain(found, events=events_in(log, user_id), before_rules=ids_of(before))
    print_list(recommender, found, reasons, json=json, user_id=user_id)


def say_chosen(wishes: Mapping[str, Any]) -> None:
    """What makes lists of a log less of the same, if anything does."""
    if wishes.get("diversity"):
        say(f"note: chosen by {wishes.get('strategy', 'mmr')} at {wishes['diversity']:g}")


def print_list(
    recommender: Recommender,
    found: Recommendations,
    reasons: Sequence[Reason] | None,
    *,
    json: bool,
    **more: Any,
) -> None:
    """A list with its reasons, if there are any; in JSON also what `more` says."""
    if json:
        told = [_plain(reason) for reason in reasons or ()] or [{}] * len(found)
        whole = {
            "unknown_items": found.unknown_items,
            "unknown_categories": found.unknown_categories,
            "short": found.short,
            "unmet_pins": found.unmet_pins,
            "chosen_by": found.chosen_by,
        }
        print_json({"items": [one._asdict() | why for one, why in zip(found, told, strict=True)], **whole, **more})
        return
    rows = [[str(one.rank), one.item_id, one.title or "", f"{one.score:.4f}", one.source or ""] for one in found]
    print_table(["rank", "item_id", "title", "score", "source"], rows, title=chosen(found), words=["title", "source"])
    if found.short is not None:
        because = "; ".join(one.message for one in found.short.because)
        say(f"note: {found.short.given} of {found.short.wanted}: {because}")
    for pin in found.unmet_pins:
        say(f"note: `{pin.item_id}` could not be pinned to place {pin.place}: {pin.because}")
    if reasons is None:
        return
    headings = ["rank", "item_id", "moved by", "people went on to it from"]
    lines = [
        [str(one.rank), one.item_id, *_cells(recommender, reason)] for one, reason in zip(found, reasons, strict=True)
    ]
    print_table(headings, lines, title="why", words=headings[1:])


def chosen(found: Recommendations) -> str | None:
    """What made a list less of the same, in words; None: nothing did."""
    by = found.chosen_by
    if by is None:
        return None
    alike = f", alike by {by.similarity}" if by.similarity else ""
    return f"chosen by {by.strategy} at {by.diversity:g}{alike}, seed {by.seed}"


def ids_of(found: Sequence[Recommendation]) -> list[str]:
    """The ids of a list."""
    return [one.item_id for one in found]


def rows_of(recommender: Recommender, frames: Iterable[Any]) -> Recommendations:
    """The rows of frames of lists, with the titles of the items."""
    rows = [row for frame in frames for row in frame.select("item_id", "score", "rank").iter_rows()]
    return Recommendations(
        Recommendation(item_id, score, rank, recommender.bundle.title_of(item_id)) for item_id, score, rank in rows
    )


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
