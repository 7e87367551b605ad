"""A trained network without PyTorch: item table as an array, step as an ONNX graph."""

from __future__ import annotations

import base64
import zlib
from typing import Any, ClassVar

import numpy as np
import safetensors.numpy

from segue.errors import ArtifactError
from segue.models.base import Event, SessionRule, State, at_request, fold
from segue.models.pauses import pause_sizes
from segue.shapes import Array, Bools, Doubles, Floats, Ints

VECTOR, OPENS, PAUSE, FEATURES, QUERY = "vector", "opens", "pause", "features", "query"
"""Names of the graph's inputs and first output; the parts of the state are named as in the Model contract."""

INITIAL_STATE = "segue.initial_state"
"""The entry of the graph's metadata with the state of one row before any event."""

TABLE, BIAS = "table", "bias"


class Exported:
    """What `Network` is once trained: the same states and the same scores, within 1e-5.

    Args:
        n_items: N.
        rule: when a session is over.
        graph: the step, as `segue.models.export` makes it.
        settings: those of the network; all but `time_gap` are in the graph.
    """

    kind: ClassVar[str] = "network"
    knows_strangers: ClassVar[bool] = False

    def __init__(self, n_items: int, *, rule: SessionRule, graph: bytes, **settings: Any) -> None:
        import onnxruntime

        self.n_items, self.rule = n_items, rule
        self._graph, self._settings = graph, settings
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            kept = self._session.get_modelmeta().custom_metadata_map[INITIAL_STATE]
            self._initial = safetensors.numpy.load(zlib.decompress(base64.b64decode(kept)))
        except Exception as error:  # onnxruntime's own kinds of error have no common base but this
            raise ArtifactError(f"the exported step cannot be run: {str(error)[:300]}") from None
        self._inputs = [one.name for one in self._session.get_inputs()]
        self._parts = [name for name in self._inputs if name not in (VECTOR, OPENS, PAUSE, FEATURES)]

    def load_arrays(self, arrays: dict[str, Array]) -> None:
        """The weights of the network. Raises ArtifactError where those that are not in the graph do not fit."""
        shapes = {TABLE: (self.n_items, self._settings["width"]), BIAS: (self.n_items,)}
        for name, shape in shapes.items():
            if name not in arrays or arrays[name].shape != shape:
                found = arrays[name].shape if name in arrays else "nothing"
                raise ArtifactError(f"weight `{name}`: found {found}, expected shape {shape}")
        self._arrays = arrays
        self._table, self._bias = self.settled(np.asarray(arrays[TABLE], np.float32)), arrays[BIAS]

    def settled(self, table: Floats) -> Floats:
        """The item table as scores take it: rows of length 1 where only the direction counts."""
        if not self._settings.get("cosine"):
            return table
        length = np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
        return table if np.abs(length - 1).max(initial=0.0) <= 1e-5 else (table / length).astype(np.float32)

    def initial_state(self, batch_size: int) -> State:
        """Nothing remembered, B rows."""
        return {name: np.repeat(array, batch_size, axis=0) for name, array in self._initial.items()}

    def step(self, event: Event, state: State) -> State:
        """Absorb one event a row."""
        item = np.asarray(event.item)
        vector = self._table[np.maximum(item, 0)]
        vector[item < 0] = 0.0
        given: dict[str, Array] = {VECTOR: vector, **{name: state[name] for name in self._parts}}
        if OPENS in self._inputs:
            given[OPENS] = np.asarray(event.opens, np.float32)
        if PAUSE in self._inputs:
            given[PAUSE] = pause_sizes(np.asarray(event.time) - state["time"])
        if FEATURES in self._inputs:
            nothing = np.zeros((len(item), self._settings["features"]), np.float32)
            given[FEATURES] = nothing if event.features is None else np.asarray(event.features, np.float32)
        query, *after = self._session.run(None, given)
        return {
            "time": np.asarray(event.time, np.float64),
            "output": query,
            **dict(zip(self._parts, after, strict=True)),
        }

    def scan(self, events: Event, starts: Bools, state: State) -> tuple[Floats, State]:
        """`step` along time, one after another."""
        queries, last = fold(self, events, starts, state)
        return np.asarray(queries), last

    def query(self, state: State, now: Doubles | None = None) -> Floats:
        """(B, D)."""
        output: Floats = at_request(self, state, now)["output"]
        return output

    def score(self, query: Floats, candidates: Ints | None = None) -> Floats:
        """(B, C) inner products and bias."""
        table, bias = self._table, self._bias
        if candidates is not None:
            table, bias = table[candidates], bias[candidates]
        scores: Floats = query @ table.T + bias
        return scores

    def item_vectors(self) -> Floats:
        """(N, D) the item table."""
        return self._table

    def factors(self) -> tuple[Floats, Floats]:
        """(N, D) and (N,): a score is the inner product of a query and an item's row, and a bias."""
        return self._table, np.asarray(self._bias, np.float32)

    def exported(self) -> bytes:
        """The graph it runs."""
        return self._graph

    def settings(self) -> dict[str, Any]:
        """Those of the network."""
        return dict(self._settings)

    def arrays(self) -> dict[str, Array]:
        """All weights of the network by name."""
        return dict(self._arrays)
