"""Everything that segue raises on purpose.

    SegueError
    ├── UsageError          asked wrongly: the command line leaves with 2
    │   ├── ConfigError     a setting, model, metric or column that does not exist or does not fit
    │   │   └── UnknownCellError    a recurrent layer that is not known here
    │   └── RequestError    a call or an HTTP request that cannot be answered as it stands
    ├── LogError            the log, or the items table, cannot be read or trusted
    ├── SplitError          the log cannot be split in the way asked for
    ├── TrainingError       training stopped: a loss that is no number, nothing to learn from
    ├── EvaluationError     there is nothing to evaluate, or it would be dishonest to
    │   └── WorseUpdateError    an update is worse on new events than the model before it
    ├── ArtifactError       a saved model is incomplete, damaged, newer than this version, or in the way
    └── StoreError          the store of events and states cannot be opened, read or written

Each message says what was found, where, what was expected and what to do.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class SegueError(Exception):
    """The root: `except SegueError` catches what segue raises on purpose, and nothing else."""

    exit_code = 1


class UsageError(SegueError):
    """Asked wrongly; nothing was done."""

    exit_code = 2


class ConfigError(UsageError):
    """A setting, model, metric or column that does not exist or does not fit."""


class UnknownCellError(ConfigError):
    """A recurrent layer that is not known here: misspelt, or one's own and not imported."""


class RequestError(UsageError):
    """A call or an HTTP request that cannot be answered as it stands."""


class LogError(SegueError):
    """The log, or the items table, cannot be read or trusted."""


class SplitError(SegueError):
    """The log cannot be split in the way asked for."""


class TrainingError(SegueError):
    """Training stopped: a loss that is no number, or nothing to learn from."""


class InterruptedTrainingError(TrainingError):
    """Ctrl-C, before there was a model to save."""

    exit_code = 130


class EvaluationError(SegueError):
    """There is nothing to evaluate, or it would be dishonest to."""


class WorseUpdateError(EvaluationError):
    """An update that is worse on new events than the model before it.

    Attributes:
        report: an `UpdateReport`, which says by how much.
    """

    def __init__(self, message: str, report: Any) -> None:
        super().__init__(message)
        self.report = report


class ArtifactError(SegueError):
    """A saved model is incomplete, damaged, newer than this version, or in the way."""


class OverloadedError(SegueError):
    """More is asked for than can be done at the moment; the same may be asked again."""


class StoreError(SegueError):
    """The store of events and states cannot be opened, read or written."""


MOST_SHOWN = 12
MOST_CHOICES = 20_000
"""Above this many, looking for the nearest takes longer than anyone waits for a message."""


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The tail of a message on an unknown word: the nearest choice, else all of them.

    >>> did_you_mean("learning_rte", ["learning_rate", "epochs"])
    ' (did you mean `learning_rate`?)'
    """
    known = sorted(choices)
    if len(known) > MOST_CHOICES:
        return ""
    near = get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    if near:
        return f" (did you mean `{near[0]}`?)"
    if not known:
        return ""
    shown = known if len(known) <= MOST_SHOWN + 1 else [*known[:MOST_SHOWN], f"{len(known) - MOST_SHOWN:,} more"]
    return f" (known: {', '.join(shown)})"
