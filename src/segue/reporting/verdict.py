"""Whether the network wins, for whom it does not, and how sure that is: in words, out of paired tests."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Literal, NamedTuple

from segue.evaluation.report import Report, Row
from segue.metrics.intervals import FEWEST_TO_COMPARE
from segue.reporting.activity import users
from segue.reporting.evidence import Difference, Evidence
from segue.reporting.words import NARROW, counted, listed, name, relative, sentence

LEVEL = 0.05
"""Of the test that names groups in which a network is ahead that is not so as a whole."""

Tone = Literal["good", "bad", "open"]


class Verdict(NamedTuple):
    """What a report says first: whether it is good news, a headline, and what a reader must know with it."""

    tone: Tone
    headline: str
    lines: list[str]


def verdict_of(report: Report, evidence: Evidence) -> Verdict:
    """Put a table into words."""
    rows = {row.model: row for row in report.rows}
    if evidence.network is None or evidence.baseline is None:
        return alone(report, evidence)
    network, baseline = rows[evidence.network], rows[evidence.baseline]
    ours, theirs = name(network.model), name(baseline.model)
    apart = network.against_best_baseline or {}
    difference, low, high = (apart.get(part) for part in ("difference", "low", "high"))
    base = baseline.metrics[report.main].value or 0.0
    if difference is None or low is None or high is None:
        few = (
            f"Too few users to tell {ours} from {theirs}, the best baseline ({report.main}): "
            f"{FEWEST_TO_COMPARE} are needed, use a longer log"
        )
        return Verdict("open", few, [*of_groups(evidence, "open"), basis(report, evidence, network, baseline)])
    by = amount(difference, (high - low) / 2, base, sign=False)
    if low > 0:
        tone: Tone = "good"
        headline = f"{sentence(ours)} beats {theirs} by {by} ({report.main})"
    elif high < 0:
        tone = "bad"
        headline = f"The network does not win: {ours} is behind {theirs} by {by} ({report.main})"
    else:
        tone = "open"
        around = amount(difference, (high - low) / 2, base)
        headline = (
            f"The network does not win: {ours} and {theirs} cannot be told apart, "
            f"the difference of {around} is within the noise ({report.main})"
        )
    lines = of_groups(evidence, tone)
    if tone != "good":
        lines.append(
            f"As long as this is so, serve {theirs}: it costs less and is as good or better. Or tune the network."
        )
    lines.append(basis(report, evidence, network, baseline))
    networks = sum(not row.baseline for row in report.rows)
    if networks > 1:
        best = f"{sentence(ours)} is the best of {networks} networks by these very predictions"
        lines.append(f"{best}, which flatters it a little.")
    return Verdict(tone, headline, lines)


def alone(report: Report, evidence: Evidence) -> Verdict:
    """Where there is nothing to compare."""
    top = report.rows[0]
    value = top.metrics[report.main].value
    told = "no value" if value is None else f"{value:.4f}"
    missing = "network" if evidence.network is None else "baseline"
    return Verdict(
        "open",
        f"No {missing} to compare with: {name(top.model)} has {report.main} of {told}",
        [asked(report, evidence) + "."],
    )


def amount(difference: float, half: float, base: float, *, sign: bool = True) -> str:
    """A difference relative to the baseline, or plain where that has nothing."""
    if base > 0:
        return relative(difference, half, base, sign=sign)
    return f"{difference if sign else abs(difference):{'+' if sign else ''}.4f} ± {half:.4f}"


def of_groups(evidence: Evidence, tone: Tone) -> list[str]:
    """For whom it is otherwise: by activity of the user, and by popularity of what came next."""
    lines = []
    sure = {one.name for one in surely_ahead([*evidence.activity, *evidence.popularity])}
    if tone == "good":
        lines += not_yet(evidence)
    elif len(evidence.activity) > 1:
        ahead = [one for one in evidence.activity if one.name in sure]
        lines += spoken(ahead, users(ahead, evidence.activity, evidence.within_session), tone)
    if len(evidence.popularity) > 1:
        other = [one for one in evidence.popularity if (one.outcome != "ahead" if tone == "good" else one.name in sure)]
        lines += spoken(other, f"what comes next among the {listed([short(one) for one in other])}", tone)
    return lines


def surely_ahead(groups: Sequence[Difference]) -> list[Difference]:
    """Groups in which it is ahead although the best of several are picked, at 5 % for all together.

    Source: Holm, A simple sequentially rejective multiple test procedure (1979).
    """
    tested = sorted((one for one in groups if one.outcome != "few"), key=lambda one: one.p)
    kept = takewhile(lambda pair: pair[1].p * (len(tested) - pair[0]) <= LEVEL, enumerate(tested))
    return [one for _, one in kept if one.outcome == "ahead"]


def not_yet(evidence: Evidence) -> list[str]:
    """Up to how many events a network that wins does not, all such users taken together, and where it is behind later.

    Small groups are put together, since none of them may tell anything by itself.
    """
    first = max((place for place, one in enumerate(evidence.beginners) if one.outcome != "ahead"), default=-1)
    lines = []
    if first >= 0:
        one = evidence.beginners[first]
        who = users(evidence.activity[: first + 1], evidence.activity, evidence.within_session)
        lines += spoken([one], who, "good", f"{figure(one)}, {counted(one.predictions, 'prediction')}")
    later = [one for one in evidence.activity[first + 1 :] if one.outcome == "behind"]
    return lines + spoken(later, users(later, evidence.activity, evidence.within_session), "good")


def spoken(groups: Sequence[Difference], who: str, tone: Tone, figures: str = "") -> list[str]:
    """One sentence on groups in which it is otherwise than in the whole; none where there are none."""
    if not groups:
        return []
    many = len(groups) > 1
    figures = figures or "; ".join(f"{short(one)}: {figure(one)}" if many else figure(one) for one in groups)
    if tone != "good":
        return [f"It is ahead only for {who} ({figures})."]
    behind = sum(one.outcome == "behind" for one in groups)
    if behind == len(groups):
        return [f"For {who} it does not: it is behind ({figures})."]
    if behind:
        return [f"For {who} it does not ({figures})."]
    if all(one.outcome == "few" for one in groups):
        return [f"For {who} nobody can tell ({figures})."]
    return [f"For {who} it does not: no difference beyond the noise ({figures})."]


def short(one: Difference) -> str:
    """The name of a group without how large it is."""
    return one.name.partition(" (")[0]


def figure(one: Difference) -> str:
    """The difference in one group."""
    value, low, high = one.difference.value, one.difference.low, one.difference.high
    base = one.baseline.value or 0.0
    if value is None:
        return "unknown"
    if low is None or high is None:
        return f"{counted(one.users, 'user')}, too few to tell"
    return amount(value, (high - low) / 2, base)


def basis(report: Report, evidence: Evidence, network: Row, baseline: Row) -> str:
    """The two figures, and on how much they stand."""
    ours, theirs = network.metrics[report.main].value, baseline.metrics[report.main].value
    apart = network.against_best_baseline or {}
    p = None if apart.get("low") is None else apart.get("p")
    told = "" if ours is None or theirs is None else f"{report.main} {ours:.4f} against {theirs:.4f}; "
    sure = "" if p is None else f", {chance(p, evidence.finest)}"
    return f"{told}{asked(report, evidence)}{sure}; intervals are 95{NARROW}%."


def asked(report: Report, evidence: Evidence) -> str:
    """On how much a figure stands."""
    return f"{counted(report.split['predictions'], 'prediction')} of {counted(evidence.users, 'user')}"


def chance(p: float, finest: float) -> str:
    """A p for people: at the finest that resampling tells it is a bound.

    >>> chance(0.001, 0.001), chance(0.0014, 0.001), chance(0.04, 0.001)
    ('p at most 0.001', 'p = 0.0014', 'p = 0.04')
    """
    return f"p at most {p:.2g}" if p <= finest else f"p = {p:.2g}"
