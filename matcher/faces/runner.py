"""Graphs run by onnxruntime."""

import ctypes
from collections.abc import Sequence

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from matcher.faces.kept import Built

CPU = "CPUExecutionProvider"

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
_LARGE_BLOCK = 8 << 20  # below, more pages are taken and given back than time allows: a third slower at 1 MB


class Runner:
    """A graph that is ready to run. One instance may be used by several threads at once."""

    def __init__(self, graph: Built, *, threads: int = 1, providers: Sequence[str] = (CPU,)) -> None:
        """Load a graph. `providers` are onnxruntime's, the first that can do a part of the graph does it.

        Raises ValueError when a provider is not installed.
        """
        missing = sorted(set(providers) - set(onnxruntime.get_available_providers()))
        if missing:
            raise ValueError(f"onnxruntime has no {', '.join(missing)} here")
        _give_back()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Pictures differ in size: a plan or an arena of one size only holds memory that the next cannot use.
        options.enable_mem_pattern = False
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(graph, options, providers=list(providers))
        _give_back()
        self._input = self._session.get_inputs()[0].name

    def __call__(self, values: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """The graph's output for an input of the graph's shape and type."""
        result: NDArray[np.float32] = self._session.run(None, {self._input: values})[0]
        return result


def _give_back() -> None:
    """Let glibc return to the system what loading took and freed (twice the weights), and large blocks from now on.

    glibc raises the size from which a block is the system's own with every such block that is freed, up to 32 MB; the
    gaps that pictures of many sizes then leave behind in its heap add up. Other C libraries are left as they are.
    """
    try:
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _LARGE_BLOCK)
        library.malloc_trim(0)
    except (OSError, AttributeError):
        return
