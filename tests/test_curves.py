"""How a network learned, as it stands in its artifact."""

from __future__ import annotations

from xml.etree import ElementTree

from segue.training.curves import curves

SVG = "{http://www.w3.org/2000/svg}"


def pictures(svg: str) -> list[ElementTree.Element]:
    whole = ElementTree.fromstring(svg)
    return [one for one in whole.iter(f"{SVG}svg") if one is not whole]


def texts(picture: ElementTree.Element) -> set[str | None]:
    return {one.text for one in picture.iter(f"{SVG}text")}


def circles(picture: ElementTree.Element, color: str) -> list[tuple[float, float]]:
    found = [one.attrib for one in picture.iter(f"{SVG}circle")]
    return [(float(one["cx"]), float(one["cy"])) for one in found if one["fill"] == color]


def test_losses_and_metrics_stand_below_each_other_and_the_epoch_that_was_taken_is_marked() -> None:
    loss, metric = pictures(curves([(3.0, 0.1), (2.0, None), (1.5, 0.4), (1.2, 0.3)], best=3, metric="mrr@20"))
    fell = circles(loss, "#1f77b4")
    assert [y for _, y in fell] == sorted(y for _, y in fell), "the picture's y grows downwards"
    assert len(fell) == 4
    rose, taken = circles(metric, "#1f77b4"), circles(metric, "#d62728")
    assert len(rose) == 3, "an epoch that was not validated is left out"
    assert taken == [min(rose, key=lambda place: place[1])]
    assert {"mean loss", "training"} <= texts(loss)
    assert {"mrr@20", "mrr@20 on the validation part", "validation", "taken"} <= texts(metric)


def test_without_a_validation_there_is_the_loss() -> None:
    loss, metric = pictures(curves([(3.0, None), (2.0, None)], best=2, metric="mrr@20"))
    assert len(circles(loss, "#1f77b4")) == 2
    assert "nothing to show" in texts(metric)
