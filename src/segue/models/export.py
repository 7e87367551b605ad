"""The step of a network as an ONNX graph, made from the cell's own `step`: what a server runs without PyTorch."""

from __future__ import annotations

import base64
import logging
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy
import torch
from torch import Tensor, nn

from segue.cells import CellState
from segue.errors import ArtifactError
from segue.models.base import Event, State, advance
from segue.models.exported import FEATURES, INITIAL_STATE, OPENS, PAUSE, QUERY, VECTOR, Exported
from segue.rng import stream

if TYPE_CHECKING:
    from segue.models.network import Network

TOLERANCE = 1e-5
"""How far a graph's queries and states may be from those of PyTorch, in absolute or in relative terms."""

EXPORTED_ROWS, CHECKED_ROWS, CHECKED_STEPS = 2, 3, 8


class StepGraph(nn.Module):
    """One event a row: item vectors, what else the network reads, and the parts of the state, to query and state."""

    def __init__(self, network: Network, parts: list[tuple[int, str]]) -> None:
        super().__init__()
        self.network, self.parts = network, parts
        self.marks, self.pauses, self.features = (
            part is not None for part in (network.boundary, network.pause, network.event_part)
        )

    def forward(self, vector: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """The query (B, D), then the parts of the state after the event."""
        given = list(rest)
        opens = given.pop(0) if self.marks else vector[:, 0]  # not read then
        pause = given.pop(0) if self.pauses else None
        features = given.pop(0) if self.features else None
        state: list[CellState] = [{} for _ in self.network.stack.layers]
        for (layer, part), tensor in zip(self.parts, given, strict=True):
            state[layer][part] = tensor
        y, after = self.network.stack.step(self.network.presented(vector, pause, opens, features), state)
        return self.network.scaled(y), *(after[layer][part] for layer, part in self.parts)


def exported_step(network: Network) -> bytes:
    """The graph, without the item table, which the server has as an array.

    Raises:
        ArtifactError: ONNX has no word for what the cell does, or the graph gives something else than PyTorch.
    """
    import onnx  # noqa: F401  (a clear error where it is missing)

    was_training, network = network.training, network.eval()
    try:
        content = graph_of(network)
        check_equal(network, content)
    finally:
        network.train(was_training)
    return content


def graph_of(network: Network) -> bytes:
    """Export, and leave out what is only for people: where in the source a node comes from."""
    first = network.stack.initial_state(EXPORTED_ROWS)
    parts = [(layer, part) for layer, state in enumerate(first) for part in state]
    rows = torch.export.Dim("rows", min=1, max=65_536)
    inputs: dict[str, Tensor] = {VECTOR: torch.zeros(EXPORTED_ROWS, network.width)}
    if network.boundary is not None:
        inputs[OPENS] = torch.zeros(EXPORTED_ROWS)
    if network.pause is not None:
        inputs[PAUSE] = torch.zeros(EXPORTED_ROWS, dtype=torch.int64)
    if network.event_part is not None:
        inputs[FEATURES] = torch.zeros(EXPORTED_ROWS, network.features)
    names = [f"cell{layer}.{part}" for layer, part in parts]
    inputs |= {name: first[layer][part].detach().clone() for name, (layer, part) in zip(names, parts, strict=True)}
    arguments = tuple(tensor.to(network.device) for tensor in inputs.values())
    try:
        with torch.no_grad(), silence():
            program: Any = torch.onnx.export(
                StepGraph(network, parts),
                arguments,
                dynamo=True,
                input_names=list(inputs),
                output_names=[QUERY, *(f"{name}.after" for name in names)],
                dynamic_shapes=({0: rows}, tuple({0: rows} for _ in arguments[1:])),
                verbose=False,
            )
    except Exception as error:  # whatever a cell of one's own does that cannot be traced
        raise ArtifactError(f"the step of `{network.cell}` cannot be exported to ONNX: {first_line(error)}") from error
    graph = program.model_proto
    for node in graph.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*graph.graph.value_info, *graph.graph.input, *graph.graph.output, *graph.graph.initializer):
        del value.metadata_props[:]
    del graph.graph.value_info[:], graph.graph.metadata_props[:], graph.metadata_props[:]
    entry = graph.metadata_props.add()
    entry.key, entry.value = INITIAL_STATE, packed(network.initial_state(1))
    content: bytes = graph.SerializeToString(deterministic=True)
    return content


def check_equal(network: Network, content: bytes) -> None:
    """Step the network and its graph through the same events. Raises ArtifactError where they part."""
    twin = Exported(network.n_items, rule=network.rule, graph=content, **network.settings())
    twin.load_arrays(network.arrays())
    rng = stream(1, "export")
    state, other = (model.initial_state(CHECKED_ROWS) for model in (network, twin))
    time = np.full(CHECKED_ROWS, 1.6e9)
    for number in range(CHECKED_STEPS):
        time = time + rng.exponential(1000.0, CHECKED_ROWS)
        opens = np.full(CHECKED_ROWS, True) if number == 0 else rng.random(CHECKED_ROWS) < 0.3
        item = rng.integers(-1, network.n_items, CHECKED_ROWS).astype(np.int32)
        features = rng.random((CHECKED_ROWS, network.features), np.float32) if network.features else None
        event = Event(item, time, opens, features)
        starts = opens if network.rule.resets else np.full(CHECKED_ROWS, number == 0)
        state = advance(network, event, starts, state)
        try:
            other = advance(twin, event, starts, other)
        except Exception as error:  # onnxruntime's own kinds of error have no common base but this
            raise ArtifactError(
                f"the step of `{network.cell}`, exported to ONNX with {EXPORTED_ROWS} rows, fails for {CHECKED_ROWS}: "
                f"{str(error)[:300]}"
            ) from None
        compare(state, other, network.cell)


def compare(state: State, other: State, cell: str) -> None:
    """Raise ArtifactError where two states are not the same but for rounding."""
    for name, expected in state.items():
        found = other[name]
        if found.shape != expected.shape or not np.allclose(found, expected, TOLERANCE, TOLERANCE, equal_nan=True):
            raise ArtifactError(
                f"the step of `{cell}`, exported to ONNX, gives another `{name}` than PyTorch: its `step` does "
                "something that depends on more than its inputs, or that ONNX does otherwise"
            )


def packed(state: State) -> str:
    """The initial state of one row as text."""
    arrays = {name: np.ascontiguousarray(array) for name, array in state.items()}
    return base64.b64encode(zlib.compress(safetensors.numpy.save(arrays), 9)).decode()


def first_line(error: Exception) -> str:
    """What an error says, in a line: those of the exporter have pages."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return f"{type(cause).__name__}: {str(cause).strip().partition(chr(10))[0][:300]}"


@contextmanager
def silence() -> Iterator[None]:
    """The exporter tells its own developers much."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
