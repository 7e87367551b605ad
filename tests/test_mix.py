"""A network mixed with session neighbours: the mixture by hand, its weight, and its row in a table."""

from __future__ import annotations

import math
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import segue
from api_log import QUICK, clicks
from baseline_logs import RESET, after, laid
from segue.artifact import load_artifact
from segue.data.synthetic import noisy_chain, shuffled
from segue.errors import ConfigError, InterruptedTrainingError
from segue.evaluation.phase import laid_out
from segue.models.build import BASELINES
from segue.models.mix import Mix, log_sum_exp
from segue.models.neighbours import Neighbours
from segue.models.network import Network
from segue.training import mixing, networks, run, trainer
from segue.training.networks import Workshop
from segue.training.plan import Plan, plan_of
from segue.tuning import tune

# After the clicks b, a the votes are 3.15, 1.75, 1.3, 0.9, 0.9 and none: worked out in test_neighbours.py.
SHOP = ["ab", "bc", "acd", "ae"]
VOTES = np.array([3.15, 1.75, 1.3, 0.9, 0.9, 0])
PROBABLE = np.array([0.1, 0.15, 0.05, 0.2, 0.3, 0.2])
TRAIN = {"epochs": 3, "rows": 8, "window": 12, "threads": 1, "learning_rate": 0.02, "metric": "recall@1"}
SMALL = {"model": {"width": 16}, "train": TRAIN}


def mix(weight: float, scores: Any = None) -> Mix:
    """Neighbours of the shop, and a network that says the same whatever happened: its scores are its bias."""
    network = Network(6, rule=RESET, width=4)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.bias += torch.tensor(np.log(PROBABLE) if scores is None else scores, dtype=torch.float32)
    neighbours = Neighbours(6, rule=RESET, idf=False).fit(laid(SHOP))
    return Mix(6, rule=RESET, weight=weight, network=network.eval(), neighbours=neighbours)


@pytest.mark.parametrize("weight", [0.9, 0.5, 0.1])
def test_the_mixture_is_that_of_two_distributions(weight: float) -> None:
    expected = weight * PROBABLE + (1 - weight) * VOTES / VOTES.sum()
    found = np.exp(after(mix(weight), "ba")) * weight
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.sum() == pytest.approx(1)


def test_without_a_vote_the_networks_very_score_stays_and_it_tells_equal_votes_apart() -> None:
    found = after(mix(0.5), "ba")
    assert found[5] == after(mix(1), "ba")[5]
    assert found[4] > found[3]  # 0.9 each, and 0.3 against 0.2
    for session in ("", "f", "??"):  # nobody has had these
        assert after(mix(0.1), session) == after(mix(1), session)


def test_at_one_it_is_the_network_and_at_zero_the_neighbours() -> None:
    assert after(mix(1), "ba") == after(mix(0.3).network, "ba")
    assert after(mix(0), "ba") == after(mix(0.3).neighbours, "ba")


@pytest.mark.parametrize("level", [-3000.0, 3000.0])
def test_the_level_of_the_networks_scores_does_not_matter(level: float) -> None:
    scores = np.round(np.log(PROBABLE) * 256) / 256  # exact in float32 at any of these levels
    plain, moved = (np.array(after(mix(0.4, scores + shift), "ba")) for shift in (0.0, level))
    np.testing.assert_allclose(moved - level, plain, atol=3e-4)


def test_scores_far_apart_stay_finite_and_in_order() -> None:
    scores = np.array([0.0, 1e4, -1e4, -2e4, 5e3, 20.0])
    found = np.array(after(mix(0.5, scores), "ba"))
    assert np.isfinite(found).all()
    # b has all of the network's probability; the others have their votes alone, and f has none
    assert found[1] > found[0] > found[2] > found[3] == found[4] > found[5] == 20
    assert found[3] == pytest.approx(1e4 + math.log(0.9 / VOTES.sum()), abs=2e-3)


def test_the_sum_of_exponentials_is_that_of_float64() -> None:
    row = np.random.default_rng(1).normal(0, 9, 5000).astype(np.float32)
    assert log_sum_exp(row) == pytest.approx(math.log(math.fsum(map(math.exp, row.tolist()))), abs=1e-6)


@pytest.mark.parametrize("weight", [-0.1, 1.5, math.nan])
def test_a_weight_that_is_no_share_is_refused(weight: float) -> None:
    with pytest.raises(ConfigError, match="`weight` is"):
        Mix(3, rule=RESET, weight=weight)


# Choosing the weight, and the row.


def planned(**train: Any) -> Plan:
    settings = {**SMALL, "train": {**TRAIN, **train}, "evaluate": {"replicates": 100}}
    return plan_of(noisy_chain(80, 24, 20, follow=0.9), settings)


def shop_of(plan: Plan, told: list[str], folder: Path | None = None) -> Workshop:
    return Workshop(plan.settings, told.append, lambda *_: None, folder)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return planned()


@pytest.fixture(scope="module")
def network(plan: Plan) -> Network:
    found = networks.choose_network("gru", plan.choose, plan.judge, plan.rule, shop_of(plan, [])).model
    assert isinstance(found, Network)
    return found


def neighbours_of(plan: Plan, log: Any) -> Neighbours:
    catalog = plan.choose.catalog
    return Neighbours(len(catalog), rule=plan.rule).fit(laid_out(log, plan.rule, catalog))


def training_part(plan: Plan) -> Any:
    return plan.log.where(plan.split.below(1))


def test_useless_neighbours_are_left_out(plan: Plan, network: Network) -> None:
    useless, told = neighbours_of(plan, shuffled(training_part(plan))), []
    assert mixing.choose_weight(network, useless, plan.choose, shop_of(plan, told)) == 1
    assert "mix: share 1 of the network (gru) is best of 1|0.999|0.99|0.9|0.5|0.1|0.01|0: recall@1" in told[0]


def test_neighbours_that_help_have_their_share(plan: Plan) -> None:
    weak = networks.new_network("gru", len(plan.choose.catalog), plan.rule, plan.settings).eval()
    good = neighbours_of(plan, training_part(plan))
    assert mixing.choose_weight(weak, good, plan.choose, shop_of(plan, [])) < 1


def test_equals_go_to_the_network(plan: Plan, network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixing, "validation_metric", lambda *_: 0.5)
    assert mixing.choose_weight(network, neighbours_of(plan, plan.log), plan.choose, shop_of(plan, [])) == 1


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which networks are trained from now on, and how often."""
    trained: list[str] = []
    plain = networks.train_network

    def counting(network: Network, *arguments: Any, **options: Any) -> Any:
        trained.append(network.cell)
        return plain(network, *arguments, **options)

    monkeypatch.setattr(networks, "train_network", counting)
    return trained


def test_the_mix_takes_the_tables_own_network_and_neighbours(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = counted(monkeypatch)
    fitted = run.fit_models(plan, ["mix", "gru"], shop_of(plan, []))
    assert trained == ["gru", "gru"]  # chosen on validation, and learned anew
    assert set(fitted) == {"gru", "mix", *BASELINES}
    one = fitted["mix"].model
    assert isinstance(one, Mix)
    assert one.network is fitted["gru"].model
    assert one.neighbours is fitted["sknn"].model
    assert fitted["mix"].settings["weight"] == one.weight
    assert fitted["mix"].seconds >= fitted["gru"].seconds + fitted["sknn"].seconds


def test_alone_it_is_of_a_gru_and_counts_as_a_network(plan: Plan) -> None:
    fitted = run.fit_models(plan, ["mix"], shop_of(plan, []))
    assert set(fitted) == {"mix", *BASELINES}
    assert fitted["mix"].model.network.cell == "gru"  # type: ignore[attr-defined]
    report = run.judge_models(plan, {name: fitted[name] for name in ("mix", "popularity")})
    assert [(row.model, row.baseline) for row in report.rows] == [("mix", False), ("popularity", True)]
    assert report.verdict.startswith("mix beats popularity")


def test_without_a_refit_the_chosen_parts_are_mixed() -> None:
    plan = planned(refit=False)
    fitted = run.fit_models(plan, ["mix", "gru"], shop_of(plan, []))
    assert fitted["mix"].model.network is fitted["gru"].model  # type: ignore[attr-defined]
    assert {row.model for row in run.judge_models(plan, fitted).rows} == {"gru", "mix", *BASELINES}


def test_what_learned_from_everything_keeps_the_weight(plan: Plan) -> None:
    plans = [plan, planned(final=True)]
    plain, final = (run.train_artifact(one, "mix", shop_of(one, []))[0] for one in plans)
    assert plain.facts.kind == final.facts.kind == "mix"
    assert final.facts.split == "everything"
    assert final.facts.events == len(plan.log)
    assert plain.model.settings()["weight"] == final.model.settings()["weight"]
    one = final.model
    assert isinstance(one, Mix)
    assert one.neighbours.arrays()["counts"].sum() == len(plan.log)


def interrupting(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Ctrl-C within the step number `at`."""
    steps, plain = [0], trainer.Trainer.step

    def step(self: trainer.Trainer, *arguments: Any) -> None:
        steps[0] += 1
        if steps[0] == at:
            os.kill(os.getpid(), signal.SIGINT)
        plain(self, *arguments)

    monkeypatch.setattr(trainer.Trainer, "step", step)


def test_ctrl_c_keeps_a_mix_of_the_best_so_far(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    total = counted_steps(plan, monkeypatch)
    for at, judged in ((total // 3, 2), (total - 1, 3)):  # in the last epoch of choosing, and in learning anew
        with monkeypatch.context() as patch:
            interrupting(patch, at)
            artifact, report = run.train_artifact(plan, "mix", shop_of(plan, []))
        assert artifact.facts.interrupted
        assert len(artifact.metrics["curve"]) == judged
        assert isinstance(artifact.model, Mix)
        assert artifact.model.n_items == len(artifact.catalog) == len(plan.choose.catalog)
        assert "mix" not in {row.model for row in report.rows}
    interrupting(monkeypatch, 1)
    with pytest.raises(InterruptedTrainingError):
        run.train_artifact(plan, "mix", shop_of(plan, []))


def counted_steps(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> int:
    steps, plain = [0], trainer.Trainer.step

    def step(self: trainer.Trainer, *arguments: Any) -> None:
        steps[0] += 1
        plain(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Trainer, "step", step)
        run.fit_models(plan, ["mix"], shop_of(plan, []))
    return steps[0]


def test_a_saved_mix_answers_as_before_and_has_the_networks_item_vectors(tmp_path: Path) -> None:
    made = segue.fit(clicks(), model="mix", settings=QUICK)
    made.save(tmp_path / "mix")
    found = segue.load(tmp_path / "mix")
    assert load_artifact(tmp_path / "mix").facts.kind == "mix"
    for items in ([], ["i3"], ["i3", "never heard of", "i4"]):
        assert found.recommend(items=items, k=25) == made.recommend(items=items, k=25)
    assert found.similar("i3", k=5) == made.similar("i3", k=5)
    state = found.step("i4", found.step("i3", found.initial_state()))
    expected = made.recommend(items=["i3", "i4"], k=5)
    assert [one.item_id for one in found.top_k(state, 5)] == [one.item_id for one in expected]


def test_a_table_has_its_row_beside_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    trained = counted(monkeypatch)
    report = segue.compare(clicks(), models=["gru", "mix"], settings=QUICK)
    assert {row.model: row.baseline for row in report.rows} == {
        "gru": False,
        "mix": False,
        **dict.fromkeys(BASELINES, True),
    }
    assert len(trained) == 2


def test_tuning_and_a_limit_of_time_take_recurrent_layers_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`mix` is tuned through its network"):
        tune(clicks(), out=tmp_path / "study", trials=2, models=["mix"])
    with pytest.raises(ConfigError, match="`mix` is more than one"):
        segue.fit(clicks(), model="mix", settings={**QUICK, "train.latency": "9ms"})
