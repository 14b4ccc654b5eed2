# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The storage of PyTorch tensors, and copies of those that kernels cannot read.

The rules are the runtime's (docs/Runtime.md): TMA reads from addresses, and over strides, that are multiples of 16 bytes;
no dimension overlaps itself. A slice has the strides of its tensor but another address, so both are checked.
"""

import torch

ALIGNMENT = 16  # bytes
_ALIGNED_SCALES = ALIGNMENT // 4


def _address(tensor):
    """The address of its first element. A traced tensor has none; PyTorch allocates memory at multiples of 16 bytes."""
    if not torch.compiler.is_compiling():
        try:
            return tensor.data_ptr()
        except RuntimeError:  # of a fake tensor
            pass
    return tensor.storage_offset() * tensor.element_size()


def _are_apart(extents, steps):
    """Whether groups, if any, and the lines of each, don't overlap: as the runtime has it. Of (groups, lines, elements)."""
    groups, lines, length = extents
    group_step, step = steps
    if lines > 1 and step < length:
        return False
    whole = (lines - 1) * step + length if lines > 1 else length
    return groups <= 1 or group_step >= whole or length <= group_step <= (step - length) // (groups - 1)


def scale_layouts(scales, by_tma):
    """What scales [..., rows, K blocks] may be taken for as they are: "mn_major", "k_major", both or neither. `by_tma`: of
    single rows, which TMA reads if they are MN-major."""
    rows, blocks = scales.shape[-2:]
    if scales.numel() == 0:
        return ["mn_major", "k_major"]
    *outer, row_step, block_step = scales.stride()
    groups, group_step = (scales.shape[0], outer[0]) if outer else (1, 0)
    found = []
    if rows == 1 or row_step == 1:
        steps = [step for step, extent in ((block_step, blocks), (group_step, groups)) if extent > 1]
        is_read = not by_tma or _address(scales) % ALIGNMENT == 0 and all(step % _ALIGNED_SCALES == 0 for step in steps)
        if is_read and _are_apart((groups, blocks, rows), (group_step, block_step)):
            found.append("mn_major")
    if (blocks == 1 or block_step == 1) and _are_apart((groups, rows, blocks), (group_step, row_step)):
        found.append("k_major")
    return found


def stored(scales, layout, by_tma):
    """The same scales in that layout: a copy, unless they already have it."""
    if layout in scale_layouts(scales, by_tma):
        return scales
    if layout == "k_major":
        return scales.clone(memory_format=torch.contiguous_format)
    return new_mn_major(scales) if by_tma else scales.mT.contiguous().mT


def mn_major(scales):
    """The same scales with stride 1 along their rows, and with an address and other strides that are multiples of 16 bytes:
    a copy, unless they already are stored so."""
    row_step, block_step = scales.stride()[-2:]
    if row_step == 1 and block_step % _ALIGNED_SCALES == 0 and "mn_major" in scale_layouts(scales, True):
        return scales
    return new_mn_major(scales)


def new_mn_major(scales):
    """A copy of the scales that is stored so."""
    *groups, rows, blocks = scales.shape
    aligned = -(-rows // _ALIGNED_SCALES) * _ALIGNED_SCALES
    return scales.new_empty((*groups, blocks, aligned))[..., :rows].transpose(-1, -2).copy_(scales)


def readable_matrix(matrix):
    """The same [..., rows, columns], or flat, as the kernels read it, with contiguous rows: a copy, unless it already is."""
    if matrix.numel() == 0:
        return matrix
    rows, columns = matrix.shape[-2:] if matrix.dim() > 1 else (1, *matrix.shape)
    *outer, row_step, column_step = matrix.stride() if matrix.dim() > 1 else (0, *matrix.stride())
    groups, group_step = (matrix.shape[0], outer[0]) if outer else (1, 0)
    steps = [step for step, extent in ((row_step, rows), (group_step, groups)) if extent > 1]
    is_read = (columns == 1 or column_step == 1) and _address(matrix) % ALIGNMENT == 0 and \
        all(step * matrix.element_size() % ALIGNMENT == 0 for step in steps) and \
        _are_apart((groups, rows, columns), (group_step, row_step))
    return matrix if is_read else matrix.clone(memory_format=torch.contiguous_format)


def choose(taken, sfa, sfb, by_row):
    """Both scales in layouts for which a pack has kernels, `taken`: [(of sfa, of sfb)]; scales that have to be copied
    get the first."""
    of_a, of_b = scale_layouts(sfa, True), scale_layouts(sfb, by_row)
    for choice in taken:
        if choice[0] in of_a and choice[1] in of_b:
            return sfa, sfb
    return stored(sfa, taken[0][0], True), stored(sfb, taken[0][1], by_row)
