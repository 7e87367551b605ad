"""`forget` as a user meets it: users in, what went and what remains out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from segue.artifact.current import served
from segue.choices import read_toml, settings_of
from segue.data.forgetting.rewriting import cleaned
from segue.data.forgetting.sources import files_of
from segue.errors import SegueError
from segue.forgetting.answer import Forgotten, InLog, InModel, InStore
from segue.forgetting.asked import check_places, checked_users, new_model, nowhere
from segue.forgetting.models import Version, in_models, newest_base, versions_in
from segue.forgetting.places import Places, opened
from segue.forgetting.remains import CHECKPOINTS, ELSEWHERE, LINKS, remains_in
from segue.forgetting.traces import traces_of
from segue.training.beside import checkpoint_folder

if TYPE_CHECKING:  # PyTorch is loaded to train, not to forget
    from segue.training.candidates import Say
    from segue.training.networks import Show


def forget(
    folder: str | Path,
    users: Collection[str],
    *,
    store: str | None = None,
    url: str | None = None,
    key: str | None = None,
    log: str | Path | Sequence[str | Path] = (),
    dry_run: bool = False,
    retrain: bool = False,
    out: str | Path | None = None,
    items: Any = None,
    items_col: str | None = None,
    overwrite: bool = False,
    say: Say = lambda _: None,
    show: Show = lambda *_: None,
    **columns: Any,
) -> Forgotten:
    """Take users out of a store, of logs, and of what a model keeps to learn from again; say what remains.

    Logs are written anew beside themselves and take their places at the end: where anything before that fails, they are
    as they were. To do it again after a failure does the rest.

    Args:
        folder: a model, or versions of one.
        users: their ids.
        store: a folder that no server uses, or the URL of a store in Valkey.
        url: or a server that runs, which is asked to delete them, with a `key` where it wants one.
        log: files, globs and folders of the log: CSV, TSV, .inter, JSON lines, Parquet, also .gz and .zst, or packed.
        dry_run: only say what would go.
        retrain: make the model anew from the log without them, into the folder `out`: by an update of the newest
            version that is older than their first event, else from scratch.
        items, items_col: for that, an items table; by default what the model knows of its items.
        overwrite: replace the model that is in `out`.
        say, show: told of what happens.
        columns: which column is what, in place of the model's own; see `read_log`.

    Raises:
        RequestError: no users, or nowhere to look for them.
        ConfigError: what is asked for does not fit together.
        SegueError: none of the users is anywhere; or something cannot be read or written.
    """
    wanted, logs, home = checked_users(users), [log] if isinstance(log, str | Path) else list(log), Path(folder)
    check_places(store, url, logs)
    target = new_model(logs, retrain=retrain, out=out, overwrite=overwrite)
    versions, unread = versions_in(home)
    model = served(home)
    chosen = settings_of(read_toml(model / "config.toml")).log.chosen()
    named = {**chosen, **{name: value for name, value in columns.items() if value}}
    with opened(store, url, key) as places:
        found = taken_out(places, logs, wanted, home, versions, columns=named, write=not dry_run)
    if not found.users:
        raise SegueError(nowhere(wanted, found.stores, found.logs))
    answer = answer_of(found, wanted, versions, dry_run=dry_run)
    beside = [*found.remains, *unread, *unfinished(home), ELSEWHERE]
    answer = replace(answer, remains=[*remains_in(versions, found.models, logs=bool(logs)), *beside])
    if target is None or dry_run:
        return answer
    from segue.forgetting.retraining import train_anew

    say("the users are forgotten; a model is made anew from what is left")
    try:
        given: dict[str, Any] = {"columns": columns, "items": items, "items_col": items_col, "overwrite": overwrite}
        base = None if answer.base is None else Path(answer.base)
        train_anew(model, logs, target, base=base, **given, say=say, show=show)
    except SegueError as error:
        again = f"segue train {' '.join(map(str, logs))} --config {model / 'config.toml'} --out {target}"
        raise type(error)(f"the users are forgotten, but training anew failed: {error}. Go on with: {again}") from error
    return replace(answer, retrained=str(target))


class Found(NamedTuple):
    """What was found of users, or went; see `Forgotten`."""

    users: set[str]
    first: float | None
    stores: list[InStore]
    logs: list[InLog]
    models: list[InModel]
    remains: list[str]


def taken_out(
    places: Places,
    logs: Sequence[str | Path],
    users: frozenset[str],
    folder: Path,
    versions: Sequence[Version],
    *,
    columns: Mapping[str, Any],
    write: bool,
) -> Found:
    """Look for users everywhere; with `write` take them out. Logs are put into their places once all are ready."""
    cutoffs = [one.facts.cutoff for one in versions if one.facts.cutoff is not None]
    with ExitStack() as stack:
        files = files_of(logs, columns)
        traces = traces_of(logs, columns, users, cutoffs) if logs else None
        in_models(folder, versions, users, traces, write=False)  # what cannot be read is told before anything goes
        ready = [stack.enter_context(cleaned(one, users, write=write)) for one in files]
        kept = places.forget(users, write=write)
        if write:
            for one in ready:
                one.put()
        models, theirs = in_models(folder, versions, users, traces, write=write)
    times = [*([] if kept.first is None else [kept.first]), *([] if traces is None else traces.times.tolist())]
    links = [LINKS.format(place=one.path, links=one.links) for one in ready if one.links and one.rows]
    return Found(
        users=kept.users.union(theirs, *(one.rows for one in ready)),
        first=min(times, default=None),
        stores=kept.stores,
        logs=[InLog(str(one.path), len(one.rows), sum(one.rows.values())) for one in ready],
        models=models,
        remains=[*kept.remains, *links, *([] if traces is None else traces.notes)],
    )


def answer_of(found: Found, wanted: frozenset[str], versions: Sequence[Version], *, dry_run: bool) -> Forgotten:
    """The answer, but for what remains in models."""
    base = newest_base(versions, found.first, found.models)
    return Forgotten(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        dry_run=dry_run,
        users=len(found.users),
        not_found=sorted(wanted - found.users),
        first=found.first,
        stores=found.stores,
        logs=found.logs,
        models=found.models,
        base=None if base is None else str(base.folder),
        retrained=None,
        remains=found.remains,
    )


def unfinished(folder: Path) -> list[str]:
    """What is said where a training lies beside a model."""
    beside = checkpoint_folder(folder.resolve())
    return [CHECKPOINTS.format(place=beside)] if beside.exists() else []
