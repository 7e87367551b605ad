"""A model that keeps old sequences to learn from again, as tests make one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from segue.artifact import MANIFEST, read_manifest


def with_file(folder: Path, name: str, data: bytes) -> Path:
    """Put one more file into a model, and its hash with it."""
    (folder / name).write_bytes(data)
    manifest = read_manifest(folder)
    files = {**manifest.files, name: hashlib.sha256(data).hexdigest()}
    (folder / MANIFEST).write_bytes(msgspec.json.encode(replace(manifest, files=files)))
    return folder


def hash_of(user: str) -> int:
    return int(np.frombuffer(hashlib.blake2b(user.encode(), digest_size=8).digest(), "<u8")[0])


def replay(users: list[str], lengths: list[int]) -> dict[str, Any]:
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    events = int(bounds[-1])
    return {
        "user": np.array([hash_of(user) for user in users], np.uint64),
        "bounds": bounds,
        "item": np.arange(events, dtype=np.int32),
        "time": np.arange(events) * 1.5,
        "seed": np.array([5]),
        "order": np.arange(len(users), dtype=np.int16),
    }
