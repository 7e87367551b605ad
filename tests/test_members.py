"""The items of each value of a column, and sets of items that are united."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.ranking.rules import bound
from segue.ranking.rules.bound import Bound, are_in, summed, united
from segue.ranking.rules.members import Members

VALUES = st.sampled_from(["a", "b", "c", 7])
SETS = st.sets(st.integers(0, 60))


@given(st.lists(st.none() | VALUES | st.lists(VALUES, max_size=4), max_size=30))
def test_each_value_has_its_items_ascending(column: list[object]) -> None:
    expected: dict[object, list[int]] = {}
    for item, given_value in enumerate(column):
        values = given_value if isinstance(given_value, list) else [] if given_value is None else [given_value]
        for value in set(values):
            expected.setdefault(value, []).append(item)
    members = Members(column)
    assert {value: items.tolist() for value, items in members.items()} == expected
    assert len(members) == len(expected)
    assert "of no item" not in members


def test_what_is_shared_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        Members(["a", "b", "a"])["a"][0] = 1


@pytest.mark.parametrize("sort_up_to", [0, 10_000])
@given(sets=st.lists(SETS, max_size=4))
def test_sets_are_united_whether_they_are_sorted_or_marked(sort_up_to: int, sets: list[set[int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bound, "SORTED", sort_up_to)
        found = united([np.array(sorted(one), np.int32) for one in sets])
    assert found.tolist() == sorted(set().union(*sets))
    assert found.dtype == np.int32


@pytest.mark.parametrize("sort_up_to", [0, 10_000])
@given(sets=st.lists(SETS, max_size=4))
def test_weights_add_up_whether_items_are_sorted_or_marked(sort_up_to: int, sets: list[set[int]]) -> None:
    expected = {item: 0.0 for one in sets for item in one}
    for number, one in enumerate(sets):
        for item in one:
            expected[item] += 0.5 + number
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bound, "SORTED", sort_up_to)
        given_weights = [(np.array(sorted(one), np.int32), np.full(len(one), 0.5 + n)) for n, one in enumerate(sets)]
        items, shift = summed(given_weights)
    assert dict(zip(items.tolist(), shift.tolist(), strict=True)) == expected
    assert items.tolist() == sorted(expected)


@given(SETS, SETS)
def test_what_is_added_to_a_score_is_found_from_either_side(shifted: set[int], asked: set[int]) -> None:
    items, some = (np.array(sorted(one), np.int32) for one in (shifted, asked))
    given_rules = Bound(shifted=items, shift=np.arange(len(items)) + 1.0)
    assert are_in(items, some).tolist() == [item in shifted for item in sorted(asked)]
    expected = [sorted(shifted).index(item) + 1.0 if item in shifted else 0.0 for item in sorted(asked)]
    assert given_rules.shift_of(some).tolist() == expected
