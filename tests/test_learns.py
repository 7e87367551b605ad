"""On logs with a known best score the network gets near it; where there is nothing to learn, it learns nothing."""

import numpy as np
import pytest

from segue.data.events import EventLog
from segue.data.synthetic import noisy_chain, pair_chain, shuffled
from segue.evaluation.judge import rank_values
from segue.evaluation.replay import replay
from segue.training.candidates import Fitted, fit_baseline
from segue.training.networks import Workshop, fit_network
from segue.training.plan import Plan, plan_of

SETTINGS = {
    "model": {"width": 32, "dropout": 0.0, "embedding_dropout": 0.0},
    "train": {"epochs": 12, "rows": 32, "window": 32, "learning_rate": 0.01, "threads": 1, "metric": "recall@1"},
    "evaluate": {"exclude": "none"},
    "sessions": {"gap": "never", "at_session_start": "reset"},
}


def planned(log: EventLog, **train: object) -> Plan:
    return plan_of(log, {**SETTINGS, "train": {**SETTINGS["train"], **train}})


def gru(plan: Plan) -> Fitted:
    shop = Workshop(plan.settings, say=lambda _: None, show=lambda *_: None)
    return fit_network("gru", plan.choose, plan.judge, plan.rule, shop)


def recall_at_1(fitted: Fitted, plan: Plan) -> tuple[float, int]:
    found = replay(fitted.model, plan.judge.replayed, plan.judge.asked, exclude="none", k=1)
    return float(rank_values("recall@1", found).mean()), len(found.rank)


def test_a_noisy_chain_is_learned_to_nine_tenths_of_the_best_possible() -> None:
    plan = planned(noisy_chain(300, 40, 20, follow=0.8))
    assert recall_at_1(gru(plan), plan)[0] >= 0.9 * (0.8 + 0.2 / 20)


@pytest.mark.slow
def test_what_depends_on_two_events_is_learned_and_a_markov_chain_stays_at_chance() -> None:
    plan = planned(pair_chain(1000, 40, 11), epochs=25)
    assert recall_at_1(gru(plan), plan)[0] >= 0.9
    markov = fit_baseline("markov", plan.choose, plan.judge, plan.rule, plan.settings, lambda _: None)
    found, predictions = recall_at_1(markov, plan)
    # the pair (0, 0) repeats for ever, so chance is a little above 1 / 11
    assert found < 1 / 11 + 4 * np.sqrt(1 / 11 / predictions) + 1 / 121


def test_on_a_shuffled_log_the_network_stays_at_chance() -> None:
    plan = planned(shuffled(noisy_chain(300, 40, 20, follow=0.8)))
    found, predictions = recall_at_1(gru(plan), plan)
    assert abs(found - 1 / 20) < 4 * np.sqrt(1 / 20 / predictions)


def test_a_network_that_cannot_see_the_order_would_be_caught() -> None:
    plan = planned(noisy_chain(300, 40, 20, follow=0.8), epochs=1, learning_rate=1e-9)
    assert recall_at_1(gru(plan), plan)[0] < 0.9 * 0.81
