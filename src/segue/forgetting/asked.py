"""What is asked of `forget`, looked at before anything is changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from segue.artifact import check_free
from segue.data.reading.packed import packed_folder
from segue.errors import ConfigError, RequestError
from segue.forgetting.answer import InLog, InStore


def checked_users(users: Collection[str]) -> frozenset[str]:
    """The ids. Raises RequestError where they are none."""
    if isinstance(users, str):
        raise RequestError(f"`users` is the string {users!r}; expected a list of user ids, such as [{users!r}]")
    for user in users:
        if not isinstance(user, str) or not user:
            raise RequestError(f"a user id is {user!r}; expected a text that is not empty")
    if not users:
        raise RequestError("no users are named; expected at least one id (--user, or --users FILE)")
    return frozenset(users)


def check_places(store: str | None, url: str | None, logs: Sequence[str | Path]) -> None:
    """Raise RequestError where there is nowhere to look."""
    if store is None and url is None and not logs:
        raise RequestError(
            "there is nowhere to look for the users: name the store (--store, or --url of a server that runs), the log "
            "(--log), or both"
        )


def new_model(logs: Sequence[str | Path], *, retrain: bool, out: str | Path | None, overwrite: bool) -> Path | None:
    """Where a new model goes; None where none is asked for.

    Raises:
        ConfigError: what is asked for does not fit together.
        ArtifactError: something is in the way there.
    """
    if not retrain:
        if out is not None:
            raise ConfigError(f"--out is {out}, but nothing is to be trained: add --retrain, or leave it out")
        return None
    if not logs:
        raise ConfigError("--retrain needs the log (--log): a model does not keep it")
    if out is None:
        raise ConfigError("--retrain needs a folder for the new model (--out)")
    if len(logs) > 1 and any(packed_folder(one) for one in logs):
        raise ConfigError("--retrain reads all of the log at once, and a packed one is read alone: name that one alone")
    check_free(Path(out).resolve(), overwrite=overwrite)
    return Path(out).resolve()


def nowhere(users: frozenset[str], stores: Sequence[InStore], logs: Sequence[InLog]) -> str:
    """The message where nobody was found."""
    places = [*(one.place for one in stores), *(one.place for one in logs)]
    who = f"user {next(iter(users))!r} is not" if len(users) == 1 else f"none of the {len(users):,} users is"
    return f"{who} in {', '.join(places)}: nothing was there to be forgotten"
