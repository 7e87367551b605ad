"""What the library offers by name: documented, typed, and imported no earlier than it is used."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import segue
import segue.api
from api_log import QUICK, clicks
from segue.errors import ConfigError

HEAVY = ("torch", "polars", "pandas", "litestar", "onnx", "onnxscript")


def public() -> dict[str, Any]:
    return {name: getattr(home, name) for home in (segue, segue.api) for name in home.__all__}


def callables() -> Iterator[tuple[str, Any]]:
    """Every public function, and every public method and property that a public class defines itself."""
    for name, one in public().items():
        if not inspect.isclass(one):
            yield name, one
            continue
        for member, value in vars(one).items():
            plain = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
            # What `NamedTuple` makes is not ours.
            if not member.startswith("_") and inspect.isfunction(plain) and plain.__module__.startswith("segue"):
                yield f"{name}.{member}", plain


def test_every_public_name_is_documented() -> None:
    found = [*public().items(), *callables()]
    names = {name for name, _ in found}
    assert {"fit", "load", "compare", "Recommender", "Recommender.recommend", "Recommender.item_ids"} <= names
    # A tuple without a docstring of its own gets one from Python that repeats its fields.
    assert [name for name, one in found if not (one.__doc__ or "") or one.__doc__.startswith(f"{name}(")] == []


def test_every_public_function_is_typed() -> None:
    untyped = [
        f"{name}: {part}"
        for name, one in callables()
        for part, kind in (
            *((p.name, p.annotation) for p in inspect.signature(one).parameters.values() if p.name != "self"),
            ("its result", inspect.signature(one).return_annotation),
        )
        if kind is inspect.Signature.empty
    ]
    assert untyped == []


def test_all_names_are_listed_and_an_unknown_one_is_refused() -> None:
    assert set(segue.__all__) <= set(dir(segue))
    assert segue.load is segue.api.load
    assert segue.Recommender is segue.api.Recommender
    with pytest.raises(AttributeError, match="has no `trian`; it has Recommender"):
        segue.trian  # noqa: B018


def test_what_does_not_exist_suggests_what_does() -> None:
    with pytest.raises(ConfigError, match="did you mean `markov`"):
        segue.fit(clicks(), model="markow", settings=QUICK)
    with pytest.raises(ConfigError, match=r"did you mean `train\.epochs`"):
        segue.fit(clicks(), settings={"train.epoch": 3})
    with pytest.raises(ConfigError, match="did you mean `item_id`"):
        segue.fit(clicks(), item_col="item")


def imported(code: str) -> set[str]:
    """The heavy packages that are imported once this code has run in a process of its own."""
    told = f"{code}\nimport sys; print('imported', *({{*{HEAVY!r}, 'numpy', 'rich'}} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-W", "error", "-c", told], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return set(found.stdout.splitlines()[-1].split()[1:])


def test_importing_segue_imports_nothing_heavy() -> None:
    assert imported("import segue; dir(segue); segue.SegueError") == set()
    assert imported("import numpy") == {"numpy"}, "the check sees what is imported"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name in ("sknn", "gru"):
        segue.fit(clicks(), model=name, settings=QUICK).save(folder / name)
    return folder


@pytest.mark.parametrize(
    "code",
    [
        "import segue; m = segue.load(DIR); assert m.recommend(items=['i1']) and m.similar('i1')",
        "import segue; m = segue.load(DIR); assert m.top_k(m.step('i1', m.initial_state()))",
        "from segue.cli import run; assert run(['recommend', DIR, '--items', 'i1', '--json']) == 0",
        "from segue.cli import run; assert run(['similar', DIR, '--item', 'i1']) == 0",
    ],
    ids=["load and ask", "event by event", "segue recommend", "segue similar"],
)
def test_models_answer_without_torch_and_polars(code: str, models: Path) -> None:
    for name in ("sknn", "gru"):
        if name == "gru":  # where PyTorch is installed it is taken, unless one asks for less
            code = code.replace("segue.load(DIR)", "segue.load(DIR, light=True)")
        assert imported(code.replace("DIR", repr(str(models / name)))) <= {"numpy", "rich"}


@pytest.mark.parametrize("name", ["sknn", "gru"])
def test_models_are_served_without_torch_and_polars(name: str, models: Path) -> None:
    code = (
        "import segue.web.serve as web; from segue.cli import run\n"
        "served = []; web.serve = lambda engine, **_: served.append(engine.recommend(user_id='u').items)\n"
        f"assert run(['serve', {str(models / name)!r}, '--port', '0']) == 0 and len(served[0]) == 10"
    )
    assert imported(code) <= {"numpy", "rich", "litestar"}


def test_a_network_answers_where_torch_is_not_installed(models: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['polars'] = None\n"
        "import importlib.util; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'torch' else find(name, *rest)\n"
        f"import segue; print(segue.load({str(models / 'gru')!r}).recommend(items=['i1']))"
    )
    assert imported(code) <= {"numpy", "rich", "torch", "polars"}


@pytest.mark.parametrize(
    ("module", "command", "extra"), [("polars", "inspect x.csv", "train"), ("uvicorn", "serve DIR", "serve")]
)
def test_what_is_not_installed_is_said_with_what_to_do(module: str, command: str, extra: str, models: Path) -> None:
    words = command.replace("DIR", str(models / "sknn")).split()
    code = f"import sys; sys.modules[{module!r}] = None; from segue.cli import run; sys.exit(run({words!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == f"error: this needs {module}, which is not installed: pip install 'segue[{extra}]'\n"
