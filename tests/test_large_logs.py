"""Logs that outgrow memory: block by block, in files and in portions, everything is as it is in one piece."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.config import SplitSettings
from segue.data import batches, spill
from segue.data.batches import Batch, windows
from segue.data.catalog import Catalog
from segue.data.events import EventLog, log_of
from segue.data.grouping import bands, grouped
from segue.data.sessions import lay_out
from segue.data.splits import TEST, TRAIN, VALID, Split, split_log
from segue.data.statistics import measure
from segue.data.targets import targets_of
from segue.errors import SplitError
from segue.evaluation.phase import Phase, phase_of
from segue.evaluation.replay import only_users_with
from segue.models.base import SessionRule
from segue.models.build import kind_of
from segue.rng import stream
from segue.training.fingerprint import fingerprint

EVENT = st.tuples(st.integers(0, 5), st.integers(0, 6), st.integers(0, 40), st.integers(0, 2))
EVENTS = st.lists(EVENT, min_size=1, max_size=60)
BLOCKS = st.integers(1, 9)


@contextmanager
def tiny(block: int, portion: int = 1 << 21, clump: int = 1 << 14, large: int = 0) -> Iterator[None]:
    """Blocks and portions of a few events, and every array in a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spill, "BLOCK", block)
        patch.setattr(spill, "LARGE", large)
        patch.setattr(batches, "PORTION", portion)
        patch.setattr(batches, "CLUMP", clump)
        yield


def log(events: list[tuple[int, int, int, int]], *, sessions: bool = False) -> EventLog:
    columns: dict[str, Any] = {"session": np.array([3 * e[0] + e[3] for e in events])} if sessions else {}
    return log_of([f"u{e[0]}" for e in events], [f"i{e[1]}" for e in events], [float(e[2]) for e in events], **columns)


def same(one: Any, other: Any) -> None:
    """Arrays of the same values and type, wherever they lie."""
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, tuple):
        for left, right in zip(one, other, strict=True):
            same(left, right)
    else:
        assert one == other


@given(EVENTS, BLOCKS, st.booleans(), st.none() | st.sampled_from([0.0, 3.0]), st.sampled_from(["reset", "mark"]))
def test_a_layout_made_in_blocks_is_that_of_one_piece(
    events: list[tuple[int, int, int, int]], block: int, sessions: bool, gap: float | None, start: str
) -> None:
    one = log(events, sessions=sessions)
    whole = lay_out(one, gap=gap, at_session_start=start)
    with tiny(block):
        same(whole, lay_out(one, gap=gap, at_session_start=start))
        same(targets_of(whole), targets_of(lay_out(one, gap=gap, at_session_start=start)))
    order = np.argsort(one.user, kind="stable")
    same(whole.order, order)


@given(st.lists(st.integers(0, 7), max_size=60), BLOCKS)
def test_grouping_is_a_stable_sort_and_its_bands_are_small(keys: list[int], block: int) -> None:
    key = np.array(keys, np.int32)
    counts = np.bincount(key, minlength=8)
    order = np.argsort(key, kind="stable")
    with tiny(block):
        found, (sorted_key, places) = grouped(counts, key, np.arange(len(key)))
    same(found, order)
    same(sorted_key, key[order])
    same(places, order)
    band, bounds = bands(counts, block)
    assert (np.diff(band.astype(int)) >= 0).all()
    for number, size in enumerate(np.diff(bounds)):
        members = counts[band == number]
        assert members.sum() == size
        assert size <= 2 * block or np.count_nonzero(members) == 1


@given(EVENTS, BLOCKS, st.data())
def test_some_events_taken_in_blocks_are_those_of_a_mask(
    events: list[tuple[int, int, int, int]], block: int, data: st.DataObject
) -> None:
    one = replace(log(events, sessions=True), features={"price": np.arange(len(events), dtype=np.float32)})
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events))))
    with tiny(block):
        part = one.where(keep)
    for name in ("user", "item", "time", "session"):
        same(getattr(part, name), getattr(one, name)[keep])
    same(part.features["price"], one.features["price"][keep])


def test_events_that_lie_side_by_side_are_not_copied() -> None:
    one = log([(0, item % 7, item, 0) for item in range(20)])
    part = one.where(one.time < 9)
    assert np.shares_memory(part.time, one.time)
    assert len(part) == 9


def split_or_none(one: EventLog, kind: str) -> Split | None:
    try:
        return split_log(one, SplitSettings(kind=kind, valid=0.2, test=0.2))  # type: ignore[arg-type]
    except SplitError:
        return None


@given(EVENTS, BLOCKS, st.sampled_from(["time", "leave-one-out", "column"]), st.integers(0, 2))
def test_a_log_is_parted_and_asked_alike_in_blocks(
    events: list[tuple[int, int, int, int]], block: int, kind: str, parts: int
) -> None:
    one = log(events, sessions=True)
    assert one.session is not None
    one = replace(one, split=np.array([TRAIN, TEST, VALID])[one.session % (parts + 1)])
    whole = split_or_none(one, kind)
    with tiny(block):
        same(whole, split_or_none(one, kind))
        if whole is None:
            return
        found = [phase_of(one, whole, SessionRule(3.0), ask=ask, at_most=2) for ask in (VALID, TEST)]
    for ask, phase in zip((VALID, TEST), found, strict=True):
        expected = phase_of(one, whole, SessionRule(3.0), ask=ask, at_most=2)
        same(expected._replace(catalog=0), phase._replace(catalog=0))  # type: ignore[arg-type]
        assert phase.catalog == expected.catalog
        check_by_masks(one, whole, phase, ask)


def check_by_masks(one: EventLog, split: Split, phase: Phase, ask: int) -> None:
    """What a phase is, by masks over the whole log."""
    role = split.role[split.role <= ask][phase.replayed.order]
    may = (role == ask) & ~phase.replayed.opens & ~phase.replayed.starts
    assert phase.left_out == may.sum() - phase.asked.sum()
    assert phase.first == (role == ask).sum() - may.sum()
    assert (phase.asked <= may).all()
    same(phase.earlier, role < ask)
    same(phase.learned.time, one.time[split.role < ask][phase.learned.order])
    if split.cutoff is not None:
        assert phase.cutoff == one.time[split.role == ask].min()


@given(EVENTS, BLOCKS, st.booleans())
def test_measures_and_fingerprint_are_the_same_in_blocks(
    events: list[tuple[int, int, int, int]], block: int, sessions: bool
) -> None:
    one = log([*events, (0, 0, 50, 0), (1, 1, 51, 0)], sessions=sessions)
    with tiny(block):
        same(tuple(measure(one)), tuple(measure(one)))
        found = measure(one), fingerprint(one)
    assert found == (measure(one), fingerprint(one))
    laid = lay_out(one, gap=None if sessions else 1800.0, at_session_start="reset")
    lengths = np.diff(np.append(np.flatnonzero(laid.opens), len(laid)))
    assert found[0].session_length == (*np.percentile(lengths, [10, 50, 90]).astype(int), lengths.max())
    assert found[0].length[:3] == tuple(np.percentile(np.diff(laid.bounds), [10, 50, 90]).astype(int))
    pause = np.diff(laid.time)[laid.user[1:] == laid.user[:-1]]
    assert found[0].median_pause == (np.median(pause) if len(pause) else None)
    pairs = set(zip(one.user.tolist(), one.item.tolist(), strict=True))
    assert found[0].repeated == 1 - len(pairs) / len(one)


@given(EVENTS, st.permutations(range(6)), st.permutations(range(7)))
def test_a_fingerprint_does_not_depend_on_how_ids_are_numbered(
    events: list[tuple[int, int, int, int]], users: list[int], items: list[int]
) -> None:
    one = log(events)
    numbered = log_of(
        [f"u{u}" for u in users] + [one.users[u] for u in one.user],
        [f"i{i}" for i in (*items, 0)[: len(users)]] + [one.items[i] for i in one.item],
        [-1.0] * len(users) + one.time.tolist(),
    )
    other = numbered.where(numbered.time >= 0)
    assert fingerprint(other) == fingerprint(one)
    assert fingerprint(replace(one, time=one.time + 1)) != fingerprint(one)


@given(EVENTS, BLOCKS, st.data())
def test_users_with_an_asked_event_are_kept_whole(
    events: list[tuple[int, int, int, int]], block: int, data: st.DataObject
) -> None:
    laid = lay_out(log(events), gap=3.0, at_session_start="reset")
    asked = np.array(data.draw(st.lists(st.booleans(), min_size=len(laid), max_size=len(laid))))
    users = set(laid.user[asked].tolist())
    keep = np.isin(laid.user, list(users))
    with tiny(block):
        part, there = only_users_with(laid, asked)
    same(part.item, laid.item[keep])
    same(part.starts, laid.starts[keep])
    same(there, asked[keep])
    assert part.of.tolist() == sorted(users)
    assert [set(part.user[a:b]) for a, b in zip(part.bounds[:-1], part.bounds[1:], strict=True)] == [
        {u} for u in sorted(users)
    ]


def test_items_are_looked_up_in_a_catalog_block_by_block() -> None:
    one = log([(0, 5 * e % 7, e, 0) for e in range(30)])
    few = Catalog.of(one.where(one.item < 3))
    with tiny(4):
        same(few.items_of(one), np.where(one.item < 3, one.item, -1).astype(np.int32))
        assert Catalog.of(one.where(one.item < 3)).ids == few.ids


PACKING = st.tuples(st.integers(1, 5), st.integers(1, 6), st.none() | st.integers(0, 4))


def packed(events: list[tuple[int, int, int, int]], start: str, packing: Any, skip: int = 0) -> list[Batch]:
    rows, window, seed = packing
    rng = None if seed is None else stream(seed, "batches")
    laid = lay_out(log(events), gap=3.0, at_session_start=start)
    return list(windows(laid, rows=rows, window=window, rng=rng, skip=skip))


@given(EVENTS, st.sampled_from(["reset", "mark"]), PACKING, st.integers(1, 25), st.integers(1, 5))
def test_whatever_the_portion_every_event_comes_once_and_a_row_goes_on_unless_a_sequence_starts(
    events: list[tuple[int, int, int, int]], start: str, packing: Any, portion: int, clump: int
) -> None:
    laid = lay_out(log(events), gap=3.0, at_session_start=start)
    with tiny(5, portion, clump):
        found = packed(events, start, packing)
    assert {batch.place.shape for batch in found} == {packing[1::-1]}
    place, starts = (np.concatenate([getattr(batch, name) for batch in found]) for name in ("place", "starts"))
    assert sorted(place[place >= 0]) == list(range(len(laid)))
    assert (starts == ((place >= 0) & laid.starts[place])).all()
    for row, begins in zip(place.T, starts.T, strict=True):
        # after the end of a portion, and at the very first, a row can only begin a sequence
        goes_on = row == np.concatenate([[-2], row[:-1]]) + 1
        assert (begins | goes_on | (row < 0)).all()
    assert all((batch.place >= 0).any() for batch in found)


@given(EVENTS, PACKING, st.integers(1, 25), st.integers(1, 5), st.integers(0, 40))
def test_skipped_windows_are_those_one_would_have_dropped(
    events: list[tuple[int, int, int, int]], packing: Any, portion: int, clump: int, skip: int
) -> None:
    with tiny(5, portion, clump):
        everything = packed(events, "reset", packing)
        rest = packed(events, "reset", packing, skip=skip)
    same(tuple(map(tuple, everything[skip:])), tuple(map(tuple, rest)))


@given(EVENTS, PACKING, BLOCKS)
def test_with_one_portion_neither_blocks_nor_files_change_a_window(
    events: list[tuple[int, int, int, int]], packing: Any, block: int
) -> None:
    whole = packed(events, "reset", packing)
    with tiny(block, portion=len(events), clump=3):
        same(tuple(map(tuple, whole)), tuple(map(tuple, packed(events, "reset", packing))))


def test_portions_mix_what_lies_far_apart_and_other_epochs_deal_anew() -> None:
    laid = lay_out(log([(e % 6, e % 7, 10 * e, 0) for e in range(600)]), gap=3.0, at_session_start="reset")
    rng = stream(1, "epoch")
    with tiny(50, portion=100, clump=10):
        first, second = (
            np.concatenate([b.place.ravel() for b in windows(laid, rows=2, window=10, rng=rng)]) for _ in range(2)
        )
    assert np.ptp(first[:100]) > 300
    assert len(set(first[:100]) & set(second[:100])) < 60


def test_one_user_may_have_more_events_than_a_portion() -> None:
    laid = lay_out(log([(0, e % 7, e, 0) for e in range(500)]), gap=None, at_session_start="mark")
    with tiny(40, portion=64, clump=16):
        found = list(windows(laid, rows=3, window=8, rng=stream(1, "epoch")))
    (row,) = (row for row in np.concatenate([b.place for b in found]).T if (row >= 0).any())
    assert row[row >= 0].tolist() == list(range(500))


@given(EVENTS, BLOCKS, st.sampled_from(["popularity", "recent_popularity", "markov", "sknn"]), st.booleans())
def test_a_baseline_learns_the_same_in_blocks(
    events: list[tuple[int, int, int, int]], block: int, name: str, timed: bool
) -> None:
    one = replace(log([(0, 1, 0, 0), *events]), timed=timed)
    unknown = np.where(one.item == len(one.items) - 1, -1, one.item).astype(np.int32)
    options: dict[str, Any] = {"sessions": 2} if name == "sknn" else {}
    for item in (one.item, unknown) if len(one.items) > 1 else (one.item,):
        laid = lay_out(one, gap=3.0, at_session_start="reset", item=item)
        model = kind_of(name)(7, rule=SessionRule(3.0), **options)
        whole = model.fit(laid).arrays()
        with tiny(block):
            found = kind_of(name)(7, rule=SessionRule(3.0), **options).fit(laid).arrays()
        assert whole.keys() == found.keys()
        for key, array in whole.items():
            same(array, found[key])
