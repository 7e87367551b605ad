"""What stands before the routes: keys, rates, counts, and a line in the log for each request."""

from __future__ import annotations

import logging
import math
import time
from typing import Any

import msgspec

from segue.web.counts import Counts
from segue.web.keys import Key, Keys
from segue.web.local import stranger
from segue.web.messages import ErrorAnswer, ErrorDetail
from segue.web.pages import PAGES

OPEN = ("/health/",)
"""What may be asked without a key: whoever starts and stops servers has none."""

KNOWN = (
    *(f"/v1/{name}" for name in ("events", "recommend", "similar", "items", "history", "users", "choices", "model")),
    *("/health/live", "/health/ready", "/metrics", "/schema/openapi.json"),
)
"""The paths that name nobody, as they are counted."""

_log = logging.getLogger("segue.web.requests")


class Guard:
    """An ASGI application around another one.

    Args:
        keys: without, whoever reaches the server may ask.
        counts: told of each answer.
        logged: whether each request gets a line. Ids of users are not in it.
        local: whether what is not meant for this machine is refused, as of pages of strangers; health is told to all.
    """

    def __init__(
        self,
        app: Any,
        *,
        keys: Keys | None = None,
        counts: Counts | None = None,
        logged: bool = False,
        local: bool = False,
    ) -> None:
        self._app, self._keys, self._counts, self._logged, self._local = app, keys, counts, logged, local

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, path = time.perf_counter(), 500, str(scope["path"])

        async def noting(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        key: Key | None = None
        try:
            other = stranger(scope) if self._local and not path.startswith(OPEN) else None
            if other is not None:
                await refuse(noting, *other)
                return
            if self._keys is not None and not path.startswith(OPEN) and path not in PAGES:
                key = self._keys.known(bearer(scope))
                if key is None:
                    await refuse(noting, 401, "unauthorized", "expected `Authorization: Bearer KEY` with a known key")
                    return
                if wait := self._keys.wait(key):
                    message = f"the rate of {key.rate:g} requests a second is used up; wait as `Retry-After` says"
                    await refuse(noting, 429, "too_many", message, wait)
                    return
            await self._app(scope, receive, noting)
        finally:
            seconds = time.perf_counter() - begun
            route = route_of(path)
            if self._counts is not None:
                self._counts.answered(route, status, seconds)
            if self._logged:
                line = {"route": route, "method": scope["method"], "status": status, "ms": round(1e3 * seconds, 2)}
                _log.info("request", extra={"fields": line | ({} if key is None else {"key": key.name})})


def bearer(scope: Any) -> str:
    """The key that a request brings; empty where there is none."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, given = value.decode("latin-1").partition(" ")
            return given.strip() if kind.lower() == "bearer" else ""
    return ""


def route_of(path: str) -> str:
    """A path without what names a user, and nothing that a stranger made up."""
    if path.startswith("/v1/users/"):
        return "/v1/users/{user_id}"
    if path in PAGES:
        return "/page/{file}" if path.startswith("/page/") else path
    return path if path in KNOWN else "other"


async def refuse(send: Any, status: int, code: str, message: str, wait: float | None = None) -> None:
    """Answer without asking the routes."""
    body = msgspec.json.encode(ErrorAnswer(ErrorDetail(code, message)))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if wait is not None:
        headers.append((b"retry-after", str(max(1, math.ceil(wait))).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
