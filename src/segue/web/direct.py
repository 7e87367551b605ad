"""The route that is asked again and again, without the framework's way to it: more than half of what it costs there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from litestar import Response

from segue.errors import OverloadedError, RequestError, StoreError
from segue.serving.engine import Engine
from segue.serving.task import Task, question_of
from segue.web import decoding
from segue.web.app import done
from segue.web.decoding import BodyError, decode, slow_body
from segue.web.errors import failed_inside, on_body, on_overload, on_request, on_store
from segue.web.messages import MAX_BODY_BYTES, ErrorAnswer, RecommendMessage
from segue.web.translating import ask_of, own_event, recommend_answer

ROUTE = "/v1/recommend"

Receive = Callable[[], Awaitable[Any]]


class Direct:
    """An ASGI application before the framework's: it answers what is asked well of `/v1/recommend`, that one the rest.

    A body that is no message, comes in parts or is too large goes there as well, which has the words for it.
    """

    def __init__(self, app: Any, engine: Engine, deadline: float) -> None:
        self._app, self._engine, self._deadline = app, engine, deadline

    async def __call__(self, scope: Any, receive: Receive, send: Any) -> None:
        """One request."""
        if scope.get("method") == "HEAD":
            # as those ask who only want to know whether it is there; the connection leaves the body out
            scope = {**scope, "method": "GET"}
        if scope["type"] != "http" or scope["path"] != ROUTE or scope["method"] != "POST" or scope.get("root_path"):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(decoding.BODY_SECONDS):
                first = await receive()
        except TimeoutError:
            await respond_with(send, on_body(None, slow_body()))
            return
        task = task_of(first, self._engine)
        if task is None:
            await self._app(scope, after(first, receive), send)
            return
        try:
            (found,) = await done(self._engine, [task], self._deadline)
            content = msgspec.json.encode(recommend_answer(found))
        except RequestError as error:
            await respond_with(send, on_request(None, error))
        except OverloadedError as error:
            await respond_with(send, on_overload(None, error))
        except StoreError as error:
            await respond_with(send, on_store(None, error))
        except Exception as error:
            await respond_with(send, failed_inside("POST", ROUTE, error))
        else:
            await respond(send, 200, content)


def task_of(message: Mapping[str, Any], engine: Engine) -> Task | None:
    """What a request asks for, if all of it came in one message and is as it should be."""
    body = message.get("body", b"")
    if message["type"] != "http.request" or message.get("more_body") or len(body) > MAX_BODY_BYTES:
        return None
    try:
        data: RecommendMessage = decode(body, RecommendMessage)
        if data.explain or data.rules is not None:  # what takes long is not done in the event loop
            return None
        return question_of(data.user_id, data.items, ask_of(data, engine), own_event(data), data.times)
    except (BodyError, RequestError):
        return None


def after(first: Any, receive: Receive) -> Receive:
    """What was received, once more, and then what comes."""
    given = [first]

    async def again() -> Any:
        return given.pop() if given else await receive()

    return again


async def respond_with(send: Any, response: Response[ErrorAnswer]) -> None:
    """Send the answer for a failure."""
    await respond(send, response.status_code or 500, msgspec.json.encode(response.content), response.headers)


async def respond(send: Any, status: int, content: bytes, headers: Mapping[str, Any] | None = None) -> None:
    """Send an answer."""
    lines = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    lines += [(name.lower().encode("latin-1"), str(value).encode("latin-1")) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": content})
