"""The OpenAPI document, made from the handlers and the very types that decode and encode."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, get_args, get_origin

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from segue.web.messages import ErrorAnswer, EventsAnswer

_REFUSALS = {
    "400": "the body is no message, or cannot be answered as it stands",
    "413": "the body is too large",
    "503": "events and states cannot be read or written",
}


def document(handlers: Sequence[HTTPRouteHandler], *, version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these handlers, each with one path and one method."""
    taken = {handler: handler.parsed_data_field for handler in handlers}
    given = {handler: answer_of(handler) for handler in handlers}
    types = [field.annotation for field in taken.values() if field is not None]
    types = list(dict.fromkeys([*types, *given.values(), ErrorAnswer]))
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
        content = _content(schema_of[given[handler]])
        if given[handler] is EventsAnswer:
            refusals["409"] = {"description": "some events were refused, the others are stored", **content}
        operation["responses"] = {"200": {"description": "done", **content}, **refusals}
        named = re.sub(r"\{(\w+):\w+\}", r"{\1}", path)
        operation |= parameters_of(named)
        paths.setdefault(named, {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "segue", "version": version},
        "paths": paths,
        "components": {"schemas": components},
    }


def parameters_of(path: str) -> dict[str, Any]:
    """What stands in braces in a path."""
    names = re.findall(r"\{(\w+)\}", path)
    described = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    return {"parameters": described} if names else {}


def answer_of(handler: HTTPRouteHandler) -> Any:
    """The type of what a handler gives, also where that is wrapped with a status."""
    annotation = handler.parsed_return_field.annotation
    return get_args(annotation)[0] if get_origin(annotation) is Response else annotation


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
