"""What makes numbers of the features of events, as a file: arrays, and the rest as JSON in its header."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import safetensors.numpy

from segue.data.encoding.events import EventEncoder
from segue.errors import ArtifactError

COLUMNS = "columns"
"""The entry of the header with what is no array."""


def written(encoder: EventEncoder) -> bytes:
    """An encoder as the bytes of a file."""
    arrays = {name: np.ascontiguousarray(array) for name, array in encoder.arrays().items()}
    return safetensors.numpy.save(arrays, metadata={COLUMNS: msgspec.json.encode(encoder.plain()).decode()})


def read(data: bytes | None, settings: Mapping[str, Any]) -> EventEncoder | None:
    """The encoder of these bytes; None where a model with these settings reads no features.

    Raises ArtifactError, KeyError, TypeError or ValueError where they do not fit.
    """
    width = settings.get("network", settings).get("features", 0)
    if not width:
        return None
    if data is None:
        raise ArtifactError(f"events have {width} numbers, and what makes them is missing")
    (length,) = struct.unpack("<Q", data[:8])
    columns = msgspec.json.decode(msgspec.json.decode(data[8 : 8 + length])["__metadata__"][COLUMNS])
    encoder = EventEncoder.restored(columns, safetensors.numpy.load(data))
    if encoder.width != width:
        raise ArtifactError(f"features of events have {encoder.width} numbers, expected {width}")
    return encoder
