"""What fits where nothing of a pool does is the best of all others, from place to place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segue.ranking.rules.placing import Kind
from segue.serving.lists import beyond
from segue.serving.lists.beyond import Beyond

N = 40
MEMBERS = {(0, "even"): range(0, N, 2), (0, "odd"): range(1, N, 2), (1, "third"): range(0, N, 3), (1, "none"): range(0)}

KINDS = st.sets(st.sampled_from(sorted(MEMBERS)))


def members(kind: Kind) -> np.ndarray:
    return np.array(MEMBERS[kind], np.int32)  # type: ignore[index]  # as they are written above


@pytest.mark.parametrize("looked_at", [1, 3, 4096])
@given(
    st.permutations(range(N)),
    st.lists(
        st.tuples(st.lists(st.integers(0, N - 1), max_size=30), st.sets(st.sampled_from(sorted(MEMBERS)))), max_size=6
    ),
)
def test_it_is_the_first_in_order_that_is_not_taken_and_of_no_kind_that_is_near(
    looked_at: int, order: list[int], asked: list[tuple[list[int], set[Kind]]]
) -> None:
    order = order[: N - 5]  # some may not be answered
    rest = Beyond(np.array(order, np.int32), members, N)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beyond, "LOOKED_AT", looked_at)
        for taken, kinds in asked:
            near = {item for kind in kinds for item in members(kind).tolist()}
            expected = next((item for item in order if item not in taken and item not in near), None)
            assert rest.best(taken, list(kinds)) == expected
