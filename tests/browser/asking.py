"""A server asked without a browser."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from live_server import Live


def ask(live: Live, path: str, body: dict[str, Any] | None = None, key: str | None = None) -> Any:
    """What a server answers: to a POST of a body, else to a GET."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({} if key is None else {"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(urllib.request.Request(live.address + path, data, headers), timeout=30) as answer:
        return json.load(answer)
