"""The last events of some users, kept with a model: what it learns beside new days, so as not to forget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from segue.data.batches import runs
from segue.data.encoding.bound import EventFeatures
from segue.data.sessions import Sequences
from segue.errors import ArtifactError
from segue.shapes import Array, Bools, Doubles, Floats, Ints, Longs

TAIL = 200
"""So many last events of a user are kept at most."""

HELD_OUT = 5
"""One user in so many is never learned from again, so that there is something to see forgetting by."""

COLUMNS = {"item": np.int32, "time": np.float64, "opens": np.bool_, "starts": np.bool_}


class ReplaySample(NamedTuple):
    """E events of U users, user by user in time order.

    Users are drawn by a hash of their id and the seed: the lowest ones that fit. So the sample of an old log and of new
    days together is one of all their users, as if they had been one log.

    Attributes:
        user: (U,) the first 8 bytes of the blake2b of each user's id, little-endian; ascending.
        bounds: (U + 1,) where each user's events begin and end.
        item: (E,) item indices, -1 for an item outside the catalog.
        time: (E,) Unix seconds.
        opens: (E,) True where an event opens a session.
        starts: (E,) True where a row begins at the initial state, the first event of each user among them.
        worth: (E,) see `Sequences`; None: all count alike.
        seed: of the draw.
        features: (E, F) the numbers of each event that a model reads beside its item; None: it reads none.
    """

    user: Array
    bounds: Longs
    item: Ints
    time: Doubles
    opens: Bools
    starts: Bools
    worth: Floats | None
    seed: int
    features: Floats | None = None

    @property
    def events(self) -> int:
        """E."""
        return len(self.item)

    @property
    def held_out(self) -> Bools:
        """(U,) True for users that are never learned from again: the same whenever one asks."""
        return np.asarray(self.user % np.uint64(HELD_OUT) == 0)

    def only(self, chosen: Bools) -> ReplaySample:
        """The events of the users that are chosen (U,)."""
        lengths = np.diff(self.bounds)[chosen]
        places = runs(self.bounds[:-1][chosen], lengths)
        columns = {name: getattr(self, name)[places] for name in COLUMNS}
        worth = None if self.worth is None else self.worth[places]
        features = None if self.features is None else self.features[places]
        bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        user = self.user[chosen]
        return self._replace(user=user, bounds=bounds, worth=worth, features=features, **columns)

    def sequences(self, first_user: int = 0) -> Sequences:
        """As what a network reads; users are numbered from `first_user` on."""
        of = np.arange(len(self.user), dtype=np.int32) + np.int32(first_user)
        return Sequences(
            order=np.arange(self.events, dtype=np.int64),
            user=np.repeat(of, np.diff(self.bounds)),
            item=self.item,
            time=self.time,
            opens=self.opens,
            starts=self.starts,
            bounds=self.bounds,
            of=of,
            worth=self.worth,
            features=EventFeatures.of(self.features),
        )

    def arrays(self) -> dict[str, Array]:
        """All of it by name."""
        worth = {} if self.worth is None else {"worth": self.worth}
        features = {} if self.features is None else {"features": self.features}
        columns = {name: getattr(self, name) for name in ("user", "bounds", *COLUMNS)}
        return {**columns, **worth, **features, "seed": np.array([self.seed], np.int64)}

    @classmethod
    def loaded(cls, arrays: Mapping[str, Array], n_items: int) -> ReplaySample:
        """From saved arrays. Raises ArtifactError where they do not fit each other, or the catalog."""
        kinds = {"user": np.uint64, "bounds": np.int64, **COLUMNS, "seed": np.int64}
        if "worth" in arrays:
            kinds["worth"] = np.float32
        for name, kind in kinds.items():
            found = arrays.get(name)
            if found is None or found.dtype != kind or found.ndim != 1:
                raise ArtifactError(f"the replay sample is damaged: its array `{name}` is missing or of another kind")
        bounds, events = arrays["bounds"], len(arrays["item"])
        sizes = {len(arrays[name]) for name in kinds if name in (*COLUMNS, "worth")}
        fits = len(bounds) == len(arrays["user"]) + 1 and len(arrays["seed"]) == 1 and sizes == {events}
        if not fits or bounds[0] != 0 or bounds[-1] != events or (np.diff(bounds) <= 0).any():
            raise ArtifactError(f"the replay sample is damaged: its bounds do not fit {events} events")
        if events and (arrays["item"].min() < -1 or arrays["item"].max() >= n_items):
            raise ArtifactError(f"the replay sample is damaged: an item is outside -1 to {n_items - 1}")
        if not np.isfinite(arrays["time"]).all():
            raise ArtifactError("the replay sample is damaged: a time is no number")
        features = arrays.get("features")
        if features is not None and (features.shape[0] != events or features.ndim != 2 or features.dtype != np.float32):
            raise ArtifactError(f"the replay sample is damaged: its features do not fit {events} events")
        columns = {name: arrays[name] for name in ("user", "bounds", *COLUMNS)}
        return cls(**columns, worth=arrays.get("worth"), seed=int(arrays["seed"][0]), features=features)


def lowest(user: Array, lengths: Longs, limit: int, seed: int) -> Longs:
    """The places of the users to keep, by rising hash: those drawn first whose events fit, and at least one.

    Args:
        user: (U,) hashes of ids.
        lengths: (U,) events of each.
        limit: events in all.
        seed: of the draw.
    """
    order = np.argsort(mixed(user, seed), kind="stable")
    fitting = int(np.searchsorted(np.cumsum(lengths[order]), limit, side="right"))
    chosen = order[: max(fitting, min(1, len(order)))]
    return np.asarray(chosen[np.argsort(user[chosen], kind="stable")])


def mixed(user: Array, seed: int) -> Array:
    """(U,) hashes in another order for each seed: the finalizer of splitmix64 (Steele, Lea and Flood 2014)."""
    z = user.astype(np.uint64) + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))
