"""What is sent when: times of an open loop, users and items of a power law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

from segue.durations import seconds_of
from segue.errors import ConfigError
from segue.rng import stream
from segue.shapes import Array, Doubles
from segue.traffic.target import Target, request

Call = Literal["both", "recommend", "events"]
"""`POST /v1/recommend` with an `event` inside, the same without, or `POST /v1/events` with one event."""

BLOCK = 128
"""So many requests are drawn at a time: enough to be cheap, few enough to hold up no send."""


class Phase(NamedTuple):
    """A rate for a while.

    Attributes:
        rate: requests a second.
        seconds: how long.
    """

    rate: float
    seconds: float


class Plan(NamedTuple):
    """A load.

    Attributes:
        phases: one after another.
        items: ids, the most frequent first.
        users: how many there are.
        skew_items, skew_users: exponents of the power laws: the one at rank r comes as often as r ** -skew.
        call: what is asked.
        k: length of the lists.
        spacing: requests come at equal distances, or as independent arrivals (Poisson).
        most: requests in all; None: as many as the phases have.
        seed: where all randomness comes from.
        ask: more fields of each request for a list, such as `diversity`.
    """

    phases: Sequence[Phase]
    items: Sequence[str]
    users: int = 100_000
    skew_items: float = 1.0
    skew_users: float = 0.7
    call: Call = "both"
    k: int = 10
    spacing: Literal["poisson", "even"] = "poisson"
    most: int | None = None
    seed: int = 1
    ask: Mapping[str, Any] = MappingProxyType({})

    @property
    def seconds(self) -> float:
        """How long all of it takes."""
        return sum(phase.seconds for phase in self.phases)


def check_plan(plan: Plan) -> None:
    """Raise ConfigError for a load that cannot be meant."""
    for phase in plan.phases:
        if not 0 < phase.rate <= 1e6:
            raise ConfigError(f"the rate is {phase.rate:g}; expected requests a second, above 0 and up to 1,000,000")
        if not 0 < phase.seconds <= 86_400:
            raise ConfigError(f"the load lasts {phase.seconds:g} s; expected above 0 and up to a day")
    if not plan.items or plan.users < 1:
        raise ConfigError("the load has no items or no users; expected at least one of each")
    if not 1 <= plan.k <= 1000:
        raise ConfigError(f"k is {plan.k}; expected 1 to 1000")
    if plan.most is not None and plan.most < 1:
        raise ConfigError(f"--requests is {plan.most}; expected at least 1")
    if plan.ask and plan.call == "events":
        raise ConfigError("--ask adds to requests for lists; expected --call both or recommend")
    for skew in (plan.skew_items, plan.skew_users):
        if not 0 <= skew <= 5:
            raise ConfigError(f"a skew is {skew:g}; expected 0 (all alike) to 5")


def planned(plan: Plan, target: Target) -> Iterator[tuple[float, bytes]]:
    """Seconds since the start, and the bytes to send then, in order."""
    draw, arrivals = stream(plan.seed, "requests"), stream(plan.seed, "arrivals")
    items, users = power_law(len(plan.items), plan.skew_items), power_law(plan.users, plan.skew_users)
    before = target.before("/v1/events" if plan.call == "events" else "/v1/recommend")
    left = plan.most
    for times in times_of(plan, arrivals):
        times = times[:left]
        some = np.searchsorted(items, draw.random(len(times))), np.searchsorted(users, draw.random(len(times)))
        for at, item, user in zip(times.tolist(), *(each.tolist() for each in some), strict=True):
            yield at, request(before, body_of(plan, f"stress {user}", plan.items[item]))
        if left is not None:
            left -= len(times)
            if not left:
                return


def times_of(plan: Plan, draw: np.random.Generator) -> Iterator[Doubles]:
    """Times of arrival, a block at a time."""
    begin = 0.0
    for phase in plan.phases:
        at, end = begin, begin + phase.seconds
        while at < end:
            pauses = np.full(BLOCK, 1.0) if plan.spacing == "even" else draw.exponential(size=BLOCK)
            times = at + np.cumsum(pauses / phase.rate)
            at = float(times[-1])
            yield times[times < end]
        begin = end


def power_law(n: int, skew: float) -> Array:
    """(n,) the cumulative shares of ranks 1 to n."""
    shares = np.cumsum(np.arange(1, n + 1, dtype=np.float64) ** -skew)
    shares /= shares[-1]
    return shares


def body_of(plan: Plan, user_id: str, item_id: str) -> bytes:
    """The body of one request. The event happens when it arrives."""
    if plan.call == "events":
        return msgspec.json.encode({"events": [{"user_id": user_id, "item_id": item_id}]})
    body: dict[str, object] = {**plan.ask, "user_id": user_id, "k": plan.k}
    if plan.call == "both":
        body["event"] = {"item_id": item_id}
    return msgspec.json.encode(body)


def ask_of(text: str | None) -> dict[str, Any]:
    """More fields of a request, from JSON. Raises ConfigError for what is no object, or says what the load decides."""
    if text is None:
        return {}
    try:
        ask = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise ConfigError(
            f"--ask {text}: {error}; expected fields of a request as JSON, such as '{{\"diversity\": 0.3}}'"
        ) from None
    for name in ("user_id", "items", "k", "event"):
        if name in ask:
            raise ConfigError(f"--ask {text}: `{name}` is decided by the load itself; leave it out")
    return ask


def phases_of(rate: float, seconds: float, ramp: str | None) -> list[Phase]:
    """One rate, or those of a ramp such as `3000:10s,200:20s`. Raises ConfigError for one that cannot be read."""
    if ramp is None:
        return [Phase(rate, seconds)]
    found = []
    for part in ramp.split(","):
        given, _, lasting = part.strip().partition(":")
        try:
            found.append(Phase(float(given), seconds_of(lasting, of="--ramp")))
        except ValueError:
            raise ConfigError(f"--ramp: {part!r} is no rate and time; expected such as 3000:10s,200:20s") from None
    return found
