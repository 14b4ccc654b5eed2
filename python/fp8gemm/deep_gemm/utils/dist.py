# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Helpers of DeepGEMM's tests on several GPUs, over torch.distributed."""

import os

import torch
import torch.distributed

from fp8gemm.deep_gemm import _arguments

__all__ = ["dist_print", "init_dist", "uneven_all_gather"]


def init_dist(local_rank, num_local_ranks):
    """Starts NCCL on GPU `local_rank` of this node, of `num_local_ranks` processes on each: (rank, ranks, the group of all).
    MASTER_ADDR, MASTER_PORT, WORLD_SIZE (nodes) and RANK (of the node) say where the others are."""
    ranks = _arguments.count("num_local_ranks", num_local_ranks, least=1)
    rank = _arguments.count("local_rank", local_rank, most=ranks - 1)
    place = f"{os.environ.get('MASTER_ADDR', '127.0.0.1')}:{os.environ.get('MASTER_PORT', '8361')}"
    nodes, node = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    torch.cuda.set_device(rank)
    torch.set_default_device("cuda")
    torch.distributed.init_process_group("nccl", init_method=f"tcp://{place}", world_size=nodes * ranks, rank=node * ranks + rank,
                                         device_id=torch.device("cuda", rank))
    return torch.distributed.get_rank(), torch.distributed.get_world_size(), torch.distributed.new_group(list(range(nodes * ranks)))


def uneven_all_gather(tensor, dim=0, group=None):
    """The tensors of all ranks, one after the other along `dim`, in which they may differ."""
    _arguments.tensor("'tensor'", tensor)
    ranks = torch.distributed.get_world_size(group)
    extents = [torch.zeros(1, dtype=torch.int64, device=tensor.device) for _ in range(ranks)]
    torch.distributed.all_gather(extents, torch.tensor([tensor.shape[dim]], device=tensor.device), group=group)
    extents = [extent.item() for extent in extents]
    padded = tensor.new_zeros([max(extents) if i == dim % tensor.dim() else size for i, size in enumerate(tensor.shape)])
    padded.narrow(dim, 0, tensor.shape[dim]).copy_(tensor)
    gathered = [torch.empty_like(padded) for _ in range(ranks)]
    torch.distributed.all_gather(gathered, padded, group=group)
    return torch.cat([part.narrow(dim, 0, extent) for part, extent in zip(gathered, extents)], dim)


def dist_print(s="", once_in_node=False):
    """Prints it in each process, or in one of each node, and waits for all."""
    if not once_in_node or torch.cuda.current_device() == 0:
        print(s, flush=True)
    torch.distributed.barrier()
