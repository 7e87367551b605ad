"""A connection to a Valkey server: one round trip a call, and errors that say what to do."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from segue.errors import StoreError
from segue.serving.store.base import UncertainError
from segue.serving.store.valkey.functions import CODE
from segue.serving.store.valkey.place import Place

CONNECT, ANSWER = 2.0, 5.0
"""Seconds after which a connection, and an answer, is given up."""

PAUSES = (0.05, 0.5)
"""Seconds before a write to which no answer came is sent again."""

IDLE = 30
"""After so many seconds without a word a connection is tried before it is used."""

Command = tuple[str | bytes | int | float, ...]

_ADVICE = {
    "OOM": "it is full; raise its `maxmemory`, or forget old events with --keep",
    "MISCONF": "it cannot write its own disk; free some space, and look into its log",
    "READONLY": "it is a replica; name the primary in --store",
    "MOVED": "the store lies on another node of the cluster; name that one in --store",
    "CLUSTERDOWN": "the cluster is down; look into its log",
    "CROSSSLOT": "another segue's keys, or a proxy that moves them; expected a server of its own",
    "NOAUTH": "it asks for a password; give one in SEGUE_VALKEY_PASSWORD or in the URL",
    "WRONGPASS": "name or password are wrong; see SEGUE_VALKEY_PASSWORD and the URL",
    "NOPERM": "its user may not do this; docs/valkey.md says which commands are used",
    "WRONGTYPE": "another program has keys of this prefix; choose another prefix",
    "LOADING": "it is starting; try again in a moment",
}

# the client keeps some codes as a type and drops the word
_CODES = {
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "MovedError": "MOVED",
    "ClusterDownError": "CLUSTERDOWN",
    "ClusterCrossSlotError": "CROSSSLOT",
    "AuthenticationError": "WRONGPASS",
    "NoPermissionError": "NOPERM",
    "BusyLoadingError": "LOADING",
}


class ValkeyServer:
    """A server, connected to when something is asked, and again after it was away.

    Raises:
        StoreError: the package `valkey` is missing.
    """

    def __init__(self, place: Place) -> None:
        try:
            import valkey
            from valkey.backoff import NoBackoff
            from valkey.retry import Retry
        except ImportError:
            raise StoreError(
                "a store in Valkey needs the package `valkey`, which is not installed: pip install 'segue[valkey]'"
            ) from None
        self.name = str(place)
        self._closed = False
        tls: dict[str, Any] = {}
        if place.tls:
            tls = {"ssl": True, "ssl_ca_certs": place.ca_certs, "ssl_check_hostname": True}  # by default it is not
        self._client: Any = valkey.Valkey(
            host=place.host,
            port=place.port,
            db=place.database,
            username=place.username,
            password=place.password,
            socket_connect_timeout=CONNECT,
            socket_timeout=ANSWER,
            socket_keepalive=True,
            health_check_interval=IDLE,
            retry=Retry(NoBackoff(), 0),  # what may be sent twice is decided here
            **tls,
        )

    def ask(self, *commands: Command) -> list[Any]:
        """The answers to commands, in one round trip. Raises StoreError where one of them failed."""
        with self._explained("read"):
            return self._together(commands)

    def call(self, function: str, keys: Sequence[str], args: Command) -> Any:
        """Have a function called that may be called twice: where no answer comes it is, a few times.

        Raises:
            StoreError: the server refused, and nothing was done.
            UncertainError: no answer came: it may be done or not.
        """
        import valkey

        unanswered: Exception | None = None
        with self._explained("write to"):
            for pause in (*PAUSES, None):
                try:
                    return self._call(function, keys, args)
                except (valkey.ConnectionError, valkey.TimeoutError) as error:
                    unanswered = error
                except valkey.ResponseError:
                    if unanswered is None:
                        raise
                    break  # what came of the first is not known
                if pause is not None:
                    time.sleep(pause)
        raise UncertainError(
            f"no answer from {self.name} ({unanswered}): it is not known whether this was stored; "
            "see that the server runs. What has an event id may be sent again"
        ) from unanswered

    def load_functions(self) -> None:
        """Have the functions there."""
        import valkey

        with self._explained("write to"):
            try:
                self._together([("FUNCTION", "LOAD", CODE)])
            except valkey.ResponseError as error:
                if "already exists" not in str(error):
                    raise

    def close(self) -> None:
        """Let go of the connection; a second call does nothing."""
        self._closed = True
        self._client.close()

    def _call(self, function: str, keys: Sequence[str], args: Command) -> Any:
        import valkey

        command = ("FCALL", function, len(keys), *keys, *args)
        try:
            return self._together([command])[0]
        except valkey.ResponseError as error:
            if "Function not found" not in str(error):
                raise
            # a server that was emptied, or took another's place
            self.load_functions()
            return self._together([command])[0]

    def _together(self, commands: Sequence[Command]) -> list[Any]:
        with self._client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            # it would raise with the whole command, and ids of users do not belong into a log
            answers: list[Any] = pipeline.execute(raise_on_error=False)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        """Turn what the client raises into StoreError."""
        import valkey

        if self._closed:
            raise StoreError(f"the store {self.name} is closed; open a new one")
        try:
            yield
        except valkey.ValkeyError as error:
            raise StoreError(f"cannot {doing} {self.name} ({error}): {advice_on(error)}") from error


def advice_on(error: Exception) -> str:
    """What to do about what a server answered."""
    code = _CODES.get(type(error).__name__) or str(error).partition(" ")[0]
    return _ADVICE.get(code, "see that the server runs, and look into its log")
