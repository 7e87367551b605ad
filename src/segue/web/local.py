"""Requests that are meant for this machine: where nobody needs a key, pages of strangers in its browsers get nothing.

A page can have its own name lead to 127.0.0.1, and then read what the server answers, or send it events from under
another name. Browsers say in `Host` what name was asked, and in `Origin` what page sent it; no page changes either.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Any, NamedTuple

WAYS = (
    "Without keys this server answers on this machine only. Where a proxy, or another page, asks under another name: "
    "give --keys FILE (`segue key` makes them), or --open where something else keeps strangers out"
)


class Stranger(NamedTuple):
    """Why a request is not answered: a status, a code, and the same for people."""

    status: int
    code: str
    message: str


def stranger(scope: Any) -> Stranger | None:
    """Why a request is not meant for this machine; None: it is, or it is not a browser's and names no host."""
    hosts, origin = [], None
    for name, value in scope["headers"]:
        if name == b"host":
            hosts.append(value)
        elif name == b"origin":
            origin = value
    for host in hosts:
        if not is_local(host):
            found = f"`Host` is {shown(host)}; expected localhost or an address of this machine, such as 127.0.0.1"
            return Stranger(421, "other_host", f"{found}. {WAYS}")
    if origin is not None and origin.lower() not in [b"http://" + host.lower() for host in hosts]:
        found = f"`Origin` is {shown(origin)}, of a page that is not this server's; expected none, or its own"
        return Stranger(403, "other_origin", f"{found}. {WAYS}")
    return None


@lru_cache(256)
def is_local(host: bytes) -> bool:
    """Whether a `Host` names this machine, with a port or without.

    >>> [is_local(host) for host in (b"LocalHost:8000", b"127.0.0.2", b"[::1]:80", b"127.0.0.1.example.org", b"")]
    [True, True, True, False, False]
    """
    name = host.decode("latin-1").strip().lower()
    name = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0].removesuffix(".")
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def shown(value: bytes) -> str:
    """What a header says, as it is told."""
    return repr(value[:80].decode("latin-1"))
