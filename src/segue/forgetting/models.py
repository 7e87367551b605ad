"""The models of a folder: what each may have learned from some users, and what it keeps of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import msgspec

from segue.artifact import Facts, read_manifest
from segue.artifact.current import is_home, read_current
from segue.artifact.home import changing, found_in
from segue.artifact.reading import read_checked
from segue.artifact.replay_rows import forget_sequences
from segue.errors import ArtifactError
from segue.forgetting.answer import InModel
from segue.forgetting.traces import Traces


class Version(NamedTuple):
    """A model in its folder."""

    folder: Path
    facts: Facts


def versions_in(folder: Path) -> tuple[list[Version], list[str]]:
    """The model of a folder, or all versions of one, the served one first; and what cannot be read, a sentence each.

    Raises:
        ArtifactError: no model is there, or the one that is served cannot be read.
    """
    if not is_home(folder):
        return [version_at(folder)], []
    served = read_current(folder).version
    found, notes = [version_at(folder / served)], []
    for name in found_in(folder):
        if name != served:
            try:
                found.append(version_at(folder / name))
            except ArtifactError as error:
                notes.append(f"{folder / name} cannot be read, and may have learned from them: {error}")
    return found, notes


def version_at(folder: Path) -> Version:
    """The model in a folder."""
    return Version(folder, read_manifest(folder).facts)


def newest_base(versions: Iterable[Version], first: float | None, models: Iterable[InModel] = ()) -> Version | None:
    """The newest model that learned nothing from a moment on: an update may go on from it. None where there is none.

    Args:
        first: Unix seconds of the first event that is not to be learned; None: not known, and so no model will do.
        models: what was found in the models. One that kept sequences of theirs has learned from them, and of one that
            learned from another log than was named nobody can tell.
    """
    if first is None:
        return None
    timed = [one for one in versions if one.facts.cutoff is not None and one.facts.cutoff <= first]
    older = [one for one in timed if clean(one, models)]
    return max(older, key=lambda one: (one.facts.cutoff, one.facts.trained_at), default=None)


def clean(one: Version, models: Iterable[InModel]) -> bool:
    """Whether nothing that was found in a model speaks against it."""
    found = next((model for model in models if model.place == str(one.folder)), None)
    return found is None or (not found.sequences and found.same_log is True)


def in_models(
    folder: Path, versions: Sequence[Version], users: Collection[str], traces: Traces | None, *, write: bool
) -> tuple[list[InModel], set[str]]:
    """What each model has of users, and of whom it kept sequences. With `write` it has none of these from then on."""
    found: list[InModel] = []
    theirs: set[str] = set()
    with changing(folder) if write and is_home(folder) else nullcontext():
        for one in versions:
            sequences = forget_sequences(one.folder, users, write=write)
            theirs |= sequences.keys()
            found.append(in_model(one, traces, sum(sequences.values())))
    return found, theirs


def learned_of(learned: int | None, sequences: int) -> int | None:
    """How many of their events were learned, as far as a log says; a model that kept some of theirs learned some."""
    return None if sequences and not learned else learned


def in_model(one: Version, traces: Traces | None, sequences: int) -> InModel:
    """What a model has of users."""
    alone: list[str] = []
    if traces is not None and traces.alone:
        catalog = msgspec.json.decode(read_checked(one.folder, "catalog.json", read_manifest(one.folder).files))
        alone = [item for item in catalog["ids"] if item in traces.alone]
    return InModel(
        place=str(one.folder),
        name=one.facts.name,
        cutoff=one.facts.cutoff,
        events=one.facts.events,
        learned=None if traces is None else learned_of(traces.learned(one.facts), sequences),
        same_log=None if traces is None else traces.same_log(one.facts),
        alone=alone,
        sequences=sequences,
    )
