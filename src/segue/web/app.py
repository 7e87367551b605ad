"""The HTTP routes: each one engine call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import unquote

from litestar import Litestar, Response, delete, get, post
from litestar.exceptions import NotFoundException
from litestar.params import Body
from msgspec import UNSET

from segue.errors import OverloadedError, RequestError
from segue.serving.engine import Engine
from segue.serving.lists.similar import similar_items
from segue.serving.task import Done, Task, in_order, question_of, tasks_of
from segue.web.arrivals import in_time
from segue.web.browse.routes import browse_handlers
from segue.web.counts import TEXT_TYPE, Counts
from segue.web.decoding import StrictRequest
from segue.web.errors import HANDLERS, AnyRequest
from segue.web.messages import (
    MAX_BODY_BYTES,
    EventsAnswer,
    EventsMessage,
    Forgotten,
    Live,
    Ready,
    RecommendAnswer,
    RecommendMessage,
    RefusedMessage,
    SimilarAnswer,
    SimilarMessage,
    UserAnswer,
)
from segue.web.openapi import document
from segue.web.pages import page_handlers
from segue.web.translating import (
    ask_of,
    live_event,
    observed_message,
    own_event,
    reasons_of,
    recommend_answer,
    similar_answer,
)

DEADLINE = 10.0
"""Seconds."""

USERS = "/v1/users/"

EXPLAINED_TOGETHER = 4
"""So many lists are explained at a time: each takes a thread for some milliseconds; more are told to come back."""


def create_app(engine: Engine, *, counts: Counts | None = None, deadline: float = DEADLINE) -> Litestar:
    """The application over an engine, which stays the caller's to close.

    Args:
        counts: for `/metrics`; by default those of this engine, of which nothing has been asked yet.
        deadline: seconds after which a request is given up.
    """
    counted = counts or Counts(engine)
    explaining = asyncio.Semaphore(EXPLAINED_TOGETHER)

    @post("/v1/events", status_code=200)
    async def events(data: Annotated[EventsMessage, Body()]) -> Response[EventsAnswer]:
        """Take in events; the answer comes once they are stored. 409: some were refused, and the answer says which."""
        tasks, places = tasks_of([live_event(event) for event in data.events])
        observed = in_order(places, await done(engine, tasks, deadline))
        refused = any(one.refused for one in observed)
        return Response(EventsAnswer([observed_message(one) for one in observed]), status_code=409 if refused else 200)

    @post("/v1/recommend", status_code=200)
    async def recommend(data: Annotated[RecommendMessage, Body()]) -> RecommendAnswer:
        """Say what comes next; after an event of the user, if one is given."""
        # beside the event loop where it may take long: others are answered meanwhile
        ask = ask_of(data, engine) if data.rules is None else await asyncio.to_thread(ask_of, data, engine)
        task = question_of(data.user_id, data.items, ask, own_event(data), data.times)
        if not data.explain:
            (found,) = await done(engine, [task], deadline)
            return recommend_answer(found)
        if explaining.locked():
            raise OverloadedError(f"{EXPLAINED_TOGETHER} lists are explained already: come back later")
        async with explaining:
            (found,) = await done(engine, [task], deadline)
            return recommend_answer(found, await asyncio.to_thread(reasons_of, found))

    @post("/v1/similar", status_code=200, sync_to_thread=True)
    def similar(data: Annotated[SimilarMessage, Body()]) -> SimilarAnswer:
        """Name items like an item."""
        bundle = engine.bundle  # another one may take over meanwhile
        return similar_answer(bundle, similar_items(bundle, data.item_id, data.k, at=engine.clock()))

    # the framework takes the user `/` for a slash too many
    named = [f"{USERS}{{user_id:path}}", USERS]

    async def about(request: AnyRequest) -> UserAnswer:
        user_id = after(USERS, request)
        (found,) = await in_time([engine.about(user_id)], deadline)
        return UserAnswer(user_id, *found)

    @get(named[0])
    async def user(request: AnyRequest) -> UserAnswer:
        """Say what is known of a user."""
        return await about(request)

    @delete(named, status_code=200)
    async def forget(request: AnyRequest) -> Forgotten:
        """Delete a user's events and state."""
        user_id = after(USERS, request)
        (events,) = await in_time([engine.forget(user_id)], deadline)
        return Forgotten(user_id, events)

    @get("/health/live", sync_to_thread=False)
    def live() -> Live:
        """Say that the process answers."""
        return Live()

    @get("/health/ready", sync_to_thread=False)
    def ready() -> Ready:
        """Name the model that answers."""
        bundle, refused = engine.bundle, engine.refused
        return Ready(
            bundle.name,
            bundle.version,
            bundle.model.n_items,
            engine.warm,
            UNSET if refused is None else RefusedMessage(refused.version),
        )

    browse = browse_handlers(engine, deadline, about)
    described = document([events, recommend, similar, *browse, user, forget, live, ready], version="1")

    @get("/metrics", sync_to_thread=False, media_type=TEXT_TYPE)
    def metrics() -> bytes:
        """Say what was done, for Prometheus."""
        return counted.text()

    @get("/schema/openapi.json", sync_to_thread=False)
    def schema() -> dict[str, Any]:
        """Describe these routes."""
        return described

    return Litestar(
        [events, recommend, similar, *browse, user, forget, live, ready, metrics, schema, *page_handlers()],
        request_class=StrictRequest,
        exception_handlers=HANDLERS,
        request_max_body_size=MAX_BODY_BYTES,
        # the framework's own pages load scripts from elsewhere
        openapi_config=None,
        logging_config=None,
    )


async def done(engine: Engine, tasks: Sequence[Task], deadline: float) -> list[Done]:
    """What comes of tasks, once all is stored. Others are served meanwhile.

    Raises:
        OverloadedError: it took longer than it may. What had not been begun is not done.
    """
    engine.submit(tasks)
    return await in_time([task.result for task in tasks], deadline)


def after(prefix: str, request: AnyRequest) -> str:
    """What comes after the prefix in a path as it was sent: the framework's own has fewer slashes.

    Raises:
        RequestError: it is not UTF-8.
        NotFoundException: it is another spelling of the path, such as one with two slashes.
    """
    sent = request.scope["raw_path"].partition(b"?")[0].decode("latin-1")
    if not sent.startswith(prefix) or sent == prefix:
        raise NotFoundException
    try:
        return unquote(sent.removeprefix(prefix), errors="strict")
    except UnicodeDecodeError:
        raise RequestError(f"the path {sent[:80]!r} is not UTF-8; expected an id, percent-encoded") from None
