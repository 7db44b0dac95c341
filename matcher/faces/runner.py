"""Graphs run by onnxruntime."""

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as state

from matcher.faces.kept import Built

CPU = "CPUExecutionProvider"

# What onnxruntime raises over a graph that it cannot load or run; they have no base class but Exception.
RUNTIME_ERRORS: tuple[type[Exception], ...] = (
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NotImplemented,
    state.RuntimeException,
)

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_LARGE_BLOCK = 8 << 20  # below, more pages are taken and given back than time allows: a third slower at 1 MB
_SMALL_BLOCK = 64 << 10  # while a graph is loaded, where copies of its constants come and go


class Signature(NamedTuple):
    """What a graph takes or gives: name, element type such as "tensor(float)", and sides, None where any side goes."""

    name: str
    type: str
    shape: tuple[int | None, ...]


def missing_providers(providers: Sequence[str]) -> list[str]:
    """Those of these execution providers that the installed onnxruntime does not have."""
    return sorted(set(providers) - set(onnxruntime.get_available_providers()))


class Runner:
    """A graph that is ready to run. One instance may be used by several threads at once."""

    def __init__(
        self, graph: Built, *, threads: int = 1, providers: Sequence[str] = (CPU,), arena: bool = False
    ) -> None:
        """Load a graph. `providers` are onnxruntime's, the first that can do a part of the graph does it.

        With `arena`, working memory is held for the next run: for inputs whose size is bounded. Without, it is given
        back, and what is free in between adds up to more than a small arena.
        Raises ValueError when a provider is not installed, one of RUNTIME_ERRORS when the graph cannot be loaded.
        """
        missing = missing_providers(providers)
        if missing:
            raise ValueError(f"onnxruntime has no {', '.join(missing)} here")
        _give_back(_SMALL_BLOCK)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Pictures differ in size: a plan of one size only holds memory that the next cannot use.
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = arena
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=list(providers))
        finally:
            _give_back(_LARGE_BLOCK)
        self.inputs = _signatures(self._session.get_inputs())
        self.outputs = _signatures(self._session.get_outputs())

    def __call__(
        self, values: NDArray[np.uint8] | NDArray[np.float32], output: str | None = None
    ) -> NDArray[np.float32]:
        """One output, the first unless it is named, for a first input of the graph's shape and type."""
        names = None if output is None else [output]
        result: NDArray[np.float32] = self._session.run(names, {self.inputs[0].name: values})[0]
        return result


def _signatures(arguments: Sequence[onnxruntime.NodeArg]) -> tuple[Signature, ...]:
    return tuple(
        Signature(each.name, each.type, tuple(side if isinstance(side, int) else None for side in each.shape))
        for each in arguments
    )


def _give_back(block: int) -> None:
    """Let glibc return to the system what is free, and from now on blocks of that many bytes as soon as they are.

    glibc raises the size from which a block is the system's own with every such block that is freed, up to 32 MB; the
    gaps that pictures of many sizes then leave behind in its heap add up. Other C libraries are left as they are.
    """
    try:
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, block)
        library.malloc_trim(0)
    except (OSError, AttributeError):
        return
