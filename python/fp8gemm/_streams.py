# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Streams and arrays of libraries without DLPack's C exchange API; called by the C code.

Handles are integers: 0 is the legacy default stream. `name` is the argument that an error names.
"""

import operator
import sys

_FIRST_PYTORCH = "2.10"  # whose DLPack has FP8, and the exchange API
_FLOAT8_CODES = {"float8_e4m3fn": 10, "float8_e5m2": 12}  # DLPack's


def handle_of(stream):
    """The handle of a library's stream object."""
    try:
        if hasattr(stream, "__cuda_stream__"):
            version, handle = stream.__cuda_stream__()
            if version == 0:
                return operator.index(handle)
        elif not isinstance(stream, bool) and not isinstance(stream, type):
            if hasattr(stream, "__index__"):
                return operator.index(stream)
            for name in ("cuda_stream", "ptr"):  # PyTorch's, CuPy's
                if hasattr(stream, name):
                    return operator.index(getattr(stream, name))
    except (TypeError, ValueError):
        pass
    raise TypeError(f"expected 'stream' to be None, a handle or a stream of PyTorch, CuPy or cuda.core, got {stream!r}")


def current_of(tensor, device):
    """The handle of the current stream of the tensor's library on the device of that number."""
    torch = _torch_of(tensor)
    if torch:
        return torch.cuda.current_stream(device).cuda_stream
    library = type(tensor).__module__.partition(".")[0]
    if library == "cupy":
        module = sys.modules[library]
        with module.cuda.Device(device):
            return module.cuda.get_current_stream().ptr
    raise TypeError(f"expected 'stream': {library} doesn't tell which of its streams is current; 0 is the default stream")


def device_of(tensor, name):
    """DLPack's type and index of the tensor's device."""
    try:
        kind, number = tensor.__dlpack_device__()
        return int(kind), int(number)
    except AttributeError:
        raise TypeError(f"expected '{name}' to be an array that supports DLPack, got {type(tensor).__qualname__}") from None
    except Exception as error:
        raise refusal(name, error) from error


def export(tensor, name, stream):
    """The tensor's DLPack capsule, for use on the stream with that handle, and DLPack's code of its element type if the
    capsule lacks it, otherwise -1: before 2.10, PyTorch exports FP8 only as bytes."""
    stream, code = stream or 1, -1  # 1 is DLPack's number of the legacy default stream
    torch = _torch_of(tensor)
    try:
        if torch:
            tensor = tensor.detach()
            code = _FLOAT8_CODES.get(str(tensor.dtype).removeprefix("torch."), -1)
            if code >= 0:
                tensor = tensor.view(torch.uint8)
        try:
            return tensor.__dlpack__(stream=stream, max_version=(1, 3)), code  # 1.1 has FP8
        except TypeError:  # before 1.0
            return tensor.__dlpack__(stream=stream), code
    except Exception as error:
        raise refusal(name, error) from error


def allocate(name, named_first, first, element, shape):
    """An array of the first one's library, of DLPack's type `element`: PyTorch's before its exchange API."""
    torch = _torch_of(first)
    if not torch:
        raise TypeError(f"expected '{name}', got None: the library of '{named_first}' allocates nothing through DLPack")
    dtype = {(1, 8): torch.uint8, (2, 32): torch.float32, (4, 16): torch.bfloat16}[element]
    return torch.empty(shape, dtype=dtype, device=first.device)


def refusal(name, error):
    """The error of a library that does not export an array, as one that names the argument."""
    hint = ""
    if "float8" in str(error).lower():
        hint = (f"; PyTorch's DLPack has FP8 since {_FIRST_PYTORCH}: pass its tensors themselves, or their bytes "
                "(view(torch.uint8), taken as e4m3)")
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"expected '{name}' to be an array that its library shows through DLPack, got {type(error).__name__}: "
                f"{error}{hint}")


def _torch_of(tensor):
    """PyTorch, if that is a tensor of it."""
    torch = sys.modules.get("torch")
    return torch if torch and isinstance(tensor, torch.Tensor) else None
