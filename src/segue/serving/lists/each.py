"""The lists of a turn, where one of them may fail: it costs the others nothing."""

from __future__ import annotations

from collections.abc import Sequence

from segue.serving.bundle import Bundle
from segue.serving.lists.answer import answer_all
from segue.serving.lists.asks import Question, Ranked


def answer_each(bundle: Bundle, questions: Sequence[Question]) -> list[Ranked | Exception]:
    """The list for each of several, or why there is none.

    They are made together. Where that fails they are made by halves, so that one which fails is found in few steps, and
    most of the others are made together still.
    """
    if not questions:
        return []
    try:
        return [*answer_all(bundle, questions)]
    except Exception as error:
        if len(questions) == 1:
            return [error]
    half = len(questions) // 2
    return [*answer_each(bundle, questions[:half]), *answer_each(bundle, questions[half:])]
