# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model's linear layers replaced by those in FP8."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

from fp8gemm._scalars import count
from fp8gemm.layers._linear import Linear, distinct, unusable
from fp8gemm.layers._moe import MoEMLP
from fp8gemm.layers._words import expect_type


@dataclass
class Swapped:
    """What `swap_linears` did."""

    swapped: list[str] = field(default_factory=list)  # names of the layers that are in FP8 now
    skipped: dict[str, str] = field(default_factory=dict)  # names of the other linear layers, and why

    def __str__(self) -> str:
        count = len(self.swapped)
        lines = [f"{count} linear layer{'s' * (count != 1)} in FP8, {len(self.skipped)} skipped"]
        return "\n".join([*lines, *(f"  {name}: {why}" for name, why in self.skipped.items())])


def swap_linears(model: nn.Module, *, filter: Callable[[str, nn.Linear], bool] | None = None, trainable: bool = False) -> Swapped:
    """Replaces the torch.nn.Linear layers of `model` by `Linear`, in place.

    filter     of (name, layer): which ones; None: all
    trainable  the layers keep their parameters, which are quantised in each call; otherwise weights are quantised now, and not trained

    Skipped, with the reason: layers that the filter refuses, layers of sizes or types that there are no kernels for, subclasses of
    torch.nn.Linear, layers with hooks, and layers whose weight another module has as well.
    """
    expect_type("model", model, nn.Module)
    if filter is not None and not callable(filter):
        raise TypeError(f"expected 'filter' to be a function of a name and a layer, or None, got {filter!r}")
    if isinstance(model, nn.Linear):
        raise TypeError("expected a module that contains linear layers, got a linear layer; use fp8gemm.torch.Linear.of(layer)")
    owners, report, made = _owners(model), Swapped(), {}
    for name, module in list(model.named_modules(remove_duplicate=False)):
        if not isinstance(module, nn.Linear):
            continue
        why = _reason(name, module, owners, filter)
        if why:
            report.skipped[name] = why
            continue
        if id(module) not in made:
            made[id(module)] = Linear.of(module, trainable=trainable)
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, made[id(module)])
        report.swapped.append(name)
    return report


def problems(model: nn.Module, max_m: int = 8192) -> list[dict]:
    """The entries of a pack's list for all layers of fp8gemm in a model; max_m: the largest number of rows (tokens) that the kernels are chosen for."""
    expect_type("model", model, nn.Module)
    found, max_m = [], count("max_m", max_m, least=1)
    for module in model.modules():
        if isinstance(module, (Linear, MoEMLP)):
            found += module.problems(max_m)
    return distinct(found)


def _owners(model):
    """{parameter: the modules that have it}"""
    owners = defaultdict(dict)
    for name, module in model.named_modules():
        for parameter in module.parameters(recurse=False):
            owners[id(parameter)][id(module)] = name
    return owners


def _reason(name, module, owners, filter):
    if isinstance(module, Linear):
        return "in FP8 already"
    if type(module) is not nn.Linear:
        return f"expected a torch.nn.Linear, got its subclass {type(module).__qualname__}, which may compute something else"
    if filter is not None and not filter(name, module):
        return "refused by the filter"
    if any((module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)):
        return "expected a layer without hooks, which would be lost"
    others = [other for owner, other in owners[id(module.weight)].items() if owner != id(module)]
    if others:
        return f"expected a weight of its own, got that of '{others[0]}'"
    return unusable(module)
