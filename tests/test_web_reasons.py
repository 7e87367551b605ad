"""Reasons on the wire: every field under its name, titles where there are some."""

import msgspec

from segue.serving.lists.explain import Followed, Moved, Reason
from segue.web.reasons import reasons_message
from serving_models import fading_bundle


def test_reasons_are_written_with_titles_where_there_are_some():
    reason = Reason("i3", [Moved("i1", 4, 50.0, -0.5), Moved("gone", 2, 40.0, 0.25)], [Followed("i1", 3, 9)], 7)
    message = reasons_message(fading_bundle(), reason)
    assert msgspec.json.decode(msgspec.json.encode(message)) == {
        "events": [
            {"item_id": "i1", "seq": 4, "time": 50.0, "difference": -0.5, "title": "Title of i1"},
            {"item_id": "gone", "seq": 2, "time": 40.0, "difference": 0.25},
        ],
        "followed": [{"item_id": "i1", "times": 3, "of": 9, "title": "Title of i1"}],
        "rank_without_rules": 7,
    }
    nothing = reasons_message(fading_bundle(), Reason("i3", [], [], None))
    assert msgspec.json.encode(nothing) == b'{"events":[],"followed":[],"rank_without_rules":null}'
