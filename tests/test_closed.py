"""What may not be answered by anyone for a while: kept until it changes, and left out of a search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from large_shop import IDS, NOW, N, Vectors, engines_of, index_of
from segue.ranking.index import Index
from segue.ranking.rules.availability import KEPT, Availability
from segue.ranking.top_k import Exclusions, top_k
from segue.serving.bundle import Bundle
from segue.serving.fold import absorb, blank
from segue.serving.lists.answer import answer, answer_all
from segue.serving.lists.asks import Question
from segue.serving.store.base import StoredEvent

FOREVER = np.inf


def closed_by_hand(begin: Any, end: Any, at: float) -> list[int]:
    return [item for item, (first, last) in enumerate(zip(begin, end, strict=True)) if not first <= at < last]


def test_a_closed_set_is_kept_until_an_item_opens_or_closes() -> None:
    begin, end = np.array([-FOREVER, 10.0, 20.0, -FOREVER]), np.array([FOREVER, 30.0, FOREVER, 20.0])
    available = Availability(begin, end)
    for at in (-5.0, 0.0, 9.99, 10.0, 15.0, 20.0, 29.0, 30.0, 1e12, 5.0):
        closed = available.closed(at)
        assert closed.items.tolist() == closed_by_hand(begin, end, at)
        assert np.flatnonzero(closed.mask).tolist() == closed.items.tolist()
    assert available.closed(10.0) is available.closed(19.999)
    assert available.closed(20.0) is not available.closed(19.999)
    with pytest.raises(ValueError, match="read-only"):
        available.closed(10.0).mask[0] = True


def test_no_more_closed_sets_are_kept_than_a_few() -> None:
    begin = np.arange(100.0)
    available = Availability(begin, np.full(100, FOREVER))
    for at in range(100):
        assert len(available.closed(at + 0.5).items) == 99 - at
    assert len(available._kept) == KEPT


def test_the_closed_set_that_is_asked_for_again_and_again_is_kept() -> None:
    available = Availability(np.arange(100.0), np.full(100, FOREVER))
    present = available.closed(50.5)
    for at in range(40):
        available.closed(at + 0.5)
        assert available.closed(50.5) is present
    assert len(available._kept) == KEPT


@pytest.fixture(scope="module")
def index() -> tuple[Index, Vectors]:
    model = Vectors()
    return index_of(model, factor=15), model


@settings(derandomize=True)  # how near codes come is theirs to say
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.01, 0.3, 0.7, 0.95, 0.98, 0.999, 1.0]),
    st.sampled_from([0, 20, 300, 1500]),
    st.sampled_from([0, 3, 40, 2400]),
)
def test_a_search_finds_the_best_of_what_is_left(
    index: tuple[Index, Vectors], seed: int, share: float, best_shut: int, excluded: int
) -> None:
    searched, model = index
    rng = np.random.default_rng(seed)
    queries = model.table[rng.integers(0, N, 3)]
    queries[2] = 0  # somebody of whom nothing is known
    exact = queries @ model.table.T + model.bias
    shut = rng.random(N) < share
    shut[np.argsort(-exact[0])[:best_shut]] = True  # just what the first one likes
    gone = rng.integers(-1, N, excluded)
    exclude = Exclusions(np.ones(excluded, np.int64), gone)
    sizes = rng.integers(1, 60, 3).tolist()
    items, scores = searched.search(queries, sizes, exclude, shut)
    exact[:, shut] = -np.inf
    best, expected = top_k(exact, max(sizes), exclude)
    for row, k in enumerate(sizes):
        found = items[row][items[row] >= 0]
        assert (items[row, len(found) :] == -1).all()
        assert len(set(found.tolist())) == len(found) == np.isfinite(expected[row, :k]).sum()
        assert not shut[found].any()
        assert row != 1 or not set(found.tolist()) & set(gone.tolist())
        assert scores[row, :k].tolist() == expected[row, :k].tolist()
        assert items[row, :k].tolist() == best[row, :k].tolist()
        its = Exclusions(np.zeros(excluded, np.int64), gone if row == 1 else np.full(excluded, -1))
        alone, _ = searched.search(queries[row : row + 1], [k], its, shut)
        assert alone[0].tolist() == items[row, :k].tolist()


def test_the_best_that_are_left_are_found_where_just_the_best_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Vectors()
    searched, queries = index_of(model, factor=2), model.table[:32]
    exact = queries @ model.table.T + model.bias

    def none(*_: Any) -> Any:
        raise AssertionError("all items were scored")

    monkeypatch.setattr(Index, "exact", none)
    for closed in (20, 60):
        for left_out in (False, True):  # of the row alone, or for everyone
            found = []
            for query, scores in zip(queries, exact, strict=True):
                order = np.argsort(-scores)
                shut = np.zeros(N, bool)
                shut[order[:closed]] = not left_out
                gone = order[: closed * left_out]
                items, _ = searched.search(query[None], [20], Exclusions(np.zeros_like(gone), gone), shut)
                found.append(len(np.intersect1d(items[0], order[closed : closed + 20])) / 20)
            assert np.mean(found) >= 0.98


def windows() -> dict[str, list[Any]]:
    """Every third item opens at NOW, every seventh closes then."""
    begin = [NOW if n % 3 == 0 else None for n in range(N)]
    return {"available_from": begin, "available_until": [NOW if n % 7 == 0 else None for n in range(N)]}


def may(item: str, at: float) -> bool:
    n = IDS.index(item)
    return not ((n % 3 == 0 and at < NOW) or (n % 7 == 0 and at >= NOW))


def questions_of(bundle: Bundle) -> list[Question]:
    """Of before NOW and of after it, with and without candidates, of some who had something and of one who had not."""
    asked: list[Question] = []
    for n, at in enumerate((NOW - 1, NOW, NOW + 5, NOW - 99, NOW, NOW - 1)):
        memory = absorb(bundle, blank(bundle), StoredEvent(1, f"i{n}", NOW - 1e6)) if n != 4 else blank(bundle)
        question = Question(memory, None, 5 + n, [f"i{n}", f"i{n + 30}"], at=at)
        few, many = np.arange(40, dtype=np.int32), np.arange(5, N, 2, dtype=np.int32)
        asked += [question, question._replace(allowed=few), question._replace(allowed=many)]
    return asked


@pytest.mark.parametrize("by_index", [True, False])
def test_questions_at_different_times_go_together_and_each_gets_what_is_open(
    by_index: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = engines_of(**windows())[0 if by_index else 1].bundle
    asked = questions_of(bundle)
    alone = [answer(bundle, question) for question in asked]
    searches: list[int] = []
    search, model = Index.search, Vectors.score

    def counted(self: Index, queries: Any, k: Any, *given: Any) -> Any:
        searches.append(len(queries))
        return search(self, queries, k, *given)

    def scored(self: Vectors, query: Any, candidates: Any = None) -> Any:
        if candidates is None:
            searches.append(len(query))
        return model(self, query, candidates)

    monkeypatch.setattr(Index, "search", counted)
    monkeypatch.setattr(Vectors, "score", scored)
    together = answer_all(bundle, asked)
    # once for those before NOW, once for those after, and for each that allows half of the catalog
    assert sorted(searches) == ([1] * 6 + [3, 3] if by_index else [3, 3])
    for question, one, other in zip(asked, together, alone, strict=True):
        assert len(one.items) == question.k
        assert all(may(item, question.at or 0.0) for item, _ in one.items)
        assert not {item for item, _ in one.items} & set(question.left_out)
        assert one.items == other.items


def test_where_all_is_closed_the_list_says_so() -> None:
    for engine in engines_of(available_from=[NOW + 1] * N):
        ranked = engine.recommend(items=["i5"], k=3)
        assert ranked.items == []
        assert ranked.short is not None
        assert [(one.reason, one.items) for one in ranked.short.because] == [("windows", N)]
