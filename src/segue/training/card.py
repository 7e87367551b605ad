"""The model card: what a person wants to know before trusting a folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from segue.artifact import Facts
from segue.config import Settings
from segue.evaluation.groups import tables_of
from segue.evaluation.report import Report, Value, utc
from segue.training.shape import LatencyChoice

SHOWN = (
    "ndcg@10",
    "recall@10",
    "mrr@10",
    "recall@20",
    "coverage@10",
    "novelty@10",
    "intra_list_diversity@10",
)


def card_of(
    facts: Facts,
    report: Report,
    settings: Settings,
    latency: LatencyChoice | None = None,
    diagnosis: Collection[str] = (),
    own: Mapping[str, str] | None = None,
    update: Sequence[str] = (),
) -> str:
    """A README in Markdown for the folder of a model.

    Args:
        facts, report, settings, latency: what it tells of.
        diagnosis: the files there that say how it learned.
        own: see `own_parts`.
        update: lines on what was learned after it was trained.
    """
    until = "" if facts.cutoff is None else f", all before {utc(facts.cutoff)}"
    made = f"{facts.trained_at} from {facts.events:,} events{until}"
    rule = "a session never ends" if facts.gap is None else f"a session ends after a pause of {facts.gap:g} s"
    start = "the state is then reset" if facts.at_session_start == "reset" else "the state is kept and told of it"
    left_out = {"none": "nothing", "current": "the item just seen", "seen": "every item the user had"}[facts.exclude]
    shown_here = [*SHOWN, *(name for name in report.asked if name not in SHOWN)]
    headings = ["model", *shown_here]
    lines = [
        f"# {facts.name}: what comes next, out of {facts.n_items:,} items",
        "",
        *([f"Updated by segue on {made}.", "", *update] if update else []),
        *caveats(facts),
        f"{report.verdict}." if update else f"Trained by segue on {made}. {report.verdict}.",
        "",
        *network_of(facts),
        "## How good it is",
        "",
        f"Split: {facts_of_split(report)}. Full ranking of the whole catalog; left out of every list: {left_out}. "
        "Intervals are 95 %, by a bootstrap over users. All models learned from the same events.",
        "",
        f"| {' | '.join(headings)} |",
        f"|{'---|' * len(headings)}",
        *(f"| {row.model} | {' | '.join(shown(row.metrics[name]) for name in shown_here)} |" for row in report.rows),
        "",
        *groups_of(report),
        *([] if latency is None else shapes_of(latency)),
        *learning(diagnosis),
        "## What to know before using it",
        "",
        *(f"- {note}" for note in report.notes),
        f"- Sessions: {rule}; {start}." if facts.gap is not None else f"- Sessions: {rule} by a pause.",
        "- An item that is not in `catalog.json` cannot be recommended; an event of one tells the model little.",
        "",
        "## How to use it",
        "",
        *own_files(own or {}),
        "    segue recommend DIR --items A,B,C -k 10",
        "    segue serve DIR --store FOLDER",
        "",
        "    import segue",
        '    recommender = segue.load("DIR")',
        '    recommender.recommend(items=["A", "B"], k=10)',
        "",
        f"Settings are in `config.toml` (seed {settings.seed}), every figure is in `metrics.json`.",
        "",
    ]
    return "\n".join(lines)


def caveats(facts: Facts) -> list[str]:
    """What the table below does not say of this very model."""
    if facts.split == "everything":
        return [
            "**The figures below are not of these very weights.** It has learned from everything, the test part "
            "included; they are of the same model learned from the events before it.",
            "",
        ]
    if facts.interrupted:
        return [
            "**Its training was interrupted**: it knows the training part alone, and was not judged on the test.",
            "",
        ]
    return []


def network_of(facts: Facts) -> list[str]:
    """What the network is made of; nothing for a baseline."""
    made = {"network": facts.settings, "mix": facts.settings.get("network")}.get(facts.kind)
    if made is None:
        return []
    kind = {"plain": "layer", "residual": "residual block"}[made["block"]]
    parts = [f"{made['layers']} {kind}{'s' * (made['layers'] > 1)} of `{made['cell']}`, width {made['width']}"]
    if made["front"]:
        parts.append(f"a convolution over {made['front']} events in front")
    if made["convolution"]:
        parts.append(f"a convolution over {made['convolution']} inputs in each")
    if made["block"] == "residual" and made["feed_forward"] != 4:
        wide = f"{made['feed_forward']:g} times as wide" if made["feed_forward"] else "left out"
        parts.append(f"the feed-forward part of each is {wide}")
    if made["time_gap"]:
        parts.append("the pause before an event is fed too")
    if made.get("content"):
        parts.append(f"items are told by {made['content']} numbers of content too")
    if made.get("features"):
        parts.append(f"{made['features']} numbers of each event are read beside its item")
    parts.append(f"a score is {made['cosine']:g} times a cosine" if made["cosine"] else "a score is an inner product")
    if facts.kind == "mix":
        parts.append(f"mixed with session neighbours, the network's share {facts.settings['weight']:g}")
    return [f"Network: {'; '.join(parts)}.", ""]


def own_files(own: Mapping[str, str]) -> list[str]:
    """What must be done first where some part is none of segue's own."""
    lines = []
    for part, file in own.items():
        kind, _, name = part.partition(" ")
        if kind == "cell":
            lines.append(
                f"Its cell `{name}` is of the module `{file.removesuffix('.py')}`: import that before `segue.load`; "
                f"commands that step it by PyTorch take `--import {file}`."
            )
        elif kind == "metric":
            lines.append(f"Its metric `{name}` is of `{file}`: `segue evaluate` takes `--import {file}`.")
        else:
            lines.append(f"Its loss `{name}` was of `{file}`: only training it again needs that.")
    return [line for told in lines for line in (told, "")]


def facts_of_split(report: Report) -> str:
    """The split in words."""
    split = report.split
    text = (
        f"{split['kind']}, {split['train']:,} / {split['valid']:,} / {split['test']:,} events for train / valid / test"
    )
    if split.get("cutoff_utc"):
        text += f", test from {split['cutoff_utc']}"
    return f"{text}; {split['predictions']:,} predictions, {split['unknown_targets']:,} of them of unknown items"


def shown(value: Value) -> str:
    """A figure, with its interval where it has one."""
    if value.value is None:
        return "-"
    if value.low is None or value.high is None:
        return f"{value.value:.4g}"
    return f"{value.value:.4f} ({value.low:.4f} to {value.high:.4f})"


def shapes_of(latency: LatencyChoice) -> list[str]:
    """The shapes that were considered for a limit of time."""
    chosen = latency.chosen
    return [
        "## How fast it is",
        "",
        f"An event and its list of {latency.k} among {latency.items:,} items may take {latency.limit_ms:g} ms: of the "
        f"shapes that keep to it, {chosen.name} was chosen on the validation part. Figures are of the "
        "machine it was trained on: own time of one thread, without HTTP and store.",
        "",
        f"| shape | 90 % within, ms | fits | {latency.metric}, validation | |",
        "|---|---|---|---|---|",
        *(f"| {' | '.join(cells)} |" for cells in latency.rows()),
        "",
    ]


def learning(diagnosis: Collection[str]) -> list[str]:
    """Where to look at how it learned."""
    told = {
        "curves.svg": "![Loss and validation metric by epoch](curves.svg)",
        "gradients.json": "Norms of the gradients, by parameter and epoch, are in `gradients.json`.",
    }
    found = [line for name, text in told.items() if name in diagnosis for line in (text, "")]
    return ["## How it learned", "", *found] if found else []


def groups_of(report: Report) -> list[str]:
    """The main metric by groups, a table for each kind of them."""
    if not report.groups:
        return [f"{report.main} where it differs: there is only one kind of user and target.", ""]
    lines = [f"{report.main} where it differs, and of how many predictions:", ""]
    for names in tables_of(report.groups):
        lines += [
            f"| | {' | '.join(f'{name} ({report.groups[name]:,})' for name in names)} |",
            f"|{'---|' * (len(names) + 1)}",
            *(f"| {row.model} | {' | '.join(shown(row.groups[name]) for name in names)} |" for row in report.rows),
            "",
        ]
    return lines
