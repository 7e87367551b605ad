"""What a first request would wait for is made before."""

from __future__ import annotations

import pytest

from segue.data import ids as module
from segue.data.ids import Ids
from segue.serving.lists.answer import warm
from serving_models import engine_of, fading_bundle


@pytest.mark.parametrize("strings", [["a", "bc", "", "d e"], ["é", "Ω x", "a", "\ud800"], []])
def test_ids_decoded_together_are_those_decoded_one_by_one(strings: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOGETHER", 3)
    ids = Ids.of(strings)
    assert list(ids) == [ids[place] for place in range(len(ids))] == strings
    assert ids.places == {string: place for place, string in enumerate(strings)}
    assert ids.strings == strings
    assert list(Ids(memoryview(ids.text), ids.ends)) == strings


def test_a_warm_bundle_has_its_places_and_nobody_is_counted() -> None:
    bundle = fading_bundle()
    warm(bundle)
    assert "places" in vars(bundle.item_ids)
    engine = engine_of()
    warm(engine.bundle)
    assert (engine.shards[0].tally.answers, engine.shards[0].store.count().users) == (0, 0)
