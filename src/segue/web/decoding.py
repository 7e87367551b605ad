"""From the bytes of a body to a message, strictly: no text is taken for a number, no field is ignored."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException

from segue.models.known_items import SIMILARITIES
from segue.serving.bundle import EXCLUDES

_FIELD = re.compile(r"field `(?P<name>[^`]*)`$")

# a body may hold a name as long as itself; the answer need not repeat it
_SHOWN = 300


BODY_SECONDS = 20.0
"""A body that takes longer is not waited for."""


class BodyError(Exception):
    """A body that is no message.

    Args:
        code: `malformed_json` or `invalid_message`.
        message: for people.
        field: where, such as `events[0].timestamp`.
        status: of the answer.
    """

    def __init__(self, code: str, message: str, field: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.field = field
        self.status = status


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON is decoded into the type that its handler names for `data`."""

    async def body(self) -> bytes:
        """The body. Raises BodyError where it does not come."""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await super().body()
        except TimeoutError:
            raise slow_body() from None
        except InternalServerException:  # what the framework makes of a client that is gone
            raise BodyError("cut_body", "the connection ended before the body did") from None

    async def json(self) -> Any:
        """The message. Raises BodyError."""
        field = self.route_handler.parsed_data_field
        return decode(await self.body(), Any if field is None else field.annotation)


def slow_body() -> BodyError:
    """The error for a body that is not waited for any more."""
    return BodyError("slow_body", f"the body had not come after {BODY_SECONDS:g} s; expected it at once", status=408)


def decode(body: bytes, kind: Any) -> Any:
    """The message of type `kind` in a body. Raises BodyError."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise explained(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyError(
            "malformed_json", f"the body is not JSON in UTF-8: {error}; expected one JSON object"
        ) from error


def explained(text: str) -> BodyError:
    """The error for what msgspec says, such as "Expected `str`, got `int` - at `$.items[0]`"."""
    what, _, path = text.rpartition(" - at `$") if " - at `$" in text else (text, "", "")
    path = path.removesuffix("`").removeprefix(".")[:_SHOWN]
    name = _FIELD.search(what)
    field = ".".join(part for part in (path, name["name"] if name else "") if part)[:_SHOWN] or None
    what = what[:_SHOWN]
    if (path.endswith("timestamp") or path.startswith("times[")) and "<" in what:
        what += " (Unix seconds below the year 2200); it looks like milliseconds: divide it by 1000"
    if "enum value" in what:
        what += f"; expected one of {', '.join(SIMILARITIES if path == 'similarity' else EXCLUDES)}"
    where = f"`{path}`" if path else "the body"
    return BodyError("invalid_message", f"{where}: {what[:1].lower()}{what[1:]}", field)
