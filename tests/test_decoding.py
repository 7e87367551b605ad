"""Decoding a body when someone means harm."""

import pytest

from segue.web.decoding import BodyError, decode
from segue.web.messages import RecommendMessage


@pytest.mark.parametrize("name", [" - at `$" * 100_000, " - at `$" + "x" * 800_000, "field `" * 100_000])
def test_a_hostile_field_name_costs_little_and_is_not_echoed_whole(name):
    with pytest.raises(BodyError, match="unknown field") as caught:
        decode(b'{"' + name.encode() + b'": 1}', RecommendMessage)
    assert len(str(caught.value)) < 1000
    assert len(caught.value.field or "") < 1000
