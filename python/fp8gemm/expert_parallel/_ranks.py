# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The collectives of a group of processes. One that fails, or that lasts longer than the group's time-out, raises an error that
says which; nothing is tried again, since other ranks may be anywhere by then."""

import torch
import torch.distributed as dist
from torch import Tensor


class Pending:
    """A collective that was started; `wait` has the current stream wait for it, and gives its result."""

    def __init__(self, name, result, sent=None, work=None):
        self.name, self.result, self.sent, self.work = name, result, sent, work

    def wait(self) -> Tensor:
        if self.work is not None:
            with _named(self.name):
                self.work.wait()
            self.work = self.sent = None
        return self.result


class _named:
    """Errors of a collective, with its name and what they mean."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and issubclass(kind, RuntimeError):
            raise RuntimeError(
                f"expected every rank to take part in the {self.name} within the group's time-out, got: {error}; see the log of "
                "the rank that failed first, and start all ranks again") from error
        return False


class Ranks:
    """group: of torch.distributed, or None: all processes, or only this one if torch.distributed is not initialised."""

    def __init__(self, group=None):
        self.alone = not dist.is_initialized()
        if self.alone and group is not None:
            raise ValueError("expected torch.distributed.init_process_group before a group, got neither")
        self.group = group
        self.size = 1 if self.alone else dist.get_world_size(group)
        self.rank = 0 if self.alone else dist.get_rank(group)
        if self.rank < 0:
            raise ValueError("expected a group that this process belongs to, got another")

    def every(self, fact: object, name: str = "exchange of settings") -> list:
        """That object of every rank; waits for them."""
        if self.size == 1:
            return [fact]
        facts = [None] * self.size
        with _named(name):
            dist.all_gather_object(facts, fact, group=self.group)
        return facts

    def gather(self, name: str, rows: Tensor) -> Pending:
        """[n, ...] of every rank, n being the same -> [R * n, ...], by rank."""
        if self.size == 1:
            return Pending(name, rows)
        result = rows.new_empty(self.size * rows.shape[0], *rows.shape[1:])
        with _named(name):
            work = dist.all_gather_into_tensor(_bytes(result), _bytes(rows), group=self.group, async_op=True)
        return Pending(name, result, rows, work)

    def exchange(self, name: str, rows: Tensor, sent: list[int] | None = None, received: list[int] | None = None) -> Pending:
        """Rows for each rank in turn -> those from each rank in turn: equally many, or as the lists say."""
        if self.size == 1:
            return Pending(name, rows)
        result = rows.new_empty(rows.shape[0] if received is None else sum(received), *rows.shape[1:])
        with _named(name):
            work = dist.all_to_all_single(_bytes(result), _bytes(rows), received, sent, group=self.group, async_op=True)
        return Pending(name, result, rows, work)


def _bytes(tensor):
    """Backends differ in the types that they know."""
    return tensor.view(torch.uint8)
