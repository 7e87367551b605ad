"""The study: which configuration comes next, which is given up, and what is known after a kill. Optuna's part."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from segue.errors import ConfigError, TrainingError
from segue.training.tuning.records import Trial
from segue.training.tuning.space import Dimension, start_of, values_at
from segue.training.tuning.trial import StoppedError

if TYPE_CHECKING:
    import optuna

STUDY, SETTINGS, TRIALS, VALUES = "study.db", "settings.toml", "trials.json", "values"
FILES = (STUDY, SETTINGS, TRIALS)
STARTUP_TRIALS = 5
"""So many trials are drawn at random, and none of them is given up, before the others are measured against them."""

STEPS = 10
"""The schedule of a trial in steps: trials of different pace are compared at the same part of their schedules."""

WARMUP_STEPS = 3
"""Before this part of the schedule nothing is given up: a high learning rate shows late what it is good for."""

REPEATS = 30
"""After so many proposals in a row that were tried before, there is nothing new to try."""

RECORD, REPEAT, AGAIN = "record", "repeat", "again"
"""What is kept with a trial: its record; that it was tried before; that it was killed once."""


class Study:
    """Trials in an SQLite file that is whole after every write.

    A trial is given up by the median rule: its best so far is below the median of the complete trials at the same part
    of the schedule. Successive halving was the other candidate: it gives up three of four at the first rung, which
    takes dozens of trials to be worth it and favours what learns fast early; a tuning here is some ten or twenty.

    Args:
        folder: where it is kept; created.
        fingerprint: what it must match: log, split, settings and space.
        resume: go on with one that is there.
        overwrite: forget one that is there.

    Raises:
        ConfigError: Optuna is not installed.
        TrainingError: there is a study, and neither `resume` nor `overwrite` was asked for; or it does not match.
    """

    def __init__(
        self,
        folder: Path,
        space: Sequence[Dimension],
        *,
        fingerprint: str,
        seed: int,
        resume: bool = False,
        overwrite: bool = False,
    ) -> None:
        optuna = imported()
        self.space = space
        self._reported: dict[int, float] = {}
        there = [name for name in FILES if (folder / name).exists()]
        if overwrite:
            forget(folder)
        elif there and not resume:
            raise TrainingError(f"{folder} holds a tuning ({', '.join(there)}): go on with --resume, or --overwrite it")
        folder.mkdir(parents=True, exist_ok=True)
        try:
            self.storage = optuna.storages.RDBStorage(f"sqlite:///{(folder / STUDY).resolve()}")
            self.study = optuna.create_study(
                study_name="segue",
                storage=self.storage,
                direction="maximize",
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(STARTUP_TRIALS, WARMUP_STEPS, n_min_trials=3),
            )
        except Exception as error:  # SQLAlchemy, Alembic and Optuna each have errors of their own for a broken file
            if any(word in str(error) for word in ("disk is full", "readonly", "unable to open", "disk I/O")):
                said = str(error).splitlines()[0]
                raise TrainingError(
                    f"{folder}: a study cannot be written there ({said}); make room, or choose another --out"
                ) from None
            raise TrainingError(f"{folder / STUDY}: not a readable study ({error}); delete it and start anew") from None
        known = self.study.user_attrs.get("fingerprint")
        if known is not None and known != fingerprint:
            self.close()
            raise TrainingError(
                f"{folder / STUDY}: the study belongs to another log, split, settings or space; "
                "repeat the command that began it, or start anew with --overwrite"
            )
        # A sampler does not remember its draws: a resumed one must not draw the same again.
        begun = len(self.study.get_trials(deepcopy=False))
        self.study.sampler = optuna.samplers.TPESampler(n_startup_trials=STARTUP_TRIALS, seed=seed + begun)
        if known is None:
            self.study.enqueue_trial(start_of(space))
            self.study.set_user_attr("fingerprint", fingerprint)
        self.mend()

    def close(self) -> None:
        """Let go of the file."""
        self.storage.remove_session()
        self.storage.engine.dispose()

    def kept(self, name: str) -> Any:
        """A fact of the study, None if there is none."""
        return self.study.user_attrs.get(name)

    def keep(self, name: str, value: Any) -> None:
        """Keep a fact of the study."""
        self.study.set_user_attr(name, value)

    def mend(self) -> None:
        """What a killed command left running is closed, and tried again once."""
        import optuna

        for trial in self.study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            self.study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            if len(trial.params) == len(self.space) and AGAIN not in trial.user_attrs:
                self.study.enqueue_trial(trial.params, user_attrs={AGAIN: True})

    def ask(self) -> tuple[optuna.Trial, dict[str, Any]] | None:
        """The next trial and its values; None where everything near has been tried."""
        import optuna

        distributions: dict[str, Any] = {
            one.key: optuna.distributions.IntDistribution(0, len(one.choices) - 1)
            if one.ordered
            else optuna.distributions.CategoricalDistribution(one.choices)
            for one in self.space
        }
        tried = [one.values for one in self.trials() if one.state in ("complete", "pruned", "failed")]
        for _ in range(REPEATS):
            trial = self.study.ask(distributions)
            values = values_at(self.space, trial.params)
            if values not in tried:
                self._reported = {}
                return trial, values
            trial.set_user_attr(REPEAT, True)
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return None

    def report(self, trial: optuna.Trial, share: float, value: float) -> None:
        """Note how a trial stands at a share of its schedule. Raises StoppedError where it should be given up."""
        step = min(STEPS, math.ceil(share * STEPS))
        last = max(self._reported, default=None)
        if last is not None and step <= last:
            return
        # Parts of the schedule that lie within one epoch keep the value from before it.
        between = {} if last is None else dict.fromkeys(range(last + 1, step), self._reported[last])
        for place, stood in {**between, step: value}.items():
            trial.report(stood, place)
            self._reported[place] = stood
        if step < STEPS and trial.should_prune():  # at the end there is nothing to be saved
            raise StoppedError(f"at {share:.0%} of its schedule it is below the median of the others")

    def tell(self, trial: optuna.Trial, record: Trial) -> None:
        """The end of a trial."""
        import optuna

        trial.set_user_attr(RECORD, msgspec.to_builtins(record))
        states = optuna.trial.TrialState
        state = {"complete": states.COMPLETE, "pruned": states.PRUNED}.get(record.state, states.FAIL)
        self.study.tell(trial, record.value if state is states.COMPLETE else None, state=state)
        if record.state == "interrupted":
            self.study.enqueue_trial(trial.params)

    def trials(self) -> list[Trial]:
        """What is known of every trial that came to an end or was killed; repeated proposals are left out."""
        found = []
        for trial in self.study.get_trials(deepcopy=False):
            if RECORD in trial.user_attrs:
                found.append(msgspec.convert(trial.user_attrs[RECORD], Trial))
            elif trial.state.is_finished() and REPEAT not in trial.user_attrs and trial.params:
                reason = "killed again: not tried a third time" if AGAIN in trial.user_attrs else ""
                values = values_at(self.space, trial.params)
                found.append(Trial(number=trial.number, state="killed", values=values, reason=reason))
        return found


def imported() -> Any:
    """Optuna, told to keep quiet. Raises ConfigError if it is not installed."""
    try:
        import optuna
    except ImportError:
        raise ConfigError("tuning needs Optuna, which is not installed: pip install 'segue[tune]'") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def forget(folder: Path) -> None:
    """Remove what a tuning keeps in a folder, and nothing else."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / VALUES, ignore_errors=True)
