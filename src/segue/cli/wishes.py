"""Options that say how a list is to be: less of the same, and by rules."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from segue.cli.options import GIVEN
from segue.errors import ConfigError

if TYPE_CHECKING:
    from segue.recommender import Recommender

DIVERSITY = Group("Diversity", help="Lists that are less of the same.")
RULES = Group("Rules", help="What a list must and should look like.")

Alike = Annotated[
    Literal["attributes", "vectors", "auto"],
    Parameter(help="How alike items are: by attributes, by the model's vectors, or auto: the first there is."),
]


@Parameter(name="*", group=DIVERSITY)
@dataclass
class LessAlike:
    """How lists are less of the same."""

    diversity: Annotated[
        float | None, Parameter(help="From 0, the best scores, to 1: how far the list may go from them.")
    ] = None
    strategy: Annotated[str | None, Parameter(help="By which strategy. By default mmr.")] = None
    similarity: Alike | None = None

    def named(self, seed: int | None = None) -> dict[str, Any]:
        """Those that were given, as `Recommender.recommend` takes them.

        Raises:
            ConfigError: they would change nothing.
        """
        given = {name: value for name, value in vars(self).items() if value is not None}
        if self.diversity is None and (given or seed is not None):
            name = next(iter(given), "seed")
            from segue.serving.lists.diverse import IDLE

            raise ConfigError(IDLE.format(f"--{name}", "--diversity"))
        return given if seed is None else {**given, "seed": seed}


@Parameter(name="*", group=RULES)
@dataclass
class RuleFiles:
    """Files of rules."""

    rules: Annotated[Path | None, Parameter(help="A TOML file of rules, as they stand in a request."), GIVEN] = None
    scenarios: Annotated[
        Path | None, Parameter(help="A TOML file of named sets of rules, as `segue serve` takes it."), GIVEN
    ] = None
    scenario: Annotated[str | None, Parameter(help="The name of one of these sets.")] = None

    def check(self, has_log: bool) -> None:
        """Raise ConfigError for what does not go together."""
        if has_log and (self.rules or self.scenarios or self.scenario):
            raise ConfigError("--rules and --scenario are for one list: give --items, not --log")
        if (self.scenario is None) != (self.scenarios is None):
            given, missing = ("scenario", "scenarios") if self.scenarios is None else ("scenarios", "scenario")
            raise ConfigError(
                f"--{given} is given, and --{missing} is not; expected a file and the name of a set in it"
            )

    def read(self, recommender: Recommender) -> dict[str, Any]:
        """What the files hold, as `Recommender.recommend` takes it. Raises ConfigError for a file that holds none."""
        from segue.cli.show import say
        from segue.serving.lists.scenarios import read_rules

        if self.scenarios is not None:
            for note in recommender.read_scenarios(self.scenarios):
                say(f"warning: {self.scenarios}: {note}")
        given: dict[str, Any] = {} if self.scenario is None else {"scenario": self.scenario}
        return given if self.rules is None else {**given, "rules": read_rules(self.rules)}
