# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Packs."""

import functools
import os
from collections import defaultdict
from typing import Any

from fp8gemm import _native
from fp8gemm._problems import Problem, printable


class Pack(_native.Pack):
    """An open pack file: kernels for a list of problems, each for every M.

    It may be used from any thread, and in a `with` statement, which closes it.
    """

    @property
    def problems(self) -> list[Problem]:
        """The list of `Problem`s for which it has kernels."""
        return [Problem.of(raw) for raw in self._problems()]

    def _scale_layouts(self, batch_invariant: bool) -> dict[tuple[Any, ...], list[tuple[str, str]]]:
        """Maps (grouping, n, k, recipe) of a product to the layouts of its scales for which there are kernels: (sfa, sfb)."""
        return self._all_scale_layouts[batch_invariant]

    @functools.cached_property
    def _all_scale_layouts(self) -> tuple[dict[tuple[Any, ...], list[tuple[str, str]]], ...]:
        known: tuple[defaultdict[tuple[Any, ...], list[tuple[str, str]]], ...] = defaultdict(list), defaultdict(list)
        for problem in self.problems:
            if problem.op == "quantize":
                continue
            for of_invariant in (False, True)[:1 + problem.batch_invariant]:
                layouts = known[of_invariant][problem.grouping, problem.n, problem.k, problem.recipe]
                if (problem.sfa, problem.sfb) not in layouts:
                    layouts.append((problem.sfa, problem.sfb))
        return tuple(map(dict, known))

    def load(self, device: Any = 0) -> None:
        """Loads all kernels on the device (its number, or a `torch.device`), so that no launch there has to.

        Optional, but without it the first launch of each kernel takes longer, and can't be captured into a graph.
        """
        index = device if isinstance(device, int) else getattr(device, "index", None)
        if not isinstance(index, int) or isinstance(index, bool) or getattr(device, "type", "cuda") != "cuda":
            raise TypeError("expected 'device' to be the number of a CUDA device, or to have one as 'index', got "
                            f"{device!r}")
        self._load(index)

    def __enter__(self) -> "Pack":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<fp8gemm.Pack '{printable(self.path)}' of {len(self._problems())} problems>"


def load(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> Pack:
    """Opens a pack of `fp8gemm-compile --pack` and checks every byte of it. Needs no GPU."""
    return Pack(path)
