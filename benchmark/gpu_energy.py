# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Energy of a call: NVML's counter of the whole GPU, around calls that follow each other for a while.

Nothing is flushed between the calls, so operands that fit are in L2; long kernels run at the power limit, as they do in a
model. The counter is in millijoules and is updated every 20 to 100 ms: a second gives some per cent.
"""

import time

BATCH_SECONDS = 0.02   # of calls between two looks at the clock
WARM_UP_SECONDS = 0.3  # until clock and power are those of the contender
SETTLE_SECONDS = 2.0   # until they have settled on a GPU that was idle: the power limit overshoots at first


class Meter:
    """Measures for `seconds` at a time; `counter()` is in mJ, `synchronize()` waits for the GPU."""

    def __init__(self, seconds, counter, synchronize, clock=time.monotonic):
        self.seconds, self.counter, self.synchronize, self.clock = seconds, counter, synchronize, clock

    @classmethod
    def of_gpu(cls, seconds):
        """Of PyTorch's current GPU; RuntimeError without NVML."""
        import torch
        try:
            import pynvml
            pynvml.nvmlInit()
            uuid = f"GPU-{torch.cuda.get_device_properties(torch.cuda.current_device()).uuid}"
            handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
            pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
        except Exception as error:  # ImportError, and NVML's own
            raise RuntimeError(f"expected pynvml and a GPU that counts its energy, got {error}") from error
        return cls(seconds, lambda: pynvml.nvmlDeviceGetTotalEnergyConsumption(handle), torch.cuda.synchronize)

    def _run(self, call, batch, seconds):
        """How many calls it took."""
        calls, end = 0, self.clock() + seconds
        while self.clock() < end:
            for _ in range(batch):
                call()
            self.synchronize()
            calls += batch
        return calls

    @staticmethod
    def _batch(us):
        return max(1, round(BATCH_SECONDS * 1e6 / us))

    def settle(self, call, us):
        """Before the first measurement of several in a row, which would be some 10 % too high otherwise."""
        self._run(call, self._batch(us), SETTLE_SECONDS)

    def millijoules(self, call, us):
        """Of one call, which takes about `us` microseconds."""
        batch = self._batch(us)
        self._run(call, batch, WARM_UP_SECONDS)
        before = self.counter()
        calls = self._run(call, batch, self.seconds)
        return (self.counter() - before) / calls
