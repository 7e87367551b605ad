"""Some lists by title, beside what came next."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from segue.reporting.examples import Example, Examples
from segue.reporting.markup import element, name_of
from segue.reporting.sections.parts import section
from segue.reporting.words import counted, name, sentence, share


def examples_part(examples: Examples) -> Element:
    """How they were drawn, and each of them."""
    right = sum(one.right for one in examples.drawn)
    apart = right / max(len(examples.drawn), 1) - examples.right / examples.asked
    often = "about as often as they" if abs(apart) < 0.02 else f"{'more' if apart > 0 else 'less'} often than they"
    return section(
        "examples",
        "Some of its lists",
        f"{sentence(name(examples.model))} has what came next among its first {examples.k} in {examples.right:,} of "
        f"{counted(examples.asked, 'list')} ({share(examples.right / examples.asked)}). Nobody chose the "
        f"{counted(len(examples.drawn), 'list')} below: they are drawn at random by seed {examples.seed}, each of "
        f"another user, right and wrong ones apart. {right} of them {'is' if right == 1 else 'are'} right, so right "
        f"ones are shown {often} occur.",
        element("div", *(card(one, examples) for one in examples.drawn), class_="cards"),
    )


def card(one: Example, examples: Examples) -> Element:
    """One list: what the user had, what came next, what was recommended."""
    left = one.had - len(one.past)
    return element(
        "article",
        element("p", "right" if one.right else "wrong", class_=f"label {'ahead' if one.right else 'behind'}"),
        element("h3", "After"),
        element(
            "ol",
            element("li", f"… {left:,} before", class_="quiet") if left else None,
            *(element("li", name_of(title)) for title in one.past),
            class_="past",
        ),
        element("h3", "Then came"),
        element("p", element("strong", name_of(one.target)), element("br"), element("small", place(one, examples))),
        element("h3", f"{sentence(name(examples.model))} had recommended"),
        element(
            "ol",
            *(
                element("li", element("mark", name_of(item.title)), " came next", class_="hit")
                if item.target
                else element("li", name_of(item.title))
                for item in one.items
            ),
            class_="list",
        ),
    )


def place(one: Example, examples: Examples) -> str:
    """Where the target stood, by the model and by the best baseline."""
    if one.unknown:
        return "no model had learned from it"
    own = f"{name(examples.model)}: {spoken(one.rank)}"
    return own if examples.baseline is None else f"{own}; {name(examples.baseline)}: {spoken(one.baseline_rank)}"


def spoken(rank: int | None) -> str:
    """A rank, or that there was none."""
    return "not to be answered" if rank is None else f"rank {rank:,}"
