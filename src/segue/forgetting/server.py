"""A running server asked to delete users: it alone may write to its store."""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from segue.errors import ConfigError, StoreError
from segue.forgetting.answer import InStore

SECONDS = 30
"""So long an answer is waited for."""


def check_url(url: str) -> str:
    """The address of a server, without a slash at the end. Raises ConfigError for none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"--url is `{url}`; expected the address of a server, such as http://127.0.0.1:8000")
    return url.rstrip("/")


def events_at(url: str, key: str | None, user_ids: Iterable[str], *, write: bool) -> dict[str, int]:
    """How many events a server has of each user whom it knows. With `write` they are deleted.

    Raises:
        StoreError: it cannot be reached, or refuses. Users before that stay deleted.
    """
    found = {}
    for user_id in user_ids:
        known = asked(url, key, "GET", user_id)
        if known["events"] or known.get("last_seq"):
            found[user_id] = int((asked(url, key, "DELETE", user_id) if write else known)["events"])
    return found


def asked(url: str, key: str | None, method: str, user_id: str) -> dict[str, int]:
    """The answer of a server about a user."""
    head = {} if key is None else {"Authorization": f"Bearer {key}"}
    request = Request(f"{url}/v1/users/{quote(user_id, safe='')}", method=method, headers=head)
    try:
        with urlopen(request, timeout=SECONDS) as answer:
            told: dict[str, int] = json.load(answer)
            return told
    except HTTPError as error:
        said = error.read(500).decode("utf-8", "replace")
        raise StoreError(f"{url} answers {error.code} ({said}): see that it is a segue server, and its key") from None
    except (URLError, OSError, ValueError) as error:
        raise StoreError(f"{url} gives no answer ({error}): see that the server runs there") from None


def in_server(url: str, found: dict[str, int]) -> InStore:
    """What went from a server."""
    return InStore(url, len(found), sum(found.values()))
