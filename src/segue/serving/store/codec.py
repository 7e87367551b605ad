"""A memory as bytes with a checksum: names, types, shapes and raw values in msgpack. Nothing is pickled."""

from __future__ import annotations

from zlib import crc32

import msgspec
import numpy as np

from segue.errors import StoreError
from segue.models.base import State

Array = tuple[str, tuple[int, ...], bytes]
"""Type, shape and values."""

Part = Array | str
"""An array, or the name of another one with the same bytes: the output of a GRU is its state."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(dict[str, Part])


class DamagedStateError(StoreError):
    """A state that is not what was written."""


def encode_state(state: State) -> bytes:
    """The bytes of a state of plain numbers and truth values, after four of their checksum.

    What has the values of an array before it is stored once.
    """
    packed: dict[str, Part] = {}
    known: dict[tuple[str, tuple[int, ...], bytes], str] = {}
    for name, array in state.items():
        if array.dtype.kind not in "biuf":
            raise StoreError(f"state array `{name}` has type {array.dtype}; expected numbers or truth values")
        part = (array.dtype.str, array.shape, array.tobytes())
        twin = known.setdefault(part, name)
        packed[name] = part if twin == name else twin
    content = _encoder.encode(packed)
    return crc32(content).to_bytes(4, "little") + content


def decode_state(encoded: bytes) -> State:
    """The state of these bytes. Raises DamagedStateError.

    >>> state = decode_state(encode_state({"time": np.array([1.5])}))
    >>> state["time"]
    array([1.5])
    """
    content = encoded[4:]
    if crc32(content).to_bytes(4, "little") != encoded[:4]:
        raise DamagedStateError(
            f"a stored state of {len(encoded)} bytes does not have the checksum it was written with"
        )
    try:
        packed = _decoder.decode(content)
        state: State = {}
        for name, part in packed.items():
            kind, shape, values = part if not isinstance(part, str) else whole(packed[part])
            state[name] = np.frombuffer(values, np.dtype(kind)).reshape(shape).copy()
    except (msgspec.MsgspecError, ValueError, TypeError, KeyError) as error:
        raise DamagedStateError(f"a stored state of {len(encoded)} bytes cannot be read: {error}") from error
    return state


def whole(part: Part) -> Array:
    """An array that another one is the same as. Raises ValueError where that is a mere name, too."""
    if isinstance(part, str):
        raise ValueError("an array is said to be the same as another one that is not there")
    return part
