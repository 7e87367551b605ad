"""Where a store in Valkey lies: what its URL says."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from segue.errors import ConfigError, did_you_mean

SCHEMES = ("valkey", "valkeys")
"""Plain, and by TLS."""

OPTIONS = ("prefix", "appendfsync", "ssl_ca_certs")

EXAMPLE = "valkey://127.0.0.1:6379/0?prefix=shop"


class Place(NamedTuple):
    """What a URL of a store says.

    Attributes:
        host, port, database: of the server.
        prefix: the name of the store; several may lie on one server.
        username, password: None: the server asks for none.
        tls: whether the connection is encrypted, and the server's certificate checked, with the host in it.
        ca_certs: a file of certificates to check it by; None: the system's.
        appendfsync: what the operator says of a server that does not tell it; None: the server is asked.
    """

    host: str
    port: int
    database: int
    prefix: str
    username: str | None = None
    password: str | None = None
    tls: bool = False
    ca_certs: str | None = None
    appendfsync: str | None = None

    def __str__(self) -> str:
        """The URL without what is secret.

        >>> print(place_of("valkey://me:secret@db.example:6379/0?prefix=shop"))
        valkey://db.example:6379/0?prefix=shop
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{SCHEMES[self.tls]}://{host}:{self.port}/{self.database}?prefix={self.prefix}"


def is_place(name: str) -> bool:
    """Whether a name of a store is the URL of one in Valkey.

    >>> is_place("valkey://127.0.0.1"), is_place("a/folder")
    (True, False)
    """
    return name.partition("://")[0] in SCHEMES and "://" in name


def place_of(url: str, password: str | None = None) -> Place:
    """What a URL says. No message has the password.

    Args:
        password: where the URL has none.

    Raises:
        ConfigError: it is no URL of a store in Valkey.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or 6379
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise ConfigError(f"the URL of the store cannot be read ({error}); expected one such as {EXAMPLE}") from None
    options = dict(given)
    for name in options:
        if name not in OPTIONS:
            raise ConfigError(f"the URL of the store has an option `{name}`{did_you_mean(name, OPTIONS)}")
    database = parts.path.strip("/") or "0"
    if not host or not database.isdecimal() or parts.fragment or len(options) < len(given):
        raise ConfigError(f"the URL of the store does not fit; expected one such as {EXAMPLE}")
    prefix = options.get("prefix", "segue")
    if (
        not prefix
        or len(prefix) > 100
        or not prefix.isascii()
        or not prefix.replace("-", "").replace("_", "").isalnum()
    ):
        raise ConfigError(f"`prefix` is {prefix[:100]!r}; expected up to 100 letters, digits, - and _, such as shop")
    said = options.get("appendfsync")
    if said not in (None, "always"):
        raise ConfigError(f"`appendfsync` is {said!r}; expected `always`, or nothing: then the server is asked")
    return Place(
        host,
        port,
        int(database),
        prefix,
        None if parts.username is None else unquote(parts.username) or None,
        unquote(parts.password) if parts.password else password,
        parts.scheme == "valkeys",
        options.get("ssl_ca_certs"),
        said,
    )
