"""Tuning: what is tried, what is kept through kills and Ctrl-C, and what is said of the best."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import segue
from segue.choices import settings_of, settings_tree
from segue.data.splits import TEST
from segue.data.synthetic import noisy_chain
from segue.errors import ConfigError, TrainingError
from segue.training.loop import Progress
from segue.training.plan import Plan, plan_of
from segue.training.tuning import trial as trials_module
from segue.training.tuning import tune as tune_module
from segue.training.tuning.disk import alone, on_disk
from segue.training.tuning.evidence import halves, told, verdict_of
from segue.training.tuning.records import Effect, Trial, Tuning
from segue.training.tuning.space import applied, losses_for, space_of, start_of, values_at, widths_for
from segue.training.tuning.study import Study
from segue.training.tuning.trial import Attempt, StoppedError
from segue.training.tuning.tune import tune_plan
from small_shop import Ran, shop_of

QUICK = {"train.epochs": 4, "train.patience": 4, "train.threads": 1, "train.precision": "float32", "model.layers": 1}
QUICK |= {"evaluate.replicates": 100}
FIXED = {*QUICK, "model.width"}
ROOT = Path(__file__).parents[1]


def plan_for(**changes: Any) -> Plan:
    tree: dict[str, Any] = settings_tree(None, (), {**QUICK, "model.width": 8, **changes})
    return plan_of(noisy_chain(60, 12, 10, follow=0.8), tree)


def tuned(folder: Path, plan: Plan | None = None, **changes: Any) -> Tuning:
    given: dict[str, Any] = {"started": time.monotonic(), "trials": 6, "fixed": FIXED, **changes}
    return tune_plan(plan or plan_for(), ["gru"], folder, **given)


def known(tuning: Tuning) -> list[Trial]:
    """The trials, without what depends on the clock."""
    return [msgspec.structs.replace(one, seconds=None) for one in tuning.trials]


def test_small_logs_get_small_widths_and_the_width_without_tuning_is_always_tried() -> None:
    assert widths_for(400, 12, 16) == [8, 16, 32]
    assert widths_for(800, 12, 128) == [8, 16, 32, 64, 128]
    assert widths_for(80_000, 1_500, 128) == [32, 64, 128, 256]
    assert max(widths_for(10**9, 1_000, 128)) == 512


def test_losses_suit_the_size_of_the_catalog() -> None:
    assert "full" in losses_for(1_000)
    assert "sampled" not in losses_for(1_000)
    assert "full" not in losses_for(100_000)
    assert "sampled" in losses_for(100_000)


def test_what_the_user_has_set_is_not_tuned() -> None:
    plan = plan_for()
    free = {one.key for one in space_of(plan.choose, plan.settings, ["gru"])}
    held = {one.key for one in space_of(plan.choose, plan.settings, ["gru"], {"model.width", "train.rows"})}
    assert free - held == {"model.width", "train.rows"}
    plain = {one.key for one in space_of(plan.choose, plan.settings, ["gru"], {"model.block"})}
    assert free - plain == {"model.block", "model.convolution"}, "a plain layer has no convolution"
    assert "model.cell" in {one.key for one in space_of(plan.choose, plan.settings, ["gru", "other"])}
    plan, fixed = plan_for(**{"model.block": "residual", "model.feed_forward": 2.0}), {"model.feed_forward"}
    blocks = {one.key for one in space_of(plan.choose, plan.settings, ["gru"], fixed)}
    assert free - blocks == {"model.block"}, "what stands inside of blocks leaves nothing but blocks"
    plan = plan_for(**{"model.feed_forward": 0.0})
    assert "model.block" in {one.key for one in space_of(plan.choose, plan.settings, ["gru"], fixed)}
    assert applied(plan.settings, {"model.block": "plain"}).model.feed_forward == 0.0, "as it was set: none"


def test_what_has_no_effect_beside_a_chosen_value_is_off() -> None:
    blocks = {"model.block": "residual", "model.convolution": 4, "model.feed_forward": 2.0, "model.cosine": 16.0}
    settings = plan_for(**blocks).settings
    plain = applied(settings, {"model.block": "plain"}).model
    assert (plain.convolution, plain.feed_forward, plain.cosine) == (0, 4.0, 16.0)
    assert applied(settings, {"train.loss": "bpr-max"}).model.cosine == 0.0
    assert applied(settings, {"train.loss": "full"}).model.cosine == 16.0


def test_models_that_are_named_go_before_a_cell_that_is_set(tmp_path: Path) -> None:
    settings = {**QUICK, "model.width": 8, "model.cell": "lstm"}
    log = noisy_chain(60, 12, 10, follow=0.8)
    found = segue.tune(log, out=tmp_path, trials=1, models=["gru", "mingru"], settings=settings)
    assert found.settings.model.cell == "gru"
    assert set(found.space["model.cell"]["choices"]) == {"gru", "mingru"}


def test_the_first_trial_has_the_settings_that_hold_without_tuning(tmp_path: Path) -> None:
    plan = plan_for()
    space = space_of(plan.choose, plan.settings, ["gru"], FIXED)
    found = tuned(tmp_path, plan, trials=1)
    assert [one.values for one in found.trials] == [values_at(space, start_of(space))]
    assert found.settings == plan.settings
    assert found.verdict == "the settings without tuning are the best of 1 tried: keep them"


def test_the_same_seed_tries_the_same(tmp_path: Path) -> None:
    first, again = (tuned(tmp_path / name) for name in "ab")
    assert len(first.trials) == 6
    assert known(first) == known(again)
    assert (first.best, first.settings) == (again.best, again.settings)
    assert len({str(one.values) for one in first.trials}) == 6, "no configuration is tried twice"


def test_a_resumed_study_keeps_all_that_was_tried_whatever_it_tries_next(tmp_path: Path) -> None:
    begun = tuned(tmp_path, trials=3)
    rest = tuned(tmp_path, trials=6, resume=True)
    assert known(rest)[:3] == known(begun)
    assert len({str(one.values) for one in rest.trials}) == 6, "nor is anything tried twice"
    values = [one.value for one in rest.trials if one.state == "complete" and one.value is not None]
    assert next(one.value for one in rest.trials if one.number == rest.best) == max(values)


def test_other_events_in_the_test_part_change_nothing(tmp_path: Path) -> None:
    plan = plan_for()
    asked = np.flatnonzero(np.asarray(plan.split.role) == TEST)
    item = np.array(plan.log.item)
    item[asked] = item[asked][::-1]
    proposed = {one.key: one.value for one in plan.proposals}
    tree = settings_tree(None, (), {**proposed, **QUICK, "model.width": 8})
    other = plan_of(replace(plan.log, item=item), tree)
    assert not np.array_equal(other.log.item, plan.log.item)
    assert known(tuned(tmp_path / "a", plan, trials=3)) == known(tuned(tmp_path / "b", other, trials=3))


def test_what_was_chosen_is_written_with_reasons_and_read_back(tmp_path: Path) -> None:
    found = tuned(tmp_path)
    text = (tmp_path / "settings.toml").read_text("utf-8")
    assert settings_of(settings_tree(tmp_path / "settings.toml")) == found.settings
    assert "# as you set it\nwidth = 8" in text
    assert f"of the 5 others; {told(found.settings.train.learning_rate, 0, {})}" in text
    assert " lost " in text
    assert "# from the log: " in text
    kept = msgspec.json.decode((tmp_path / "trials.json").read_bytes(), type=Tuning)
    assert known(kept) == known(found)
    best = max(one.value or 0 for one in found.trials if one.state == "complete")
    chosen = next(one for one in found.trials if one.number == found.best)
    assert chosen.value == best
    assert chosen.low is not None
    assert chosen.high is not None
    assert chosen.low <= best <= chosen.high


def test_a_trial_that_fails_is_recorded_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = trials_module.train_network, [0]

    def sometimes(*arguments: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            raise TrainingError("the loss is nan")
        return real(*arguments, **options)

    monkeypatch.setattr(trials_module, "train_network", sometimes)
    found = tuned(tmp_path, trials=3)
    assert [one.state for one in found.trials] == ["complete", "failed", "complete"]
    assert found.trials[1].reason == "the loss is nan"


def test_when_every_trial_fails_it_says_so_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise TrainingError("nothing to learn from")

    monkeypatch.setattr(trials_module, "train_network", never)
    with pytest.raises(TrainingError, match="5 trials failed, one after another, the last one so: nothing to learn"):
        tuned(tmp_path, trials=20)


def test_ctrl_c_writes_what_there_is_and_resume_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = trials_module.train_network, [0]

    def stopped(*arguments: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == 3:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(trials_module, "train_network", stopped)
        found = tuned(tmp_path, trials=5)
    assert found.interrupted
    assert [one.state for one in found.trials] == ["complete", "complete", "interrupted"]
    assert (tmp_path / "settings.toml").exists()
    rest = tuned(tmp_path, trials=5, resume=True)
    assert not rest.interrupted
    assert known(rest)[:3] == known(found), "what was there is kept"
    assert rest.trials[3].values == found.trials[2].values, "what was interrupted is tried again"
    assert sum(one.state in ("complete", "pruned") for one in rest.trials) == 5


@pytest.mark.slow
def test_a_killed_tuning_goes_on_without_losing_a_finished_trial(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log, out = shop_of(tmp_path_factory) / "clicks.csv", tmp_path / "tuned"
    options = ["--set", "train.epochs=40", "--set", "train.patience=40", "--set", "train.threads=1"]
    command = [sys.executable, "-m", "segue", "tune", str(log), "--out", str(out), "--set", "model.width=8", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([*command, "--trials", "50"], stderr=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stderr is not None
        ended = 0
        for line in running.stderr:
            ended += "complete" in line or "pruned" in line
            if ended >= 2 and ": epoch " in line:  # of the third
                break
        running.send_signal(signal.SIGKILL)
        running.stderr.read()
    assert ended >= 2
    refused = subprocess.run([*command, "--trials", "4"], capture_output=True, text=True, env=environment, check=False)
    assert refused.returncode == 1
    assert "go on with --resume" in refused.stderr
    subprocess.run([*command, "--trials", "4", "--resume"], capture_output=True, env=environment, check=True)
    found = msgspec.json.decode((out / "trials.json").read_bytes(), type=Tuning)
    assert [one.state == "killed" for one in found.trials] == [False, False, True, False, False]
    assert found.trials[3].values == found.trials[2].values, "what was killed is tried again"
    assert found.trials[0].state == "complete"


def test_a_study_of_other_settings_is_refused_and_forgotten_only_when_asked(tmp_path: Path) -> None:
    tuned(tmp_path, trials=1)
    with pytest.raises(TrainingError, match=r"holds a tuning .* --resume"):
        tuned(tmp_path, trials=2)
    with pytest.raises(TrainingError, match="belongs to another log, split, settings or space"):
        tuned(tmp_path, plan_for(seed=9), trials=2, resume=True)
    assert len(tuned(tmp_path, plan_for(seed=9), trials=2, overwrite=True).trials) == 2


def test_a_damaged_study_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_bytes(b"no database" * 200)
    with pytest.raises(TrainingError, match=r"study\.db: not a readable study"):
        tuned(tmp_path, resume=True)


def test_a_budget_bends_every_schedule_and_is_said_in_the_settings(tmp_path: Path) -> None:
    found = tuned(tmp_path, plan_for(**{"train.epochs": 10_000, "train.patience": 10_000}), trials=4, budget=6.0)
    ended = [one for one in found.trials if one.state == "complete"]
    assert len(ended) >= 2
    assert all(one.planned is not None and one.planned < 10_000 for one in ended), "schedules are bent to the time"
    assert "schedule of" in (tmp_path / "settings.toml").read_text("utf-8")


def test_a_budget_too_short_for_two_trials_is_refused_with_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tune_module, "epoch_seconds", lambda *_: 100.0)
    with pytest.raises(ConfigError, match=r"--budget of 60 s is too short: .* at least 20 min"):
        tuned(tmp_path, budget=60.0)


def test_no_bound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--budget .* or --trials"):
        segue.tune([], out=tmp_path)
    with pytest.raises(ConfigError, match="`sknn` is a baseline"):
        segue.tune([], out=tmp_path, trials=1, models=["sknn"])


def test_a_trial_that_is_behind_is_given_up_but_never_early_in_its_schedule(tmp_path: Path) -> None:
    plan = plan_for()
    space = space_of(plan.choose, plan.settings, ["gru"], FIXED)
    study = Study(tmp_path, space, fingerprint="x", seed=1)
    for number in range(5):
        asked = study.ask()
        assert asked is not None
        for step in range(1, 11):
            study.report(asked[0], step / 10, 0.5)
        study.tell(asked[0], Trial(number=number, state="complete", values=asked[1], value=0.5))
    asked = study.ask()
    assert asked is not None
    study.report(asked[0], 0.1, 0.1)
    study.report(asked[0], 0.2, 0.1)
    with pytest.raises(StoppedError, match="at 90% of its schedule it is below the median"):
        study.report(asked[0], 0.9, 0.1)
    study.close()


def test_a_trial_that_would_not_see_the_log_once_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: Any, show: Any, **__: Any) -> Any:
        time.sleep(0.02)
        show(Progress(1, 4, 0.01, 1.0, events_per_s=1.0, seconds_left=0.0, value=None))

    monkeypatch.setattr(trials_module, "train_network", slow)
    plan = plan_for()
    with pytest.raises(StoppedError, match="too slow: it would see 0% of the log"):
        Attempt(plan, plan.settings, 0.1).run()


def test_the_best_of_noise_has_no_advantage_on_users_who_did_not_choose() -> None:
    rng = np.random.default_rng(1)
    totals = rng.normal(size=(400, 20))
    lengths = np.ones(400, int)
    apparent = totals.mean(0).max() - totals.mean(0)[0]
    assert apparent > 0.08, "the best of twenty looks better than the first"
    first = totals.mean(0)[0]
    assert halves(totals, lengths, 0, seed=1) < 0.3 * apparent - min(first, 0)
    totals[:, 7] += 1.0
    assert 0.85 < halves(totals, lengths, 0, seed=1) < 1.15, "a merit stays"


def complete(number: int, value: float) -> Trial:
    return Trial(number=number, state="complete", values={"train.rows": 2**number}, value=value)


def test_the_verdict_says_when_the_advantage_is_noise() -> None:
    start, best = complete(0, 0.10), complete(1, 0.12)
    trials = [start, best]
    clear = {"difference": 0.02, "low": 0.01, "high": 0.03, "p": 0.01}
    assert "trial 1, the best of 2, beats" in verdict_of(trials, best, start, clear, 0.015, "ndcg@10")
    assert "the luckiest too" in verdict_of(trials, best, start, clear, 0.015, "ndcg@10")
    noise = {**clear, "low": -0.01}
    assert verdict_of(trials, best, start, noise, None, "ndcg@10").startswith("WITHIN NOISE: trial 1")
    none = dict.fromkeys(clear)
    assert "too few users" in verdict_of(trials, best, start, none, None, "ndcg@10")
    assert "no trial came to its end" in verdict_of([], None, None, None, None, "ndcg@10")


def test_a_value_is_told_beside_the_others() -> None:
    effects = {
        "16": Effect(trials=3, best=0.10, mean=0.09, stopped=0),
        "32": Effect(trials=2, best=0.12, mean=0.11, stopped=0),
        "64": Effect(trials=1, best=0.115, mean=0.115, stopped=1),
        "128": Effect(trials=0, best=None, mean=None, stopped=2),
        "256": Effect(trials=0, best=None, mean=None, stopped=0),
        "512": Effect(trials=0, best=None, mean=None, stopped=0),
    }
    assert told(32, 0.12, effects) == (
        "16 lost 0.0200 (best of 3), 64 lost 0.0050 (1 trial), 128 was given up (2); not tried: 256, 512"
    )


def test_without_optuna_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"pip install 'segue\[tune\]'"):
        tuned(tmp_path)


def test_optuna_is_imported_only_to_tune() -> None:
    code = "import sys, segue.tuning, segue.cli; sys.exit('optuna' in sys.modules or 'sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_the_command_tunes_and_train_takes_what_it_wrote(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    log, out = shop_of(tmp_path_factory) / "clicks.csv", tmp_path / "tuned"
    small = [word for key, value in {**QUICK, "model.width": 8}.items() for word in ("--set", f"{key}={value}")]
    told = Ran(capsys, "tune", log, "--out", out, "--trials", 2, *small)
    assert told.status == 0
    assert "0 (best)" in told.out or "(best)" in told.out
    assert "segue train LOG --config" in told.err
    found = Ran(capsys, "tune", log, "--out", out, "--trials", 3, "--resume", "--json", *small).json
    assert len(found["trials"]) == 3
    trained = Ran(capsys, "train", log, "--config", out / "settings.toml", "--out", tmp_path / "model", "--json")
    cell = tomllib.loads((out / "settings.toml").read_text("utf-8"))["model"]["cell"]
    assert {row["model"] for row in trained.json["report"]["rows"]} >= {cell, "markov"}
    Ran(capsys, "tune", log, "--out", out).failed(2, "--budget", "--trials")
    Ran(capsys, "tune", log, "--out", out, "--trials", 3, *small).failed(1, "--resume")


def test_two_tunings_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    with alone(tmp_path / "tuned"), pytest.raises(TrainingError, match="another tuning is at work there"):
        tuned(tmp_path / "tuned", trials=1)


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    with (
        pytest.raises(TrainingError, match=r"could not be written \(No space left on device\).*--resume"),
        on_disk(tmp_path),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(ValueError, match="mine"), on_disk(tmp_path):
        raise ValueError("mine")
