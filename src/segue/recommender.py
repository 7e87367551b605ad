"""A trained model with the names of its items: what `fit` and `load` give. Polars is imported only for a log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from segue.artifact import Artifact, keep_frontier, load_artifact, save_artifact
from segue.artifact.current import served
from segue.data.events import EventLog
from segue.data.items import read_items
from segue.errors import RequestError
from segue.evaluation.points import Frontier
from segue.evaluation.report import Report
from segue.models.known_items import Similarity
from segue.serving.bundle import Bundle
from segue.serving.engine import Engine
from segue.serving.events import check_time
from segue.serving.given import Given, history_of, session_of
from segue.serving.lists.diverse import Wish
from segue.serving.lists.explain import Reason, explain
from segue.serving.lists.recommendation import Recommendation, Recommendations, recommendations
from segue.serving.lists.scenarios import Scenarios, read_scenarios
from segue.serving.lists.similar import similar_items
from segue.serving.store.memory import MemoryStore
from segue.serving.user_state import UserState, after, best_after, initial
from segue.user_lists import joined, user_lists

if TYPE_CHECKING:
    from segue.data.splits import Split
    from segue.evaluation.judged import Judged
    from segue.reporting.file import Mail
    from segue.training.cold_report import ColdItems
    from segue.training.rolling.report import Rolling

__all__ = ["Recommendation", "Recommendations", "Recommender", "UserState", "load"]


def load(folder: str | Path, *, light: bool = False) -> Recommender:
    """Read a model that `save` or `segue train` wrote; of a folder of versions, the one that is served.

    Raises ArtifactError if it is missing or damaged.

    Args:
        light: for answers alone: do without PyTorch, which takes seconds to load; a network then steps by ONNX Runtime.
            Where only one of the two is installed, that one is taken.
    """
    return Recommender(load_artifact(served(Path(folder)), light=light))


class Recommender:
    """A trained model with the names of its items.

    `fit` and `load` make one. Lists never hold what the model's own `exclude` setting forbids.
    """

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self.bundle = Bundle.of(artifact)
        self._engine = Engine(self.bundle, MemoryStore())

    @property
    def trained_report(self) -> Report:
        """How good it was when it was trained, beside the baselines."""
        return msgspec.convert(msgspec.to_builtins(self.artifact.metrics["report"]), Report)

    def columns(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Which column is what: as given, else as it was in training."""
        return self.artifact.settings.columns(given)

    @property
    def item_ids(self) -> list[str]:
        """Every item it can recommend."""
        return list(self.artifact.catalog.ids)

    def recommend(
        self,
        *,
        items: Sequence[str],
        k: int = 10,
        timestamp: float | None = None,
        exclude: str | None = None,
        rules: Mapping[str, Any] | None = None,
        scenario: str | None = None,
        diversity: float | None = None,
        strategy: str | None = None,
        similarity: Similarity | None = None,
        seed: int | None = None,
    ) -> Recommendations:
        """What comes next after some items, oldest first, taken as one session of a new user.

        Args:
            items: item ids; one that the model does not know tells it little. Of features of these events nothing is
                known here: for those there are `step`, a server, and `recommend_users`.
            k: length of the list.
            timestamp: of the request in Unix seconds, if known.
            exclude: `none`, `current` or `seen`, in place of the model's own.
            rules: what the list must and should look like, such as `{"deny": {"items": ["A"]}}`; see the page on rules.
            scenario: the name of a set of rules that `read_scenarios` read, which hold as well.
            diversity: from 0 (the best scores, as without it) to 1: how much less of the same the list is to be.
            strategy: by which, see the page on diversity; None: `mmr`. It, `similarity` and `seed` need `diversity`.
            similarity: by what items are alike: `attributes`, the model's own `vectors`, or None or `auto`, the first
                of the two that there is.
            seed: of a strategy that draws; other items give another draw under the same seed.

        Returns:
            A list, which also says why it is short, which pins could not be had, and what chose it.

        Raises:
            RequestError: no list of ids, or a k, time, scenario, rules or strategy that cannot be meant.
        """
        if isinstance(items, str):
            raise RequestError(f"`items` is the string {items!r}; expected a list of item ids, such as [{items!r}]")
        if not isinstance(items, Iterable):
            raise RequestError(f"`items` is {items!r}; expected a list of item ids")
        for name, number in {"k": k, "seed": 0 if seed is None else seed}.items():
            if not isinstance(number, (int, np.integer)):
                raise RequestError(f"`{name}` is {number!r}; expected a whole number")
        found = self._engine.recommend(
            items=list(items),
            k=k,
            timestamp=timestamp,
            exclude=exclude,  # type: ignore[arg-type]
            rules=rules,
            scenario=scenario,
            diversity=diversity,
            strategy=strategy,
            similarity=similarity,
            seed=seed,
        )
        return recommendations(self.bundle, found)

    def read_scenarios(self, file: str | Path) -> list[str]:
        """Read named sets of rules for `recommend`, from a file as `segue serve --scenarios` takes it.

        Returns:
            A sentence for each set that names what the catalog does not have.

        Raises:
            ConfigError: it cannot be read, or a set cannot be meant.
        """
        sets, notes = read_scenarios(Path(file), self.bundle)
        self._engine.scenarios = Scenarios(sets)
        return notes

    def recommend_users(
        self,
        log: Any,
        *,
        users: str | Sequence[str] = "all",
        k: int = 10,
        exclude: str | None = None,
        diversity: float | None = None,
        strategy: str | None = None,
        similarity: Similarity | None = None,
        seed: int | None = None,
        available_at: float | None = None,
        **columns: Any,
    ) -> Any:
        """What comes next for the users of a log, right after the last event of each.

        The same list as `recommend` of a server after the same events, at the time of the last one. Places for which
        the model has nothing to say are filled as there: their scores do not compare with the others.

        Args:
            log: as in `read_log`; a pandas frame in gives a pandas frame out, else it is a polars frame.
            users: ids, or "all".
            k: length of the lists.
            exclude: `none`, `current` or `seen`, in place of the model's own.
            diversity, strategy, similarity, seed: as in `recommend`; other users get another draw under the same seed.
            available_at: Unix seconds: items are left out that the catalog says are not available then; None: now.
            columns: see `read_log`.

        Returns:
            A frame with `user_id, item_id, score, rank`; k rows a user, fewer where no more may be answered.
        """
        from segue.data.log import read_log

        wish: dict[str, Any] = {"diversity": diversity, "strategy": strategy, "similarity": similarity, "seed": seed}
        events = read_log(log, **self.columns(columns))
        frames = self.lists(events, users=users, k=k, exclude=exclude, **wish, available_at=available_at)
        return joined(list(frames), log)

    def lists(
        self,
        log: EventLog,
        *,
        users: str | Sequence[str] = "all",
        k: int = 10,
        exclude: str | None = None,
        diversity: float | None = None,
        strategy: str | None = None,
        similarity: Similarity | None = None,
        seed: int | None = None,
        available_at: float | None = None,
    ) -> Iterator[Any]:
        """The same as `recommend_users`, as polars frames of some thousand users each, in bounded memory."""
        wish = Wish(diversity, strategy, similarity, seed)
        given: dict[str, Any] = {"users": users, "k": k, "exclude": exclude, "available_at": available_at}
        return user_lists(self.artifact, self.bundle, log, **given, wish=wish)

    def similar(self, item: str, k: int = 10) -> list[Recommendation]:
        """The items nearest to one: by the cosine of item vectors; where a model has none, what follows it.

        Raises:
            RequestError: the item is not in the catalog.
        """
        return [
            Recommendation(item_id, score, rank, self.bundle.title_of(item_id))
            for rank, (item_id, score) in enumerate(similar_items(self.bundle, item, k), 1)
        ]

    def explain(
        self,
        ranked: Sequence[str | Recommendation],
        *,
        items: Sequence[str] | None = None,
        events: Sequence[Given] | None = None,
        timestamp: float | None = None,
        most: int = 3,
        before_rules: Sequence[str] = (),
    ) -> list[Reason]:
        """Why items stand in a list: the events that moved their scores most, and what others did after those.

        Args:
            ranked: the list, or some of it, or any items of the catalog.
            items: what the user had, as in `recommend`.
            events: or the user's events, oldest first, each as in `step`.
            timestamp: of the request in Unix seconds, if known.
            most: so many events, and so many pairs of items, are named at most for each item.
            before_rules: the ids that rules were given, best first, for the rank without rules.

        Raises:
            RequestError: not exactly one of `items` and `events`, an item without a score, or a number or time that
                cannot be meant.
        """
        if (items is None) == (events is None):
            found = "neither" if items is None else "both"
            raise RequestError(f"`items` and `events`: {found} given; expected exactly one of them")
        for name, value in {"ranked": ranked, "items": items, "events": events}.items():
            if isinstance(value, str):
                raise RequestError(f"`{name}` is the string {value!r}; expected a list, such as [{value!r}]")
        check_time(timestamp, "timestamp")
        history = session_of(items, timestamp) if items is not None else history_of(events or ())
        listed = [one if isinstance(one, str) else one.item_id for one in ranked]
        return explain(self.bundle, history, listed, timestamp, most=most, before_rules=before_rules)

    def evaluate(
        self,
        log: Any,
        *,
        items: Any = None,
        metrics: Sequence[str] = (),
        report: str | Path | Mail | None = None,
        **columns: Any,
    ) -> Report:
        """How good the model is on events it cannot have learned from; see `evaluate_artifact`.

        Args:
            log: as in `read_log`; best the whole one.
            items: an items table, for columns that the model does not have.
            metrics: such as `category_hit@10`, beside those of every report and those it was trained with.
            report: an .html file to write it to, in words and pictures, with all that it takes to trust it.
            columns: see `read_log`.

        Raises:
            ConfigError: the report could not be written there; nothing was done.
        """
        from segue.data.log import read_log
        from segue.reporting.file import Mail, mail_judged
        from segue.reporting.kept import kept_frontier
        from segue.training.evaluate import evaluate_artifact

        mail = Mail.to(report)
        table = None if items is None else read_items(items)
        events = read_log(log, **self.columns(columns))

        def watch(split: Split, judged: Judged) -> None:
            assert mail is not None
            kept = partial(kept_frontier, self.artifact)
            mail_judged(mail, judged, events, split, self.artifact.settings, log, kept=kept, items=table)

        return evaluate_artifact(self.artifact, events, table, metrics=metrics, watch=watch if mail else None)

    def evaluate_new_items(self, log: Any, items: Any, *, lift: float | None = None, **columns: Any) -> ColdItems:
        """How well a network that reads content finds items that it never met; see `cold_items`.

        Args:
            log: as in `evaluate`; unknown items of its asked part are appended by their content alone.
            items: an items table that has them.
            lift: added to their bias; None: as in the model's settings.
            columns: see `read_log`.
        """
        from segue.data.log import read_log
        from segue.training.cold_items import cold_items

        return cold_items(self.artifact, read_log(log, **self.columns(columns)), read_items(items), lift=lift)

    def rolling(
        self,
        log: Any,
        *,
        every: str = "7d",
        weeks: int | None = None,
        items: Any = None,
        retrain: bool = True,
        settings: Mapping[str, Any] | None = None,
        say: Callable[[str], None] = lambda _: None,
        show: Callable[..., None] = lambda *_: None,
        **columns: Any,
    ) -> Rolling:
        """The model kept, updated and trained anew, week after week, each week asked before anybody learns it.

        Args:
            log: as in `read_log`; the whole one: what the model learned from, and what came after.
            every: how long a week is.
            weeks: so many at most, the first one included; None: until the log ends.
            items: an items table, with what is known of new items.
            retrain: whether a network is trained anew before each week as well.
            settings: of updates, on top of the model's own, such as {"update.freeze": "core"}.
            say, show: told of what happens.
            columns: see `read_log`; by default as in training.

        Returns:
            Each model in each week, and over all weeks; `chart()` is a picture of it.

        Raises:
            EvaluationError, ConfigError: model, log or what is asked for leaves no weeks to compare in.
        """
        from segue.data.log import read_log
        from segue.training.rolling.roll import rolling_of

        table = None if items is None else read_items(items)
        given: dict[str, Any] = {"every": every, "weeks": weeks, "retrain": retrain, "settings": settings}
        return rolling_of(self.artifact, read_log(log, **self.columns(columns)), table, say=say, show=show, **given)

    def frontier(
        self,
        log: Any,
        *,
        items: Any = None,
        columns: Mapping[str, Any] | None = None,
        report: str | Path | Mail | None = None,
        **asked: Any,
    ) -> Frontier:
        """What diversity costs on events the model cannot have learned from; see `frontier_of`.

        Args:
            log, items, columns: as in `evaluate`.
            report: an .html file to write it to, as in `evaluate`.
            asked: see `frontier_of`.
        """
        from segue.data.log import read_log
        from segue.reporting.file import Mail, mail_frontier
        from segue.training.evaluate import split_for
        from segue.training.frontier import frontier_of

        mail = Mail.to(report)
        events = read_log(log, **self.columns(columns or {}))
        found = frontier_of(self.artifact, events, None if items is None else read_items(items), **asked)
        if mail is not None:
            mail_frontier(mail, found, events, lambda: split_for(self.artifact, events), self.artifact.settings, log)
        return found

    def keep_frontier(self, found: Frontier) -> Path:
        """Keep what `frontier` measured in the model's folder, where the page and reports find it; the file.

        Raises:
            ArtifactError: the model was not loaded from a folder, or that cannot be written.
        """
        return keep_frontier(self.artifact, found)

    def update(
        self,
        log: Any = None,
        *,
        items: Any = None,
        withdraw: Any = (),
        settings: Mapping[str, Any] | None = None,
        force: bool = False,
        say: Callable[[str], None] = lambda _: None,
        show: Callable[..., None] = lambda *_: None,
        **columns: Any,
    ) -> Recommender:
        """A model that takes in new items and goes on learning from new days; this one stays as it is.

        `update_report` of the one that comes of it says what that changed; see the page on updating.

        Args:
            log: new events, and as many old ones of their users as there are; see `read_log`. None: nothing is learned.
            items: an items table, with new items and with what has changed of known ones.
            withdraw: ids of items that may not be answered any more, or a table of them.
            settings: on top of the model's own, such as {"update.freeze": "both"}.
            force: make the model even if it is worse on new events, or cannot be judged.
            say, show: told of what happens.
            columns: see `read_log`; by default as in training.

        Raises:
            WorseUpdateError: it is worse on new events beyond the interval; its `report` says by how much.
            TrainingError, LogError, ConfigError: model, log or items cannot be used so.
        """
        from segue.training.updating.asking import update_model

        given: dict[str, Any] = {"withdraw": withdraw, "settings": settings, "columns": columns}
        return Recommender(update_model(self.artifact, log, items, force=force, say=say, show=show, **given).artifact)

    @property
    def update_report(self) -> Any:
        """Of an updated model what its last update changed, an `UpdateReport`; None where there was none."""
        told = self.artifact.metrics.get("update")
        if told is None:
            return None
        from segue.training.updating.report import UpdateReport

        return msgspec.convert(msgspec.to_builtins(told), UpdateReport)

    @property
    def transfer_report(self) -> Any:
        """Of a finetuned model what its core is worth, a `TransferReport`; None where that was not asked for."""
        told = self.artifact.metrics.get("transfer")
        if told is None:
            return None
        from segue.training.finetuning.report import TransferReport

        return msgspec.convert(msgspec.to_builtins(told), TransferReport)

    def save(self, folder: str | Path, *, overwrite: bool = False, say: Callable[[str], None] = lambda _: None) -> None:
        """Write the model as a folder, whole or not at all. Raises ArtifactError if that cannot be.

        Args:
            overwrite: replace the model that is there.
            say: told where the model can be served by PyTorch alone.
        """
        save_artifact(self.artifact, Path(folder), overwrite=overwrite, say=say)

    # One user, event by event: what the server does, without the server.

    def initial_state(self) -> UserState:
        """Nothing known of the user."""
        return initial(self.bundle)

    def step(self, event: Given, state: UserState) -> UserState:
        """The state after one more event; the old one stays as it was.

        Args:
            event: an item id; or a mapping with `item_id` and, if known, `timestamp` (Unix seconds) and `session_id`.
                Without a timestamp it counts as simultaneous with the one before; the first happened now.
            state: from `initial_state` or `step`.
        """
        return after(self.bundle, event, state)

    def top_k(self, state: UserState, k: int = 10, *, timestamp: float | None = None) -> Recommendations:
        """The best k items after a state, for a request at `timestamp`, if that is known."""
        return best_after(self.bundle, state, k, timestamp)
