"""The OpenAPI document, made from the handlers and the very types that decode and encode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

from segue.web.messages import ErrorAnswer

_REFUSALS = {
    "400": "the body is no message, or cannot be answered as it stands",
    "409": "an event id is already that of another event",
    "413": "the body is too large",
    "503": "events and states cannot be read or written",
}


def document(handlers: Sequence[HTTPRouteHandler], *, version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these handlers, each with one path and one method."""
    taken = {handler: handler.parsed_data_field for handler in handlers}
    given = {handler: handler.parsed_return_field for handler in handlers}
    types = [field.annotation for field in [*taken.values(), *given.values()] if field is not None]
    types = list(dict.fromkeys([*types, ErrorAnswer]))
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(types, schemas, strict=True))
    paths: dict[str, Any] = {}
    for handler in handlers:
        (path,), (method,) = handler.paths, handler.http_methods - {"OPTIONS", "HEAD"}
        body, refusals = taken[handler], {}
        operation: dict[str, Any] = {
            "operationId": handler.handler_name,
            "summary": (handler.fn.__doc__ or "").strip(),
        }
        if body is not None:
            operation["requestBody"] = {"required": True, **_content(schema_of[body.annotation])}
            refusals = {
                status: {"description": what, **_content(schema_of[ErrorAnswer])} for status, what in _REFUSALS.items()
            }
        answer = {"description": "done", **_content(schema_of[given[handler].annotation])}
        operation["responses"] = {"200": answer, **refusals}
        paths.setdefault(path, {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "segue", "version": version},
        "paths": paths,
        "components": {"schemas": components},
    }


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
