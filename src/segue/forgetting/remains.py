"""What is left of users after their events are gone, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segue.evaluation.report import utc
from segue.forgetting.answer import InModel
from segue.forgetting.models import Version

SHOWN = 5
"""So many items are named."""

SESSIONS = ("sknn", "mix")
"""Kinds of model that keep the sessions of the log."""


def remains_in(versions: Sequence[Version], models: Sequence[InModel], *, logs: bool) -> list[str]:
    """What remains in models, and what does something about it.

    Args:
        logs: whether any log was looked through.
    """
    told = [line for one, model in zip(versions, models, strict=True) for line in of_model(one, model, logs=logs)]
    if any(model.learned != 0 for model in models):
        told.append(
            "deleting events changes no weight and no count. Only a model that is trained without them has nothing of "
            "them: `segue forget ... --retrain --out NEW`, then serve that one and delete the folders above"
        )
    return told


def of_model(one: Version, model: InModel, *, logs: bool) -> Iterator[str]:
    """The same of one model, whose weights are as they were."""
    facts = one.facts
    until = "" if facts.cutoff is None else f" before {utc(facts.cutoff)}"
    what = f"{model.place} ({model.name}) learned from {model.events:,} events{until}"
    if model.learned == 0:
        yield f"{what}: none of these were theirs, as far as the logs say"
        return
    if not logs:
        yield f"{what}: how many were theirs is not known, since no log was named"
    elif model.learned is None:
        yield f"{what}: how many were theirs is not known: it has no cutoff, or the logs lack times or events"
    else:
        other = {
            True: "",
            None: "",
            False: " (by a log that differs from the one it learned from, as it does once anyone was forgotten)",
        }[model.same_log]
        yield f"{what}: {model.learned:,} were theirs, {model.learned / max(model.events, 1):.2%}{other}"
    yield (
        f"{model.place}: the weights were moved by these events, and log_counts.safetensors counts them, with what "
        "came after what; metrics.json and README.md have averages that they are part of. No id of a user is in these"
    )
    if facts.kind in SESSIONS:
        yield (
            f"{model.place}: it keeps the sessions of its log as lists of items, without ids: theirs are among them "
            "and vote for what comes next"
        )
    if model.alone:
        names = ", ".join(model.alone[:SHOWN]) + (", ..." if len(model.alone) > SHOWN else "")
        yield (
            f"{model.place}: {len(model.alone):,} of its items have events of nobody else ({names}): what it knows of "
            "these comes from them alone"
        )


ELSEWHERE = (
    "backups, exports and copies of a log that were made before still have the events; so may the disk itself, where "
    "blocks that are free are not written over"
)

VALKEY = (
    "{place}: the server's append-only file has the old commands until it is written anew (`BGREWRITEAOF`), and its "
    "snapshots until the next one"
)

SERVER = (
    "{place}: the rows are deleted; in free pages of its files their bytes may be left until the server is stopped and "
    "`segue forget ... --store` writes the files anew"
)

LINKS = "{place} has {links} other names (hard links): what lies there still has the rows"

CHECKPOINTS = (
    "{place} holds an unfinished training, whose weights may have learned from them: finish it anew, or delete it"
)
