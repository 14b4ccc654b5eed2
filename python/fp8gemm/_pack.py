# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Packs."""

import os
from typing import Any

from fp8gemm import _native
from fp8gemm._problems import Problem


class Pack(_native.Pack):
    """A pack file that is open: kernels for a list of problems, each for every M.

    Use it from any threads. It may be used in `with`, which closes it.
    """

    @property
    def problems(self) -> list[Problem]:
        """The list of `Problem`s that it has kernels for."""
        return [Problem.of(raw) for raw in self._problems()]

    def load(self, device: Any = 0) -> None:
        """Loads all kernels on the device (its number, or a `torch.device`), so that no launch there has to.

        Optional, but without it the first launch of each kernel takes longer, and can't be captured into a graph.
        """
        index = device if isinstance(device, int) else getattr(device, "index", None)
        if not isinstance(index, int):
            raise TypeError(f"expected 'device' to be a number, or to have one as 'index', got {device!r}")
        self._load(index)

    def __enter__(self) -> "Pack":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<fp8gemm.Pack '{self.path}' of {len(self._problems())} problems>"


def load(path: str | os.PathLike[str]) -> Pack:
    """Opens a pack of `fp8gemm-compile --pack` and checks every byte of it. Needs no GPU."""
    return Pack(path)
