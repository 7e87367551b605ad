"""From what stands after the question mark to a message, as strictly as from a body."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from segue.web.decoding import BodyError, explained
from segue.web.errors import AnyRequest

Query = TypeVar("Query")

MOST_FIELDS = 20

EXPECTED = "expected `name=value` pairs, percent-encoded UTF-8, parted by `&`"


def query_of(request: AnyRequest, kind: type[Query]) -> Query:
    """The query of a request as a message of type `kind`. Raises BodyError."""
    sent = request.scope["query_string"].decode("latin-1")
    try:
        pairs = parse_qsl(
            sent, keep_blank_values=True, strict_parsing=bool(sent), errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise BodyError("invalid_query", f"the query cannot be read ({error}); {EXPECTED}") from None
    fields = dict(pairs)
    for name, value in pairs:
        if "\0" in value:
            raise BodyError("invalid_query", f"`{name[:80]}` has a NUL character; expected text without", name[:80])
    if len(fields) < len(pairs):
        raise BodyError("invalid_query", f"a name stands in the query twice; {EXPECTED}, each name once")
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as error:
        found = explained(str(error))
        raise BodyError("invalid_query", str(found).replace("the body:", "the query:"), found.field) from None
