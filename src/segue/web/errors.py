"""Every failure as JSON: `{"error": {"code", "message", "field"?}}`. No stack trace leaves the process."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.types import ExceptionHandlersMap
from msgspec import UNSET

from segue.errors import OverloadedError, RequestError, StoreError
from segue.serving.engine import AGAIN
from segue.serving.task import ListError
from segue.web.decoding import BodyError
from segue.web.guard import route_of
from segue.web.messages import MAX_BODY_BYTES, ErrorAnswer, ErrorDetail

AnyRequest = Request[Any, Any, Any]

_log = logging.getLogger("segue.web")

_HTTP = {
    400: ("bad_request", "{detail}"),
    404: ("not_found", "there is no {path}; the routes are listed in /schema/openapi.json"),
    405: ("method_not_allowed", "{path} does not answer {method}; see /schema/openapi.json"),
    413: ("too_large", f"the body has more than {MAX_BODY_BYTES} bytes; send fewer events in a call"),
}


def failed(
    status: int, code: str, message: str, field: str | None = None, headers: Mapping[str, str] | None = None
) -> Response[ErrorAnswer]:
    """The answer for a failure."""
    detail = ErrorDetail(code, message, UNSET if field is None else field)
    return Response(ErrorAnswer(detail), status_code=status, media_type="application/json", headers=headers)


def on_body(_: AnyRequest | None, error: BodyError) -> Response[ErrorAnswer]:
    """A body that is no message."""
    return failed(error.status, error.code, str(error), error.field)


def on_request(_: AnyRequest | None, error: RequestError) -> Response[ErrorAnswer]:
    """A message that cannot be answered as it stands."""
    return failed(400, "bad_request", str(error))


def on_overload(_: AnyRequest | None, error: OverloadedError) -> Response[ErrorAnswer]:
    """Too much waits already."""
    return failed(503, "overloaded", str(error), headers={"Retry-After": "1"})


def on_store(_: AnyRequest | None, error: StoreError) -> Response[ErrorAnswer]:
    """Nothing can be read or written at the moment; paths stay in the log."""
    _log.error("the store failed: %s", error)
    message = f"events and states cannot be read or written; see the server's log. {AGAIN}"
    return failed(503, "store_unavailable", message, headers={"Retry-After": "1"})


def on_http(request: AnyRequest, error: HTTPException) -> Response[ErrorAnswer]:
    """What the framework refuses."""
    if error.status_code >= 500:
        return on_anything(request, error)
    if isinstance(error, ValidationException):
        return failed(400, "malformed_json", "the body is empty; expected one JSON object")
    code, text = _HTTP.get(error.status_code, ("refused", "{detail}"))
    message = text.format(detail=error.detail, path=request.scope["path"], method=request.method)
    return failed(error.status_code, code, message, headers=error.headers)


def on_anything(request: AnyRequest, error: Exception) -> Response[ErrorAnswer]:
    """A defect of ours: the log has it all, the caller learns that it happened."""
    return failed_inside(request.method, request.scope["path"], error)


def failed_inside(method: str, path: str, error: Exception) -> Response[ErrorAnswer]:
    """The answer for a defect of ours, which is logged."""
    if isinstance(error, ListError):  # it was logged where it came about
        return failed(500, "internal", str(error))
    _log.error("%s %s failed", method, route_of(path), exc_info=error)
    return failed(500, "internal", "the server failed on this request; its log says how")


HANDLERS: ExceptionHandlersMap = {
    BodyError: on_body,
    OverloadedError: on_overload,
    RequestError: on_request,
    StoreError: on_store,
    HTTPException: on_http,
    Exception: on_anything,
}
