"""Hashes that say whether a log, or a training, is the one of before."""

from __future__ import annotations

import hashlib

import msgspec
import numpy as np

from segue.config import toml_of
from segue.data import spill
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.shapes import Array
from segue.training.plan import Plan


def fingerprint(log: EventLog) -> str:
    """A hash of who, what and when, whatever order the ids were numbered in."""
    digest = hashlib.sha256()
    for ids, column in ((log.users, log.user), (log.items, log.item)):
        short = short_hashes(ids)
        for block in spill.blocks(len(column)):
            digest.update(short[column[block]].data)
        spill.release(column)
    for block in spill.blocks(len(log)):
        digest.update(np.ascontiguousarray(log.time[block]).data)
    spill.release(log.time)
    return digest.hexdigest()[:16]


def short_hashes(ids: Ids) -> Array:
    """A number for each id, the same in every log."""

    def some(block: slice) -> Array:
        texts = (ids[place].encode("utf-8", "surrogatepass") for place in range(block.start, block.stop))
        return np.frombuffer(b"".join(hashlib.blake2b(text, digest_size=8).digest() for text in texts), "<u8")

    return spill.filled(len(ids), "<u8", some)


def run_fingerprint(plan: Plan, model: str | None) -> str:
    """What a checkpoint must match: log, settings and model."""
    digest = hashlib.sha256()
    for part in (
        fingerprint(plan.log).encode(),
        toml_of(plan.settings).encode(),
        (model or plan.settings.model.cell).encode(),
    ):
        digest.update(part + b" ")
    for column in (plan.split.role, plan.judge.replayed.opens):
        for block in spill.blocks(len(column)):
            digest.update(np.ascontiguousarray(column[block]).data)
        spill.release(column)
    if plan.worth is not None:  # what is to be predicted, by types and weights of the log
        for block in spill.blocks(len(plan.worth)):
            digest.update(np.ascontiguousarray(plan.worth[block]).data)
        spill.release(plan.worth)
    if plan.events is not None and plan.features is not None:
        digest.update(msgspec.json.encode(plan.events.plain()))
        for column in plan.features.columns:
            for block in spill.blocks(len(column)):
                digest.update(np.ascontiguousarray(column[block]).data)
            spill.release(column)
    digest.update(msgspec.json.encode(plan.judge.catalog.columns))
    return digest.hexdigest()[:16]
