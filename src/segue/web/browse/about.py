"""`GET /v1/model`: what the model that answers says of itself."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from segue.artifact import Measured
from segue.artifact.curves import Curve
from segue.serving.browse.choices import defaults_of
from segue.serving.engine import Engine
from segue.web.browse.messages import DefaultsMessage

Free = dict[str, Any]


class ModelAnswer(Struct, frozen=True, kw_only=True):
    """What the model that answers says of itself.

    `made` is UTC in ISO 8601, `cutoff` Unix seconds: from then on it has learned nothing. `built` is what its class
    was made with, `settings` is all that it was trained with, `set_apart` those that are not segue's defaults, by
    dotted names. `metrics` are of when it was trained (see `Report` in the reference), `curves` how that went,
    `frontier` what diversity costs, as `segue frontier` last measured it. `left_out` says what is too large.
    """

    name: str
    version: str
    n_items: int
    defaults: DefaultsMessage
    kind: str | None = None
    made: str | None = None
    events: int | None = None
    cutoff: float | None = None
    split: str | None = None
    gap: float | None = None
    at_session_start: str | None = None
    interrupted: bool = False
    update_of: str = ""
    finetuned_of: str = ""
    parameters: Annotated[int | None, Meta(description="weights of the network")] = None
    built: Free = {}
    settings: Free = {}
    set_apart: Free = {}
    metrics: Free = {}
    curves: list[Curve] = []
    frontier: Measured | None = None
    card: Annotated[str, Meta(description="Markdown")] = ""
    left_out: list[str] = []


def model_answer(engine: Engine) -> ModelAnswer:
    """What the bundle of this moment says of itself: where another one takes over, all of it is the other's."""
    bundle = engine.bundle
    defaults, about = DefaultsMessage(*defaults_of(bundle, engine.usual)), bundle.about
    bare = ModelAnswer(name=bundle.name, version=bundle.version, n_items=bundle.model.n_items, defaults=defaults)
    if about is None:
        return bare
    facts = about.facts
    return replace(
        bare,
        kind=facts.kind,
        made=facts.trained_at,
        events=facts.events,
        cutoff=facts.cutoff,
        split=facts.split,
        gap=facts.gap,
        at_session_start=facts.at_session_start,
        interrupted=facts.interrupted,
        update_of=facts.update_of,
        finetuned_of=facts.finetuned_of,
        parameters=about.parameters,
        built=facts.settings,
        settings=msgspec.to_builtins(about.settings),
        set_apart=about.set_apart(),
        metrics=about.metrics,
        curves=about.curves,
        frontier=about.frontier(),
        card=about.card,
        left_out=about.left_out,
    )
