"""The OpenAPI document, made from the handlers and the very types that decode and encode."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, get_args, get_origin

import msgspec
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from segue.web.guard import OPEN
from segue.web.messages import MAX_BODY_BYTES, ErrorAnswer, EventsAnswer, RecommendMessage

ABOUT = (
    "Events in, what comes next out. Ids are any text of 1 to 1,024 characters without NUL; times are Unix seconds in "
    "UTC. An answer that is not 200 has a code, a message for people and, where one is to blame, a field. Unknown "
    "routes are answered with 404, wrong methods with 405, and what is no HTTP with 400, 408 or 431."
)

_WITH_KEYS = {
    "401": "the server asks for a key, and this request brings none that it knows",
    "429": "the rate of the key is used up; wait as `Retry-After` says",
}

_WITH_BODY = {
    "400": "the body is no message, or cannot be answered as it stands",
    "408": "the body did not come in time",
    "413": f"the body has more than {MAX_BODY_BYTES} bytes",
}

_WITH_STORE = {
    "503": "too much waits, or it took too long, or events and states cannot be read or written: come back as "
    "`Retry-After` says. A part of a call may be stored"
}

_LATER = {"Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 1}}}

_EXAMPLES: dict[str, Any] = {
    "events": {"events": [{"user_id": "anna", "item_id": "42", "event_id": "1"}]},
    "recommend": {"user_id": "anna", "k": 5},
    "similar": {"item_id": "42", "k": 5},
    "items": {"item_ids": ["42"]},
    "history": {"user_id": "anna", "last": 5},
}

# what the types alone do not say
_ALSO = {
    RecommendMessage: {
        "oneOf": [
            {"required": [name], "properties": {name: {"not": {"type": "null"}}}} for name in ("user_id", "items")
        ]
    }
}


def document(handlers: Sequence[HTTPRouteHandler], *, version: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of these handlers, each with one method, and one path or several spellings of it."""
    types = [field.annotation for handler in handlers if (field := handler.parsed_data_field) is not None]
    types = list(dict.fromkeys([*types, *map(answer_of, handlers), ErrorAnswer]))
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(types, schemas, strict=True))
    for kind, also in _ALSO.items():
        if kind in schema_of:
            components[kind.__name__] |= also
    paths: dict[str, Any] = {}
    for handler in handlers:
        path, (method,) = max(handler.paths, key=len), handler.http_methods - {"OPTIONS", "HEAD"}
        named = re.sub(r"\{(\w+):\w+\}", r"{\1}", path)
        paths.setdefault(named, {})[method.lower()] = operation(handler, named, schema_of)
    scheme = {
        "type": "http",
        "scheme": "bearer",
        "description": "a key that `segue key` made, where keys are asked for",
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "segue", "version": version, "description": ABOUT},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": {"key": scheme}},
    }


def operation(handler: HTTPRouteHandler, path: str, schema_of: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    """What a handler takes, gives and refuses."""
    body, gives, open_to_all = handler.parsed_data_field, answer_of(handler), path.startswith(OPEN)
    content, refused = _content(schema_of[gives]), _content(schema_of[ErrorAnswer])
    asked = handler.opt.get("query")
    parameters = parameters_of(path) if asked is None else fields_of(asked)
    reasons = {} if open_to_all else dict(_WITH_KEYS)
    if body is not None:
        reasons |= _WITH_BODY
    elif parameters:
        reasons["400"] = "it cannot be an id" if asked is None else "the query says what cannot be meant"
    if not open_to_all and handler.handler_name not in ("similar", "model"):
        reasons |= _WITH_STORE
    responses: dict[str, Any] = {"200": {"description": "done", **content}}
    for status, reason in reasons.items():
        later = {"headers": _LATER} if status in ("429", "503") else {}
        responses[status] = {"description": reason, **later, **refused}
    if gives is EventsAnswer:
        responses["409"] = {"description": "some events were refused, the others are stored", **content}
    described: dict[str, Any] = {
        "operationId": handler.handler_name,
        "summary": (handler.fn.__doc__ or "").strip(),
        "security": [] if open_to_all else [{"key": []}, {}],
        "responses": dict(sorted(responses.items())),
        **({"parameters": parameters} if parameters else {}),
    }
    if body is not None:
        taken = {"schema": schema_of[body.annotation]}
        if handler.handler_name in _EXAMPLES:
            taken["example"] = _EXAMPLES[handler.handler_name]
        described["requestBody"] = {"required": True, "content": {"application/json": taken}}
    return described


def parameters_of(path: str) -> list[dict[str, Any]]:
    """What stands in braces in a path."""
    schema = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "path", "required": True, "description": "an id, percent-encoded", "schema": schema}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def fields_of(kind: type) -> list[dict[str, Any]]:
    """What may stand in a query that is read as a message of this type, of plain fields."""
    fields = msgspec.json.schema(kind)["$defs"][kind.__name__]["properties"]
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in fields.items()]


def answer_of(handler: HTTPRouteHandler) -> Any:
    """The type of what a handler gives, also where that is wrapped with a status."""
    annotation = handler.parsed_return_field.annotation
    return get_args(annotation)[0] if get_origin(annotation) is Response else annotation


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
