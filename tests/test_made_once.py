"""What takes long to make of a catalog is made once, however many want it, and before a list has to wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from rules_shop import BRANDS, IDS, shop
from segue.data.ids import Ids
from segue.models.known_items import KnownItems
from segue.ranking.rules import Facts
from segue.serving.engine import Engine
from segue.serving.lists.scenarios import Scenarios, read_scenarios
from segue.serving.policy import Policy
from segue.serving.store.memory import MemoryStore
from serving_models import fading_bundle

MOMENT = 1.0


class Slow:
    """Work that waits a moment for a second one to begin the same."""

    def __init__(self) -> None:
        self.times, self._begun, self._again = 0, Event(), Event()

    def __call__(self) -> None:
        self.times += 1
        if self.times > 1:
            self._again.set()
        self._begun.set()
        self._again.wait(MOMENT)

    def by_two(self, wanted: Callable[[], Any]) -> list[Any]:
        """What two get, of whom the second comes while the work is done for the first."""
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(wanted)
            assert self._begun.wait(60)
            return [one.result() for one in (first, pool.submit(wanted))]


def test_what_is_known_of_items_is_made_once() -> None:
    slow = Slow()

    class Vectors:
        kind = "vectors"

        def item_vectors(self) -> Any:
            slow()
            return np.eye(4, dtype=np.float32)

    model: Any = Vectors()
    items = KnownItems({}, model)
    one, other = slow.by_two(items.known)
    assert one is other
    assert slow.times == 1


def test_the_items_of_a_column_are_gathered_once() -> None:
    slow = Slow()

    class Column(list[str]):
        def __iter__(self) -> Iterator[str]:
            slow()
            return super().__iter__()

    facts = Facts(Ids.of(["a", "b", "c"]), {"brand": Column(["x", "y", "x"])})
    one, other = slow.by_two(lambda: facts.members("brand"))
    assert one is other
    assert slow.times == 1
    assert one["x"].tolist() == [0, 2]


@pytest.mark.parametrize(("late", "order"), [("append", "arrival"), ("refold", "time")])
def test_what_is_made_of_the_items_of_a_bundle_is_the_engine_s(late: Any, order: str) -> None:
    bundle = fading_bundle()
    engine = Engine(bundle, MemoryStore(), policy=Policy(late))
    assert engine.bundle.order == order
    for name in ("facts", "chain", "known_items"):
        assert getattr(engine.bundle, name) is getattr(bundle, name)


def test_columns_that_scenarios_keep_apart_are_gathered_before_a_list_wants_them(tmp_path: Path) -> None:
    file = tmp_path / "scenarios.toml"
    file.write_text('[home]\napart = [{ by = "brand", within = 1 }, { items = ["i1"], within = 2 }]\n', "utf-8")
    engine, after = shop(), shop().bundle
    assert "brand" not in engine.bundle.facts._members
    engine.scenarios = Scenarios(read_scenarios(file, engine.bundle)[0])
    engine.swap(after)
    for bundle in (engine.bundle, after):
        assert "brand" in bundle.facts._members
    assert [IDS[item] for item in after.facts.members("brand")["b0"]] == [
        item for item, brand in zip(IDS, BRANDS, strict=True) if brand == "b0"
    ]
    before = shop().bundle
    read_scenarios(file, before)
    assert "brand" in before.facts._members
