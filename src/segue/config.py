"""Every setting, typed, with its default.

What the user sets is put together in `choices.py`; what is left open is proposed from the log, then the defaults hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import tomli_w
from msgspec import Meta, Struct

Share = Annotated[float, Meta(gt=0, lt=1)]
Drop = Annotated[float, Meta(ge=0, lt=1)]
Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]
Exclude = Literal["none", "current", "seen"]


class LogSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column is what; "" finds it by its name."""

    user_col: str = ""
    item_col: str = ""
    time_col: str = ""
    session_col: str = ""
    order_col: str = ""
    type_col: str = ""
    weight_col: str = ""
    split_col: str = ""
    feature_cols: tuple[str, ...] = ()
    format: str = ""

    def chosen(self) -> dict[str, Any]:
        """The options that were set, as `read_log` takes them."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value}


class SessionSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a session is over (`gap` in seconds, or "never") and what happens then."""

    gap: Positive | Literal["never"] = "never"
    at_session_start: Literal["reset", "mark"] = "reset"

    @property
    def gap_seconds(self) -> float | None:
        """The gap as `opens_session` takes it."""
        return None if isinstance(self.gap, str) else self.gap


class SplitSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the log is parted; `valid` and `test` are shares of the events, for the time split."""

    kind: Literal["time", "leave-one-out", "column"] = "time"
    valid: Share = 0.1
    test: Share = 0.1


class ObjectiveSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be predicted, and how much each event counts in training.

    `targets` names the event types that are predicted (empty: all of them; `log.type_col` says where types stand);
    `at_least` asks a predicted event for so much of the log's weight (`log.weight_col`), such as 4 of a rating. What
    is not predicted is read all the same. An event counts as its type in `type_weights` says (others 1), times its
    weight with `by_weight`, times a half for every `half_life` (`30d`) between it and the end of the log. What an
    event learns where not all are predicted is `train.reach`.
    """

    targets: tuple[str, ...] = ()
    at_least: float | Literal["any"] = "any"
    type_weights: dict[str, float] = {}
    by_weight: bool = False
    half_life: str = ""


class ContentSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a network reads of the items table besides what people did.

    `columns` are names (`title`), each with a kind where the found one is wrong (`year:number`, `brand:labels`,
    `notes:text`, `embedding:vector`); `auto` stands for all that tell something, empty for none. `alone` is the share
    of items that a window has by their content alone, so that one which nobody has met yet can be recommended. `lift`
    is added to the bias of items that are new in an update and have content alone: above 0 they are shown more often
    than the model believes in them, at the price of the others.

    `events` are columns of the log that it reads of each event (`price`, `channel:labels`), and `type`, the type of the
    event; by default none.
    """

    columns: tuple[str, ...] = ("auto",)
    alone: Drop = 0.1
    lift: Annotated[float, Meta(ge=-100, le=100)] = 0.0
    events: tuple[str, ...] = ()

    @property
    def of_log(self) -> list[str]:
        """The columns of the log that are read of each event."""
        return [name for name, _ in map(feature_of, self.events) if name != "type"]


EVENT_KINDS = ("number", "labels", "text")
"""What a feature of an event may be."""


def feature_of(one: str) -> tuple[str, str]:
    """The name of a feature, and its kind, "" where nobody has said it.

    >>> feature_of("price:number"), feature_of("channel"), feature_of("a:b")
    (('price', 'number'), ('channel', ''), ('a:b', ''))
    """
    name, _, kind = one.rpartition(":")
    return (name, kind) if kind in EVENT_KINDS and name else (one, "")


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The network: a stack of `layers` of one `width`, with the item table tied to the output.

    A layer is the recurrent `cell` alone (`block = "plain"`) or a `residual` block: norm, gated recurrence, norm, gated
    feed-forward part (`feed_forward` times as wide as the layer; 0: none). `convolution` is how many inputs a causal
    convolution inside each residual block sees, `front` how many one over all channels before the first layer sees; 0:
    there is none. Plain layers take no `convolution` and no `feed_forward`. With `cosine` above 0 a score is so many
    times the cosine between query and item (16 is usual).
    """

    cell: str = "gru"
    block: Literal["plain", "residual"] = "plain"
    width: Count = 128
    layers: Count = 1
    front: Annotated[int, Meta(ge=0)] = 0
    convolution: Annotated[int, Meta(ge=0)] = 0
    feed_forward: Annotated[float, Meta(ge=0)] = 4.0
    dropout: Drop = 0.2
    embedding_dropout: Drop = 0.2
    time_gap: bool = False
    cosine: Annotated[float, Meta(ge=0, le=100)] = 0.0


INSIDE_BLOCKS = {"convolution": (0,), "feed_forward": (4.0, 0.0)}
"""Of `ModelSettings`: what plain layers have no place for, and the values that ask for nothing, the default first."""


class TrainSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the network learns.

    `window` is T: gradients reach back that many events, the state reaches on. `warmup` is a share of the whole.
    `patience` counts epochs without a better validation `metric`, taken over at most `validation_predictions`;
    each point of a baseline's grid is judged by `grid_predictions`. `refit` learns anew from training and
    validation events, `final` from everything. `threads` 0 takes as many as PyTorch would. `gradient_norms` keeps the
    norms of the gradients by parameter and epoch, before they are clipped.

    `loss` is `full`, `sampled`, `bpr-max`, `top1-max` or `gbce`. Every loss but `full` compares a target with
    `negatives` drawn items: `uniform`, by `popularity` to a power, `in-batch` (the window's own targets) or `mixed`
    (half uniform, half by popularity). `score_penalty` weighs the scores' size in `bpr-max`, `calibration` is the t of
    `gbce`. `precision` is of the products in the output layer, in residual blocks and in linear recurrences; `auto`
    measures which is faster. `budget` (`10m`) bounds the time of the whole training, and `latency` (such as `2ms`) that
    of an event and its list; empty: unbounded. Where the objective predicts some of the events, one learns with `reach`
    `next` what comes right after it, if that is predicted; with `ahead` the next such event of its session, whatever
    comes between.
    """

    epochs: Count = 20
    patience: Count = 3
    rows: Count = 64
    window: Count = 50
    learning_rate: Positive = 2e-3
    weight_decay: Annotated[float, Meta(ge=0)] = 0.01
    clip: Positive = 1.0
    warmup: Annotated[float, Meta(ge=0, lt=1)] = 0.05
    loss: str = "full"
    negatives: Count = 2048
    sampling: Literal["mixed", "uniform", "popularity", "in-batch"] = "mixed"
    popularity_power: Annotated[float, Meta(ge=0, le=1)] = 1.0
    score_penalty: Annotated[float, Meta(ge=0)] = 1.0
    calibration: Annotated[float, Meta(ge=0, le=1)] = 0.75
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    device: str = "auto"
    budget: str = ""
    latency: str = ""
    metric: str = "ndcg@10"
    reach: Literal["next", "ahead"] = "next"
    validation_predictions: Count = 20_000
    grid_predictions: Count = 2_000
    refit: bool = True
    final: bool = False
    threads: Annotated[int, Meta(ge=0)] = 0
    checkpoint_seconds: Positive = 60.0
    gradient_norms: bool = False


class EvaluateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may not be answered, at which lengths lists are judged, and in how much memory."""

    exclude: Exclude = "none"
    metrics: tuple[str, ...] = ()
    replicates: Annotated[int, Meta(ge=100)] = 1000
    max_predictions: Count = 200_000
    memory_mb: Count = 256


class UpdateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a network that is there goes on learning from new days (`segue update`).

    It learns at `learning_rate`, by default a quarter of `train.learning_rate`, for at most `epochs` passes over the
    new events; how many is chosen on the last of them. `freeze` says what stays as it is: nothing (`none`), the layers
    (`core`), the vectors of the items that the model had (`items`), or `both`: then only vectors of new items and the
    biases of all learn, and states of the old version stay valid. With `pull` above 0 every step draws what moves back
    to the old weights, by so many times the learning rate. `replay` is how many old events are learned beside each new
    one, out of a sample that a model keeps: at most `kept_events`, the last ones of users drawn by the seed; 0: none.
    """

    learning_rate: Positive | Literal["auto"] = "auto"
    epochs: Count = 5
    freeze: Literal["none", "core", "items", "both"] = "none"
    pull: Annotated[float, Meta(ge=0)] = 0.0
    replay: Annotated[float, Meta(ge=0)] = 1.0
    kept_events: Annotated[int, Meta(ge=0)] = 200_000


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set, as it stands in a TOML file; `segue train --set train.epochs=3` sets one."""

    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] = 1
    log: LogSettings = LogSettings()
    sessions: SessionSettings = SessionSettings()
    split: SplitSettings = SplitSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    content: ContentSettings = ContentSettings()
    model: ModelSettings = ModelSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateSettings = EvaluateSettings()
    update: UpdateSettings = UpdateSettings()

    def columns(self, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The options of `read_log`: those of `log`, in their place what is given, and what `content.events` reads."""
        chosen = {**self.log.chosen(), **(given or {})}
        kept = dict.fromkeys([*chosen.get("feature_cols", ()), *self.content.of_log])
        return {**chosen, "feature_cols": tuple(kept)} if kept else chosen


def toml_of(settings: Settings) -> str:
    """The settings as a TOML text that reads back to the same."""
    return tomli_w.dumps(msgspec.to_builtins(settings))
