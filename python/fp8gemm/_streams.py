# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Streams and arrays of libraries without DLPack's C exchange API; what the C code asks of Python.

Handles are integers: 0 is the legacy default stream.
"""

import sys


def handle_of(stream):
    """The handle of a library's stream object."""
    if hasattr(stream, "__cuda_stream__"):
        version, handle = stream.__cuda_stream__()
        if version != 0:
            raise ValueError(f"expected version 0 of __cuda_stream__, got {version}")
        return handle
    for name in ("cuda_stream", "ptr"):  # PyTorch's, CuPy's
        handle = getattr(stream, name, None)
        if isinstance(handle, int):
            return handle
    raise TypeError(f"expected 'stream' to be None, a handle or a stream of PyTorch, CuPy or cuda.core, got {stream!r}")


def current_of(tensor, device):
    """The handle of the current stream of the tensor's library on the device of that number."""
    library = type(tensor).__module__.partition(".")[0]
    module = sys.modules.get(library)
    if library == "torch":
        return module.cuda.current_stream(device).cuda_stream
    if library == "cupy":
        with module.cuda.Device(device):
            return module.cuda.get_current_stream().ptr
    raise TypeError(f"expected 'stream': {library} doesn't tell which of its streams is current; 0 is the default stream")


def export(tensor, stream):
    """The tensor's DLPack capsule, for use on the stream of that handle."""
    stream = stream or 1  # DLPack's number of the legacy default stream
    try:
        return tensor.__dlpack__(stream=stream, max_version=(1, 3))  # 1.1 has FP8
    except TypeError:  # before 1.0
        return tensor.__dlpack__(stream=stream)
