"""A network that goes on: what it learns and what it does not, what stays in its place, and what it says of that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from segue.artifact import Artifact, load_artifact, replay_of, save_artifact
from segue.artifact.content import REPLAY
from segue.config import Settings
from segue.data.catalog import ItemTable
from segue.data.events import EventLog
from segue.data.ids import Ids
from segue.data.sessions import Sequences, lay_out
from segue.errors import ArtifactError, ConfigError, LogError, TrainingError, WorseUpdateError
from segue.evaluation.phase import laid_out
from segue.models.base import SessionRule
from segue.models.log_counts import LogCounts
from segue.training import trainer
from segue.training.losses import Loss
from segue.training.updating import learning
from segue.training.updating.days import learned_of
from segue.training.updating.update import Updated, update_artifact
from update_models import ITEMS, NEW_ITEMS, PART, items_table, log_since, log_until, model, whole_log


def cutoff_of(artifact: Artifact) -> float:
    assert artifact.facts.cutoff is not None
    return artifact.facts.cutoff


def laid(log: EventLog, artifact: Artifact) -> Sequences:
    """A log with the items of a model."""
    return laid_out(log, artifact.facts.rule, artifact.catalog)


def settings_with(artifact: Artifact, **update: Any) -> Settings:
    return msgspec.structs.replace(
        artifact.settings, update=msgspec.structs.replace(artifact.settings.update, **update)
    )


def updated(log: EventLog | None = None, items: ItemTable | None = None, **given: Any) -> Updated:
    """The model of the first days, after the days that followed."""
    update = given.pop("update", {})
    return update_artifact(
        model(), whole_log() if log is None else log, items, settings=settings_with(model(), **update), **given
    )


@pytest.fixture
def every_pass_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that all passes are taken, whatever chance says of a small log."""
    rising = iter(range(1000))
    monkeypatch.setattr("segue.training.updating.learning.validation_metric", lambda *_: next(rising))


@pytest.fixture
def no_pass_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the weights stay as they are."""
    falling = iter(range(1000, 0, -1))
    monkeypatch.setattr("segue.training.updating.learning.validation_metric", lambda *_: next(falling))


@pytest.fixture(scope="module")
def plain() -> Updated:
    with pytest.MonkeyPatch.context() as patched:  # the shop is small
        patched.setattr("segue.metrics.intervals.FEWEST_TO_COMPARE", 5)
        return updated()


def test_known_items_keep_their_places_and_new_ones_follow_in_the_order_in_which_they_came(plain: Updated) -> None:
    before, after = model().catalog.ids, plain.artifact.catalog.ids
    assert list(after)[: len(before)] == list(before)
    late = log_since(cutoff_of(model()))
    came = [one for one in dict.fromkeys(late.items.take(late.item)) if one not in before.places]
    assert list(after)[len(before) :] == came
    assert len(came) == NEW_ITEMS == plain.report.items
    table = updated(items=items_table()).artifact.catalog
    assert list(table.ids) == [*after, "item of tomorrow"]
    assert plain.artifact.catalog.columns.keys() == model().catalog.columns.keys()
    assert table.columns["title"] == [f"Title of {one}" for one in table.ids]


def test_it_learns_new_days_and_what_follows_new_items(plain: Updated) -> None:
    new = plain.report.changes[0]
    assert new.part == "new events"
    assert new.before.value is not None
    assert new.after.value is not None
    assert new.after.value > new.before.value
    parts = {one.part: one for one in plain.report.changes}
    assert parts["of new items"].before.value == 0, "nobody can answer what he does not know"
    assert (parts["of new items"].after.value or 0) > 0.1
    assert "old sequences" in parts
    assert plain.report.verdict.startswith("the update is better")
    assert parts["of known items"].predictions + parts["of new items"].predictions == new.predictions


def learned_by(monkeypatch: pytest.MonkeyPatch, log: EventLog, **update: Any) -> tuple[list[list[int]], Updated]:
    """How often each item was a target in one pass: over the days that come before those that choose, then over all."""
    found: list[list[int]] = []
    loss, go_on = trainer.loss_of("full"), learning.go_on

    def noting(outputs: Any) -> Any:
        found[-1].extend(outputs.target.tolist())
        return loss(outputs)

    def one_pass(*arguments: Any, **given: Any) -> Any:
        found.append([])
        return go_on(*arguments, **{**given, "passes": 1.0})

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "loss_of", lambda _: Loss(noting, samples=False))
        patch.setattr("segue.training.updating.update.go_on", one_pass)
        patch.setattr("segue.training.updating.learning.go_on", one_pass)
        made = updated(log, update={"epochs": 1, **update})
    return [np.bincount(one, minlength=len(made.artifact.catalog)).tolist() for one in found], made


@pytest.mark.usefixtures("every_pass_helps")
def test_old_events_of_the_log_are_read_and_not_learned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    log, cutoff = whole_log(), cutoff_of(model())
    (_, found), made = learned_by(monkeypatch, log, replay=0.0)
    sequences = laid(log, made.artifact)
    new = (sequences.time >= cutoff) & ~sequences.opens
    assert found == np.bincount(sequences.item[new], minlength=len(made.artifact.catalog)).tolist()
    assert made.report.context == int((log.time < cutoff).sum())
    assert made.report.events == int((log.time >= cutoff).sum())
    assert any("are not learned again" in note for note in made.report.notes)
    (_, again), alone = learned_by(monkeypatch, log_since(cutoff), replay=0.0)
    assert sum(again) < sum(found), "without old events the first new one of a user has nothing before it"
    assert alone.report.context == 0
    assert any("begin at the initial state" in note for note in alone.report.notes)


@pytest.mark.usefixtures("every_pass_helps")
def test_what_chooses_and_judges_was_not_learned_before(monkeypatch: pytest.MonkeyPatch) -> None:
    log, cutoff = whole_log(), cutoff_of(model())
    (before, whole), made = learned_by(monkeypatch, log, replay=0.0)
    new = int((log.time >= cutoff).sum())
    first = log.where(log.time < log.time[len(log) - int(0.2 * new)])  # split.valid and split.test: a tenth each
    sequences = laid(first, made.artifact)
    learned = sequences.item[(sequences.time >= cutoff) & ~sequences.opens]
    assert before == np.bincount(learned, minlength=len(made.artifact.catalog)).tolist()
    assert sum(before) < sum(whole)
    assert made.report.changes[0].predictions <= 0.1 * new


@pytest.mark.usefixtures("every_pass_helps")
def test_as_many_old_events_as_asked_for_are_learned_beside_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    (_, bare), _ = learned_by(monkeypatch, whole_log(), replay=0.0)
    (_, some), made = learned_by(monkeypatch, whole_log(), replay=1.0)
    kept = replay_of(model())
    assert kept is not None
    assert 0.7 * made.report.events < made.report.replayed < 1.3 * made.report.events
    assert sum(bare) < sum(some) <= sum(bare) + made.report.replayed
    held = kept.only(kept.held_out)
    drawn = learning.drawn(kept, 1e9, seed=1)
    assert not set(held.user.tolist()) & set(drawn.user.tolist())
    assert held.events + drawn.events == kept.events


def test_the_same_seed_gives_the_same_bits_and_another_does_not(plain: Updated) -> None:
    again = updated().artifact.model.arrays()
    assert all(np.array_equal(array, again[name]) for name, array in plain.artifact.model.arrays().items())
    settings = msgspec.structs.replace(model().settings, seed=2)
    other = update_artifact(model(), whole_log(), settings=settings).artifact.model.arrays()
    assert not np.array_equal(other["table"], again["table"])


@pytest.mark.usefixtures("every_pass_helps")
@pytest.mark.parametrize(
    ("freeze", "stays"), [("none", set()), ("core", {"stack"}), ("items", {"table"}), ("both", {"stack", "table"})]
)
def test_what_is_frozen_keeps_every_bit(freeze: str, stays: set[str]) -> None:
    made = updated(update={"freeze": freeze, "learning_rate": 0.02})
    before, after = model().model.arrays(), made.artifact.model.arrays()
    known = {name: array[:ITEMS] if name in ("table", "bias") else array for name, array in after.items()}
    same = {name.partition(".")[0] for name in before if np.array_equal(before[name], known[name])}
    changed = {name.partition(".")[0] for name in before if not np.array_equal(before[name], known[name])}
    assert made.report.passes > 0
    assert (same, changed) == (stays, {"stack", "table", "bias"} - stays)
    assert made.report.states_stay == (freeze == "both")


def test_an_update_can_be_updated(tmp_path: Path) -> None:
    save_artifact(model(), tmp_path / "first")
    first = load_artifact(tmp_path / "first")
    second = update_artifact(first, log_until(0.9), force=True).artifact  # a few events may say anything
    save_artifact(second, tmp_path / "second")
    second = load_artifact(tmp_path / "second")
    third = update_artifact(second, whole_log(), force=True)
    facts = [one.facts for one in (first, second, third.artifact)]
    assert [one.update_of for one in facts] == ["", first.version, second.version]
    assert [one.cutoff or 0 for one in facts] == sorted({one.cutoff or 0 for one in facts})
    assert [one.events for one in facts] == [int(share * len(whole_log())) for share in (PART, 0.9, 1)]
    assert third.report.events == len(whole_log()) - int(0.9 * len(whole_log()))
    kept, renewed = replay_of(first), third.artifact.replay
    assert kept is not None
    assert renewed is not None
    assert renewed.events == len(whole_log()), "few enough to keep all of them"
    assert kept.events == int(PART * len(whole_log()))
    assert third.artifact.counts is not None
    assert third.artifact.counts.events.sum() == len(whole_log())
    with pytest.raises(LogError, match=r"lie before .* the model's cutoff"):
        update_artifact(third.artifact, whole_log())
    card = third.artifact.card
    assert f"an update of version `{second.version}`" in card
    assert card.count("an update of") == 1


def test_counts_of_the_log_go_on_too(plain: Updated) -> None:
    made, log = plain.artifact, whole_log()
    assert made.counts is not None
    item = made.catalog.items_of(log)
    assert made.counts.events.tolist() == np.bincount(item, minlength=len(made.catalog)).tolist()
    expected = LogCounts.of(laid(log, made), len(made.catalog))
    assert np.array_equal(made.counts.left, expected.left)
    assert made.counts.until.tolist() == [log.time[-1]]


def test_a_sample_is_kept_bounded_and_is_not_read_to_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = updated(update={"kept_events": 200}).artifact
    assert made.replay is not None
    assert 100 < made.replay.events <= 200
    save_artifact(made, tmp_path / "model")
    read: list[str] = []
    plain = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: (read.append(self.name), plain(self))[1])
    loaded = load_artifact(tmp_path / "model", light=True)
    assert "model.safetensors" in read
    assert REPLAY not in read
    assert loaded.replay is None
    found = replay_of(loaded)
    assert found is not None
    assert np.array_equal(found.item, made.replay.item)
    none = updated(update={"kept_events": 0}).artifact
    assert none.replay is None


def test_a_damaged_sample_is_told_and_answers_go_on(tmp_path: Path) -> None:
    save_artifact(model(), tmp_path / "model")
    file = tmp_path / "model" / REPLAY
    file.write_bytes(file.read_bytes()[:-8])
    loaded = load_artifact(tmp_path / "model", light=True)
    with pytest.raises(ArtifactError, match=r"replay\.safetensors: damaged: its SHA-256"):
        update_artifact(load_artifact(tmp_path / "model"), whole_log())
    with pytest.raises(ArtifactError, match=r"replay\.safetensors: damaged"):
        save_artifact(loaded, tmp_path / "copy")
    save_artifact(updated().artifact, tmp_path / "model", overwrite=True)
    with pytest.raises(ArtifactError, match="holds another model than the one that was loaded"):
        replay_of(loaded)


def test_a_model_without_a_sample_learns_the_new_days_alone(tmp_path: Path) -> None:
    old = msgspec.structs.replace(model(), replay=None)
    made = update_artifact(old, whole_log())
    assert any("keeps no sample of old sequences" in note for note in made.report.notes)
    assert made.report.replayed == 0
    assert "old sequences" not in [one.part for one in made.report.changes]
    assert made.artifact.replay is not None, "the next update has one"


@pytest.mark.usefixtures("every_pass_helps")
def test_an_update_that_is_worse_is_refused_unless_it_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = learning.go_on

    def spoiled(network: Any, *arguments: Any, **given: Any) -> Any:
        found = plain(network, *arguments, **given)
        network.bias.data.copy_(torch.arange(network.n_items) * 1000.0)  # one list for everybody
        return found

    monkeypatch.setattr("segue.training.updating.learning.go_on", spoiled)
    settings = msgspec.structs.replace(
        model().settings, train=msgspec.structs.replace(model().settings.train, metric="hr@1")
    )
    few = update_artifact(model(), whole_log(), settings=settings).report
    assert few.changes[0].users == 10
    assert not few.worse, "ten users refuse nothing"
    assert few.verdict.startswith("too few users to tell")
    monkeypatch.setattr("segue.metrics.intervals.FEWEST_TO_COMPARE", 10)
    with pytest.raises(
        WorseUpdateError, match=r"THE UPDATE IS WORSE: -0\..* on new events.*Nothing is written"
    ) as told:
        update_artifact(model(), whole_log(), settings=settings)
    report = told.value.report
    assert report.worse
    assert report.changes[0].worse
    assert "it forgets: -0." in report.verdict, "one list for everybody is no better on old sequences"
    forced = update_artifact(model(), whole_log(), settings=settings, force=True)
    assert forced.report.worse
    assert "THE UPDATE IS WORSE" in forced.artifact.card
    assert forced.report.changes == report.changes


@pytest.mark.usefixtures("no_pass_helps")
def test_where_no_pass_helps_the_weights_stay() -> None:
    made = updated()
    before, after = model().model.arrays(), made.artifact.model.arrays()
    assert made.report.passes == 0
    assert made.report.states_stay
    assert np.array_equal(after["table"][:ITEMS], before["table"])
    assert len(after["table"]) == ITEMS + NEW_ITEMS
    assert made.artifact.facts.cutoff == np.nextafter(whole_log().time[-1], np.inf)


@pytest.mark.usefixtures("no_pass_helps")
def test_new_items_begin_with_the_items_around_them() -> None:
    made = updated(items=items_table())
    network, catalog = model().model, made.artifact.catalog
    table, bias = made.artifact.model.arrays()["table"], made.artifact.model.arrays()["bias"]
    sequences = laid(whole_log(), made.artifact)
    place, beside = ITEMS, []
    for at, item in enumerate(sequences.item):
        if item == place:
            around = [at - 1] if not sequences.opens[at] else []
            around += [at + 1] if at + 1 < len(sequences) and not sequences.opens[at + 1] else []
            beside += [int(sequences.item[one]) for one in around if sequences.item[one] < ITEMS]
    assert table[place] == pytest.approx(network.arrays()["table"][beside].mean(axis=0), abs=1e-6)
    never = catalog.ids.place_of("item of tomorrow")
    assert table[never] == pytest.approx(network.arrays()["table"].mean(axis=0), abs=1e-6)
    assert bias[never] == bias.min() == network.arrays()["bias"].min()
    counts = model().counts
    assert counts is not None
    rare = np.argsort(counts.events, kind="stable")[: ITEMS // 5]
    assert bias[place] == np.median(bias[rare]) > bias[never]


def test_items_alone_leave_weights_and_states_as_they_are(tmp_path: Path) -> None:
    save_artifact(model(), tmp_path / "model")
    before = load_artifact(tmp_path / "model")
    made = update_artifact(before, items=items_table(), withdraw=["item 3"])
    after = made.artifact.model.arrays()
    assert all(np.array_equal(after[name][: len(array)], array) for name, array in before.model.arrays().items())
    assert (made.report.items, made.report.withdrawn, made.report.events) == (3, 1, 0)
    assert made.artifact.facts.core_version == before.version
    assert made.artifact.facts.cutoff == before.facts.cutoff
    assert made.artifact.replay is not None
    assert made.artifact.counts is not None
    assert len(made.artifact.counts.events) == ITEMS + 3
    until = made.artifact.catalog.columns["available_until"]
    assert [place for place, value in enumerate(until) if value is not None] == [before.catalog.ids.place_of("item 3")]


def test_what_the_items_table_lacks_stays_and_what_it_has_is_new() -> None:
    ids = ["item 0", "item 1", "item of tomorrow"]
    made = update_artifact(model(), items=ItemTable(Ids.of(ids), {"title": ["Renamed", None, "Soon"]}))
    catalog, before = made.artifact.catalog, model().catalog
    assert catalog.columns["price"] == [*before.columns["price"], None]
    titles = dict(zip(catalog.ids, catalog.columns["title"], strict=True))
    assert [titles[one] for one in ids] == ["Renamed", "Title of item 1", "Soon"]
    assert titles["item 5"] == "Title of item 5"
    notes = " ".join(made.report.notes)
    assert "10 of 12 known items are not in the items table" in notes
    assert "the items table lacks `price`" in notes


def test_items_that_cannot_be_meant_are_refused_before_anything_is_learned() -> None:
    changed = ItemTable(Ids.of(["item 0"]), {"price": ["cheap"]})
    with pytest.raises(LogError, match=r"column `price` has 'cheap' for the item `item 0`, where .* has numbers"):
        update_artifact(model(), whole_log(), changed)
    never = ItemTable(Ids.of(["item 0"]), {"available_from": ["soon"]})
    with pytest.raises(ConfigError, match="column `available_from` of item `item 0` is 'soon'"):
        update_artifact(model(), whole_log(), never)
    with pytest.raises(ConfigError, match=r"`item 33` is to be withdrawn.*did you mean `item 3`"):
        update_artifact(model(), whole_log(), withdraw=["item 33"])
    with pytest.raises(ConfigError, match="nothing to update by"):
        update_artifact(model())


def test_logs_and_models_that_cannot_be_used_are_refused_with_what_to_do() -> None:
    with pytest.raises(LogError, match=r"all 1,350 events lie before .*, the model's cutoff"):
        update_artifact(model(), log_until(PART))
    with pytest.raises(TrainingError, match="new events are too few to choose the number of passes"):
        update_artifact(model(), log_until(PART + 0.002))
    facts = msgspec.structs.replace(model().facts, cutoff=None, split="leave-one-out")
    with pytest.raises(TrainingError, match=r"under a leave-one-out split.*Train one with --split time"):
        update_artifact(msgspec.structs.replace(model(), facts=facts), whole_log())
    for name in ("markov", "mix"):
        with pytest.raises(TrainingError, match="train it on the whole log"):
            update_artifact(model(name), whole_log())


def test_a_log_of_strange_items_is_looked_at_twice(plain: Updated) -> None:
    log, first = whole_log(), model().facts.cutoff
    there = len(log.items)
    item = np.where(log.time >= (first or 0.0), log.item + there, log.item).astype(np.int32)
    strange = replace(log, items=Ids.of([*log.items, *(f"other-{one}" for one in log.items)]), item=item)
    made = updated(strange, force=True)
    asked = "100% of the new events are of items that the model did not know: is this a log of the same shop"
    assert any(note.startswith(asked) for note in made.report.notes)
    assert not any("same shop" in note for note in plain.report.notes)


def test_too_few_new_events_can_be_learned_unjudged_by_force() -> None:
    made = update_artifact(model(), log_until(PART + 0.002), force=True)
    assert made.report.changes == []
    assert made.report.verdict.startswith("not judged")
    assert made.report.passes == 2


@pytest.mark.parametrize("rule", [SessionRule(), SessionRule(900.0), SessionRule(900.0, "mark")], ids=str)
def test_of_old_events_the_last_of_users_with_new_ones_are_read(rule: SessionRule) -> None:
    log, first = whole_log(), int(PART * len(whole_log()))
    sequences = lay_out(log, gap=rule.gap, at_session_start=rule.at_session_start)
    found, new = learned_of(sequences, first, rule, context=4)
    assert found.order[new].tolist() == sequences.order[sequences.order >= first].tolist()
    assert found.of.tolist() == np.unique(log.user[first:]).tolist()
    for place, user in enumerate(found.of):
        mine = slice(found.bounds[place], found.bounds[place + 1])
        old = sequences.order[(sequences.user == user) & (sequences.order < first)]
        opens = sequences.opens[(sequences.user == user) & (sequences.order < first)]
        begin = int(np.flatnonzero(opens)[-1]) if rule.resets and len(old) else 0
        if rule.resets and sequences.opens[np.isin(sequences.order, found.order[mine][new[mine]])][0]:
            begin = len(old)  # a new session begins with the new days
        assert found.order[mine][~new[mine]].tolist() == old[max(begin, len(old) - 4) :].tolist()
        assert found.starts[mine][0]


def test_what_was_withdrawn_stays_so_and_numbers_are_text_where_text_was() -> None:
    first = ItemTable(Ids.of(["item 0", "item 1"]), {"brand": ["3M", "7"]})
    made = update_artifact(model(), items=first, withdraw=["item 1"]).artifact
    again = ItemTable(Ids.of(["item 0", "item 1"]), {"brand": [42, 7], "available_until": [None, None]})
    catalog = update_artifact(made, items=again).artifact.catalog
    places = [catalog.ids.place_of(one) for one in ("item 0", "item 1")]
    assert [catalog.columns["brand"][place] for place in places] == ["42", "7"]
    assert [catalog.columns["available_until"][place] is None for place in places] == [True, False]


def test_blanks_say_nothing_and_of_withdrawals_those_that_are_known_hold() -> None:
    first = ItemTable(Ids.of(["item 0"]), {"brand": ["3M"]})
    made = update_artifact(model(), items=first).artifact
    found = update_artifact(made, items=ItemTable(Ids.of(["item 0"]), {"brand": [None]}), withdraw=["item 1", "gone"])
    catalog = found.artifact.catalog
    assert catalog.columns["brand"][catalog.ids.place_of("item 0")] == "3M"
    assert catalog.columns["available_until"][catalog.ids.place_of("item 1")] is not None
    assert "1 of 2 items to be withdrawn are no items of the model (`gone`)" in found.report.notes
    with pytest.raises(ConfigError, match="`gone` is to be withdrawn, and is no item of the model"):
        update_artifact(made, withdraw=["gone"])
