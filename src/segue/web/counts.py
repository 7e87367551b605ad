"""What a server has done, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from segue.serving.engine import Engine
from segue.serving.tally import SOURCES

SECONDS = (0.001, 0.002, 0.005, 0.007, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The type of the text."""


class Counts:
    """Requests as they are answered, and what the shards of an engine say of themselves when they are asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "segue_requests", "Requests by route and status", ["route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "segue_request_seconds", "Seconds of a request", ["route"], buckets=SECONDS, registry=self._registry
        )
        self._registry.register(self)
        self._children: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def answered(self, route: str, status: int, seconds: float) -> None:
        """One more request."""
        # to find them by their labels takes longer than all the rest
        found = self._children.get((route, status))
        if found is None:
            found = self._requests.labels(route, str(status)), self._seconds.labels(route)
            self._children[route, status] = found
        requests, histogram = found
        requests.inc()
        histogram.observe(seconds)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """What the shards say."""
        engine = self._engine
        events = CounterMetricFamily("segue_events", "Events by what became of them", labels=["became"])
        refolds = CounterMetricFamily("segue_refolds", "States folded anew", labels=["history"])
        tallies = [shard.tally for shard in engine.shards]
        for became in ("events", "duplicates", "conflicts", "late"):
            name = {"events": "stored", "duplicates": "duplicate", "conflicts": "conflict"}.get(became, became)
            events.add_metric([name], sum(getattr(tally, became) for tally in tallies))
        cut = sum(tally.cut for tally in tallies)
        refolds.add_metric(["cut"], cut)
        refolds.add_metric(["whole"], sum(tally.refolds for tally in tallies) - cut)
        items = CounterMetricFamily("segue_items", "Items of lists by where they come from", labels=["source"])
        for source in SOURCES:
            items.add_metric([source], sum(tally.items[source] for tally in tallies))
        yield events
        yield refolds
        yield items
        for name, what, value in (
            ("segue_answers", "Lists given", sum(tally.answers for tally in tallies)),
            ("segue_short_lists", "Lists with fewer items than asked for", sum(tally.short for tally in tallies)),
            ("segue_damaged_states", "States that could not be read", sum(tally.damaged for tally in tallies)),
            ("segue_turns", "How often what waited was taken together", sum(tally.turns for tally in tallies)),
        ):
            yield CounterMetricFamily(name, what, value=value)
        yield GaugeMetricFamily("segue_waiting", "Requests that wait for a shard", value=engine.waiting)
        yield GaugeMetricFamily("segue_states", "Users with a state, as counted once a minute", value=engine.states)
        yield GaugeMetricFamily("segue_warm_states", "The part of the states that are of this model", value=engine.warm)
        refused = GaugeMetricFamily(
            "segue_model_refused", "A model that was to take over and could not", labels=["version"]
        )
        if engine.refused is not None:
            refused.add_metric([engine.refused.version], 1)
        yield refused
        model = GaugeMetricFamily("segue_model", "The model that answers", labels=["name", "version"])
        model.add_metric([engine.bundle.name, engine.bundle.version], 1)
        yield model
