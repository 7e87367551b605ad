"""A network mixed with session neighbours: both as they were chosen, and the weight chosen on validation too."""

from __future__ import annotations

import time

import numpy as np

from segue.durations import seconds_since
from segue.evaluation.phase import Phase, asked_of_drawn
from segue.models.base import Model, SessionRule
from segue.models.mix import Mix
from segue.models.neighbours import Neighbours
from segue.models.network import Network
from segue.training.candidates import Fitted, again, validation_metric
from segue.training.networks import Workshop, choose_network, learn_anew, refit
from segue.training.plan import Plan

WEIGHTS = (1.0, 0.999, 0.99, 0.9, 0.5, 0.1, 0.01, 0.0)
"""The network's shares that are tried: with 1 and 0 a mix may turn out to be none. The first of equals is taken.

In steps of the odds, since a softmax may be flat. On validation, one seed: after bpr-max on a shop's clicks (width 64,
5 epochs) 0.99 was best (mrr@20 0.335; 0.327 at 0.9, 0.326 at 0.1), after cross-entropy on MovieLens-100k 0.1 (ndcg@10
0.107; 0.104 at 0.9).
"""


def fit_network_and_mix(cell: str, neighbours: Fitted, plan: Plan, shop: Workshop) -> tuple[Fitted, Fitted]:
    """A network, trained once, and its mix with neighbours that are tuned already."""
    chosen = choose_network(cell, plan.choose, plan.judge, plan.rule, shop)
    network = learn_anew(cell, chosen, plan.judge, plan.rule, shop)
    if chosen.interrupted and not chosen.epochs:
        return network, network
    started = time.monotonic()
    earlier = again(Neighbours, neighbours.settings, plan.choose, plan.rule)
    assert isinstance(chosen.model, Network)
    weight = choose_weight(chosen.model, earlier, plan.choose, shop)
    mix = mixed(network.model, neighbours.model if network.phase is neighbours.phase else earlier, weight)
    return network, network._replace(
        model=mix,
        seconds=round(network.seconds + neighbours.seconds + seconds_since(started), 2),
        settings={"weight": weight, "network": network.settings, "neighbours": neighbours.settings},
    )


def choose_weight(network: Network, neighbours: Model, choose: Phase, shop: Workshop) -> float:
    """The weight that does best on validation, where each is asked for about `train.grid_predictions`."""
    settings = shop.settings
    limit = settings.train.grid_predictions
    if choose.asked.sum() > limit:
        choose = choose._replace(asked=asked_of_drawn(choose.replayed, choose.asked, limit, settings.seed))
    tried = [validation_metric(mixed(network, neighbours, weight), choose, settings) for weight in WEIGHTS]
    best = int(np.argmax(tried))
    shop.say(
        f"mix: share {WEIGHTS[best]:g} of the network ({network.cell}) is best of "
        f"{'|'.join(f'{weight:g}' for weight in WEIGHTS)}: "
        f"{settings.train.metric} {tried[best]:.4f} on validation; the network alone {tried[0]:.4f}, "
        f"the neighbours alone {tried[-1]:.4f}"
    )
    return WEIGHTS[best]


def mixed(network: Model, neighbours: Model, weight: float) -> Mix:
    """Both as they are, in one."""
    assert isinstance(network, Network)
    assert isinstance(neighbours, Neighbours)
    return Mix(network.n_items, rule=network.rule, weight=weight, network=network, neighbours=neighbours)


def mixed_anew(mix: Mix, chosen: Fitted, phase: Phase, rule: SessionRule, shop: Workshop) -> Mix | None:
    """Both learned anew from another phase, with the weight there was; None if interrupted."""
    cell = mix.network.cell
    network, trained = refit(cell, phase, rule, shop, passes=chosen.passes, planned=chosen.planned, stage="final")
    if trained.interrupted:
        return None
    return mixed(network, again(Neighbours, mix.neighbours.settings(), phase, rule), mix.weight)
