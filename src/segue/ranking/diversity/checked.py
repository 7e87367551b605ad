"""What a strategy of one's own gives is checked, and it is tried before anyone asks for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from segue.errors import ConfigError
from segue.own import line_in, told
from segue.ranking.diversity.pool import Pool
from segue.shapes import Array

Choosing = Callable[[Pool, int, float, np.random.Generator], Array]

TRIED = ((6, 3), (6, 1), (4, 4), (2, 5))
"""Sizes of made-up pools, and lengths of lists that are asked of them."""


def try_out(name: str, choose: Choosing) -> None:
    """Have a strategy choose from a few made-up pools. Raises ConfigError where it fails or draws past its seed."""
    for size, k in TRIED:
        for diversity in (0.3, 1.0):
            first, again = (choose(made_up(size), k, diversity, np.random.default_rng(7)) for _ in "ab")
            if first.tolist() != again.tolist():
                raise ConfigError(
                    f"the strategy `{name}` gave {first.tolist()}, then {again.tolist()} for the same pool; expected "
                    "the same list for the same pool and seed: draw by the `rng` it is given, and by nothing else"
                )


def made_up(size: int) -> Pool:
    """A pool with all that may be known of items, none of which may be changed in place."""
    rng = np.random.default_rng(size)
    vectors = rng.normal(size=(size, 3)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pool = Pool(
        items=rng.permutation(100)[:size],
        scores=np.arange(size, 0, -1).astype(np.float32),
        vectors=vectors,
        kinds=np.arange(size)[:, None] % 2 == np.arange(2),
        shares=np.full(size, 0.01),
        taste=np.array([0.25, 0.75]),
        new=np.arange(size) % 3 == 2,
    )
    for field in pool:
        assert field is not None
        field.flags.writeable = False
    return pool


def called(function: Callable[..., Array], who: str, pool: Pool, k: int, *more: object, **given: object) -> Array:
    """(k,) places that a function of one's own chooses; the best of the others follow where it gives fewer.

    Args:
        function: see `Strategy`.
        who: names the strategy and its file, in a message.
        pool: C candidates.
        k: at most C.

    Raises:
        ConfigError: it fails, whatever it raises, or gives what are no places of the pool.
    """
    try:
        found = np.asarray(function(guarded(pool), k, *more, **given))
    except (Exception, SystemExit) as error:  # the second would end the thread of a server without a word
        raise ConfigError(f"{who}{line_in(error, function)}: {told(error)}") from error
    if found.size == 0:
        found = np.zeros(0, np.intp)
    wrong = wrong_of(found, k, len(pool.items))
    if wrong:
        raise ConfigError(
            f"{who} gave {wrong} for a list of {k} from a pool of {len(pool.items)}; expected at most {k} places of "
            f"the pool, whole numbers from 0 to {len(pool.items) - 1}, none twice"
        )
    others = np.setdiff1d(np.arange(len(pool.items)), found)
    return np.concatenate([found.astype(np.intp), others[: k - len(found)]])


def guarded(pool: Pool) -> Pool:
    """The same to be read alone. Places are looked up in the pool that was given, which nobody can reach from here."""
    fields = pool._replace(items=pool.items.copy(), scores=pool.scores.copy())
    views = [None if field is None else field.view() for field in fields]
    for view in views:
        if view is not None:
            view.flags.writeable = False
    return Pool(*views)  # type: ignore[arg-type]  # in the order of its fields


def wrong_of(found: Array, k: int, size: int) -> str | None:
    """What is wrong with places, in words; None: nothing."""
    if found.ndim != 1 or found.dtype.kind not in "iu":
        return f"an array of shape {found.shape} of {found.dtype}"
    if len(found) > k:
        return f"{len(found)} places"
    outside = found[(found < 0) | (found >= size)]
    if len(outside):
        return f"place {outside[0]}"
    values, times = np.unique(found, return_counts=True)
    return f"place {values[times > 1][0]} more than once" if (times > 1).any() else None
