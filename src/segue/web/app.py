"""The HTTP routes: each one engine call."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import uuid4

from litestar import Litestar, get, post
from litestar.params import Body
from msgspec import UNSET, structs

from segue.serving.engine import Engine
from segue.serving.events import LiveEvent
from segue.web.decoding import StrictRequest
from segue.web.errors import HANDLERS
from segue.web.messages import (
    MAX_BODY_BYTES,
    EventsAnswer,
    EventsMessage,
    Live,
    ObservedMessage,
    RankedMessage,
    Ready,
    RecommendAnswer,
    RecommendMessage,
)
from segue.web.openapi import document


def create_app(engine: Engine) -> Litestar:
    """The application over an engine, which stays the caller's to close."""

    @post("/v1/events", status_code=200, sync_to_thread=True)
    def events(data: Annotated[EventsMessage, Body()]) -> EventsAnswer:
        """Take in events; the answer comes once they are stored."""
        observed = engine.observe([LiveEvent(**structs.asdict(event)) for event in data.events])
        return EventsAnswer([ObservedMessage(*one) for one in observed])

    @post("/v1/recommend", status_code=200, sync_to_thread=True)
    def recommend(data: Annotated[RecommendMessage, Body()]) -> RecommendAnswer:
        """Say what comes next."""
        ranked = engine.recommend(**structs.asdict(data))
        items = [
            RankedMessage(item_id, score, rank, ranked.source, engine.bundle.title_of(item_id) or UNSET)
            for rank, (item_id, score) in enumerate(ranked.items, 1)
        ]
        return RecommendAnswer(uuid4().hex, ranked.model_version, items, ranked.unknown_items)

    @get("/health/live", sync_to_thread=False)
    def live() -> Live:
        """Say that the process answers."""
        return Live()

    @get("/health/ready", sync_to_thread=False)
    def ready() -> Ready:
        """Name the model that answers."""
        bundle = engine.bundle
        return Ready(bundle.name, bundle.version, bundle.model.n_items)

    described = document([events, recommend, live, ready], version="1")

    @get("/schema/openapi.json", sync_to_thread=False)
    def schema() -> dict[str, Any]:
        """Describe these routes."""
        return described

    return Litestar(
        [events, recommend, live, ready, schema],
        request_class=StrictRequest,
        exception_handlers=HANDLERS,
        request_max_body_size=MAX_BODY_BYTES,
        # the framework's own pages load scripts from elsewhere
        openapi_config=None,
        logging_config=None,
    )
