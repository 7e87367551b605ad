"""A recurrent network by hand, in NumPy alone, learns how much of a user's recent interest goes to music.

A catalog of ten items, five of music and five of films. A user clicks a hundred times, staying with a kind for a while.
After each click the network says the interest in music, interest = 0.8 * interest + 0.2 * (1 for music, else 0): no
single click tells it, h has to remember. 10 inputs, 5 hidden, 1 output, 100 steps, learning rate 0.01, 1,000 epochs.

Mended in the program that this one follows (docs/by_hand.md has each with its reason and its test):

- it reads names that it never sets (W_ff, b_f, i, f, o): here every weight, bias and gate is set before it is read;
- its shapes do not fit: here each product has its shapes beside it, and what does not fit is refused;
- its gates do not see h: here i, f and o read x_t and h_{t-1}, as the equations above it say;
- its loss has the wrong sign: here the loss is at least zero, and a step down its gradient lowers it;
- what it hands back to h_{t-1} leaves out the gates and is multiplied by h: here all five roads, and no factor h.

python examples/gated_rnn_by_hand.py        with the seed 2
python examples/gated_rnn_by_hand.py SEED   other users, other first weights
"""

from __future__ import annotations

import sys

import numpy as np

from segue.by_hand import backward, descend, forward, initial_weights, loss, step
from segue.rng import stream
from segue.shapes import Doubles

INPUTS, HIDDEN, OUTPUTS = 10, 5, 1
STEPS, EPOCHS, LEARNING_RATE = 100, 1000, 0.01
SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 2


def main() -> None:
    # Learn from one user's clicks.
    x, interest = user("learns")
    weights = initial_weights(INPUTS, HIDDEN, OUTPUTS, seed=SEED)
    for epoch in range(1, EPOCHS + 1):
        trace = forward(weights, x)
        if epoch == 1 or epoch % 100 == 0:
            print(f"loss: {loss(trace.p, interest):.4f}  (epoch {epoch})")
        gradients, _ = backward(weights, trace, interest)
        weights = descend(weights, gradients, LEARNING_RATE)
    usual = interest.mean()

    # Predict for another, one click at a time: h, five numbers, is all that is remembered of the clicks before.
    x, interest = user("is asked about")
    h = np.zeros((1, HIDDEN))
    predictions = np.empty_like(interest)
    for t in range(STEPS):
        _, h, _, predictions[t] = step(weights, x[t], h)  # (1, 10) and (1, 5) to (1, 5) and (1, 1)
    print(f"prediction: {predictions[-1, 0, 0]:.3f}  (right: {interest[-1, 0, 0]:.3f})")
    print(
        f"mean error: {abs(predictions - interest).mean():.3f}  (without a network: {abs(usual - interest).mean():.3f})"
    )


def user(purpose: str) -> tuple[Doubles, Doubles]:
    """A user's clicks, one-hot (100, 1, 10), and the interest in music after each of them (100, 1, 1)."""
    rng = stream(SEED, purpose)
    turns = rng.random(STEPS) < 0.1
    films = turns.cumsum() % 2
    items = 5 * films + rng.integers(5, size=STEPS)
    interest = np.zeros(STEPS + 1)
    for t in range(STEPS):
        interest[t + 1] = 0.8 * interest[t] + 0.2 * (items[t] < 5)
    return np.eye(INPUTS)[items][:, None], interest[1:, None, None]


if __name__ == "__main__":
    main()
