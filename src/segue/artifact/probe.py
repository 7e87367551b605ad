"""A model tried out before anybody is answered from it."""

from __future__ import annotations

import numpy as np

from segue.errors import ArtifactError
from segue.models.base import Event, Model

EVENTS = 3
"""So many known items come one after another, beside one that is unknown throughout."""


def probe(model: Model) -> None:
    """Take steps and score the whole catalog, as a server would.

    Raises:
        ArtifactError: what comes out is no number, or has another shape than the contract says.
    """
    state = model.initial_state(2)
    for number in range(EVENTS):
        item = np.array([number * (model.n_items // EVENTS) % model.n_items, -1], np.int32)
        time, opens = np.full(2, 1.6e9 + 60.0 * number), np.full(2, number == 0)
        state = model.step(Event(item, time, opens), state)
    for name, array in state.items():
        if len(array) != 2:
            raise ArtifactError(f"the state's `{name}` has shape {array.shape} after steps of 2 rows")
    scores = np.asarray(model.score(model.query(state, np.full(2, 1.6e9 + 60.0 * EVENTS))))
    if scores.shape != (2, model.n_items):
        raise ArtifactError(f"scores have shape {scores.shape}; expected {(2, model.n_items)}")
    # minus infinity is the last place
    if (np.isnan(scores) | np.isposinf(scores)).any():
        raise ArtifactError(f"a score is no number after {EVENTS} events: the weights are damaged")
