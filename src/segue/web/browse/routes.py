"""The routes for one who looks around: each a look, beside the event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body

from segue.serving.browse.choices import choices_of
from segue.serving.browse.items import described, searched
from segue.serving.browse.users import last_events, some_users
from segue.serving.engine import Engine
from segue.serving.events import check_id
from segue.web.browse.beside import Beside
from segue.web.browse.messages import (
    ChoicesAnswer,
    HistoryAnswer,
    HistoryMessage,
    ItemsAnswer,
    ItemsMessage,
    SearchQuery,
    UsersAnswer,
    UsersQuery,
)
from segue.web.browse.query import query_of
from segue.web.browse.translating import choices_answer, history_answer, items_answer, users_answer
from segue.web.errors import AnyRequest


def browse_handlers(
    engine: Engine, deadline: float, about: Callable[[AnyRequest], Awaitable[Any]]
) -> Sequence[HTTPRouteHandler]:
    """The routes over an engine.

    Args:
        deadline: seconds after which a request is given up.
        about: answers what is known of one user, whose path the framework may take for that of all.
    """
    beside = Beside(deadline)

    @get("/v1/items", opt={"query": SearchQuery})
    async def search(request: AnyRequest) -> ItemsAnswer:
        """Find items by the words of their titles."""
        asked, bundle = query_of(request, SearchQuery), engine.bundle  # another one may take over meanwhile
        return await beside(lambda: items_answer(*searched(bundle, asked.search, asked.k, at=engine.clock())))

    @post("/v1/items", status_code=200)
    async def items(data: Annotated[ItemsMessage, Body()]) -> ItemsAnswer:
        """Say what is known of items."""
        for place, item_id in enumerate(data.item_ids):
            check_id(item_id, f"item_ids[{place}]")
        bundle = engine.bundle
        return await beside(lambda: items_answer(described(bundle, data.item_ids, at=engine.clock())))

    @post("/v1/history", status_code=200)
    async def history(data: Annotated[HistoryMessage, Body()]) -> HistoryAnswer:
        """Show the last events of a user."""
        bundle, user_id = engine.bundle, data.user_id
        return await beside(lambda: history_answer(bundle, user_id, last_events(engine, user_id, data.last)))

    @get("/v1/users", opt={"query": UsersQuery})
    async def users(request: AnyRequest) -> Response[UsersAnswer]:
        """Name some users who have events."""
        if request.scope["raw_path"].partition(b"?")[0] != b"/v1/users":  # of the user `/`, or none
            return Response(await about(request))
        asked = query_of(request, UsersQuery)
        return Response(await beside(lambda: users_answer(some_users(engine, asked.k))))

    @get("/v1/choices")
    async def choices() -> ChoicesAnswer:
        """Say what a request for a list may say."""
        return await beside(lambda: choices_answer(choices_of(engine)))

    return [search, items, history, users, choices]
