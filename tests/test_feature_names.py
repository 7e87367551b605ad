"""Names of features that an exported log could not keep apart are refused, and numbers of any size have a text."""

from __future__ import annotations

import pytest

from segue.data.encoding.values import text_of
from segue.errors import RequestError
from segue.serving.features import check_features


@pytest.mark.parametrize("name", ["split", "session", "time", "user", "item"])
def test_a_name_that_a_log_has_for_something_else_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match=f"`features.{name}` is no feature: in an exported log"):
        check_features({name: "x"}, "features")
    check_features({f"{name}s": "x"}, "features")


def test_a_number_beyond_what_a_double_holds_is_its_digits() -> None:
    assert text_of(10**400) == str(10**400)
    assert text_of(2.0) == "2"
