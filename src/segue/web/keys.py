"""Who may ask, and how often: keys by their hash, each with a rate."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import tomli_w
from msgspec import Struct

from segue.errors import ConfigError


class Key(Struct, frozen=True, forbid_unknown_fields=True):
    """One key.

    Attributes:
        name: what people and logs call it.
        sha256: the hash of the key, in hexadecimal digits; the key itself is kept nowhere.
        rate: requests a second; up to as many come at once. None: no bound.
    """

    name: str
    sha256: str
    rate: float | None = None


class Keys:
    """The keys of a file, and what each has left of its rate.

    Raises:
        ConfigError: the file cannot be read, or holds no keys.
    """

    def __init__(self, file: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = {key.sha256: key for key in read_keys(file)}
        if not self._keys:
            raise ConfigError(f"{file} holds no keys: make one with `segue key {file} --name NAME`")
        self._clock = clock
        self._buckets = {key.name: Bucket(key.rate, clock()) for key in self._keys.values() if key.rate is not None}

    def known(self, given: str) -> Key | None:
        """The key that is given; None where it is none of them."""
        return self._keys.get(hash_of(given))

    def wait(self, key: Key) -> float:
        """Seconds until the key may ask; 0: it may now, and has asked."""
        bucket = self._buckets.get(key.name)
        return 0.0 if bucket is None else bucket.take(self._clock())


class Bucket:
    """Fills with `rate` a second, holds as much as comes in one (at least 1), and gives 1 at a time."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate, self.most = rate, max(rate, 1.0)
        self.left, self.at = self.most, now

    def take(self, now: float) -> float:
        """0 where there was one; else the seconds until there is."""
        self.left = min(self.most, self.left + (now - self.at) * self.rate)
        self.at = now
        if self.left >= 1:
            self.left -= 1
            return 0.0
        return (1 - self.left) / self.rate


def hash_of(key: str) -> str:
    """The SHA-256 of a key: enough for a secret of 256 random bits, which no one guesses."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def read_keys(file: Path) -> list[Key]:
    """The keys of a TOML file with a table `[[key]]` each. Raises ConfigError where that is not what it holds."""
    try:
        tree: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
        keys = msgspec.convert(tree.get("key", []), list[Key])
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{file} cannot be read as a file of keys: {error}") from error
    for key in keys:
        if len(key.sha256) != 64 or set(key.sha256) - set("0123456789abcdef"):
            raise ConfigError(f"{file}: the `sha256` of key `{key.name}` is no hash; make keys with `segue key`")
        if key.rate is not None and not key.rate > 0:
            raise ConfigError(f"{file}: the `rate` of key `{key.name}` is {key.rate}; expected requests a second")
    if len({key.name for key in keys}) < len(keys):
        raise ConfigError(f"{file}: two keys have one name; expected a name each")
    return keys


def add_key(file: Path, name: str, rate: float | None = None) -> str:
    """Put a new key into a file, which only its owner may read; the key, which is shown this once.

    Raises:
        ConfigError: the name is taken, the rate is none, or the file cannot be read or written.
    """
    keys = read_keys(file) if file.exists() else []
    if any(key.name == name for key in keys):
        raise ConfigError(f"{file} has a key `{name}` already; choose another name, or remove that one from the file")
    if not name or (rate is not None and not rate > 0):
        raise ConfigError(f"a key `{name}` with a rate of {rate}: expected a name, and requests a second above 0")
    key = secrets.token_urlsafe(32)
    keys.append(Key(name, hash_of(key), rate))
    tables = [{field: value for field, value in msgspec.to_builtins(one).items() if value is not None} for one in keys]
    partial = file.with_name(f".{file.name}.partial")
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(tomli_w.dumps({"key": tables}))
        os.replace(partial, file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written ({error.strerror})") from error
    return key
