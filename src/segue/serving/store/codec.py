"""A state as bytes: names, types, shapes and raw values in msgpack. Nothing is pickled."""

from __future__ import annotations

import msgspec
import numpy as np

from segue.errors import StoreError
from segue.models.base import State

Packed = dict[str, tuple[str, tuple[int, ...], bytes]]

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Packed)


def encode_state(state: State) -> bytes:
    """The bytes of a state of plain numbers and truth values."""
    packed: Packed = {}
    for name, array in state.items():
        if array.dtype.kind not in "biuf":
            raise StoreError(f"state array `{name}` has type {array.dtype}; expected numbers or truth values")
        packed[name] = (array.dtype.str, array.shape, array.tobytes())
    return _encoder.encode(packed)


def decode_state(encoded: bytes) -> State:
    """The state of these bytes.

    >>> state = decode_state(encode_state({"time": np.array([1.5])}))
    >>> state["time"]
    array([1.5])
    """
    try:
        packed = _decoder.decode(encoded)
        return {
            name: np.frombuffer(values, np.dtype(kind)).reshape(shape).copy()
            for name, (kind, shape, values) in packed.items()
        }
    except (msgspec.MsgspecError, ValueError, TypeError) as error:
        raise StoreError(
            f"a stored state of {len(encoded)} bytes cannot be read ({error}); "
            "states are a cache: delete the row from `states` and it is folded anew from the events"
        ) from error
