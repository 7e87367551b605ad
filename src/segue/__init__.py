"""segue: an interaction log in, a live "what next?" recommender out.

    recommender = segue.fit("clicks.csv")
    recommender.recommend(items=["A", "B"], k=10)

Names are resolved on first use, so that importing segue costs nothing.
"""

from typing import TYPE_CHECKING, Any

from segue import threads as _threads

if TYPE_CHECKING:
    from segue.api import Recommender, compare, fit, inspect, load, pack, read_items, read_log, update
    from segue.errors import SegueError
    from segue.forgetting import forget
    from segue.training.ablation import ablate
    from segue.tuning import tune

__version__ = "0.1.0"
__all__ = [
    "Recommender",
    "SegueError",
    "ablate",
    "compare",
    "fit",
    "forget",
    "inspect",
    "load",
    "pack",
    "read_items",
    "read_log",
    "tune",
    "update",
]

_threads.prepare()


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module `segue` has no `{name}`; it has {', '.join(__all__)}")
    from importlib import import_module

    # A saved model is used without what training needs.
    homes = {"SegueError": "segue.errors", "Recommender": "segue.recommender", "load": "segue.recommender"}
    further = {"tune": "segue.tuning", "forget": "segue.forgetting", "ablate": "segue.training.ablation"}
    return getattr(import_module({**homes, **further}.get(name, "segue.api")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
