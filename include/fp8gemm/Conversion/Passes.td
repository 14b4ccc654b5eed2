// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_CONVERSION_PASSES_TD
#define FP8GEMM_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertFP8GemmToLinalgPass : Pass<"convert-fp8gemm-to-linalg"> {
  let summary = "lower fp8gemm operations to linalg, which defines what they compute";
  let description = [{
    Rewrites fp8gemm operations to linalg and arith, on tensors or memrefs. The
    result defines the computation and the order of its roundings
    (docs/Numerics.md), runs on a CPU, and is the oracle of the tests. It shares no
    code with the hopper path.

    For each K block, ascending:
    - A's and B's elements are extended to f32 (exact);
    - their products (exact) are added in f32, k ascending, from zero: `partial`;
    - `sum = fma(partial, sfa * sfb, sum)`, where sfa * sfb is rounded to f32.

    At the end, C, if there is one, is added in f32: `C + sum`; and the result is rounded
    to D's type, to nearest even.

    A grouped product becomes a loop over its groups, or over blocks of rows with the same
    index, that reads the description and does this for the rows, or the part of K, of each.

    Run on a module, the pass removes the kernels that its operations had and nothing else uses.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

def ExpandF8Pass : Pass<"expand-f8"> {
  let summary = "lower conversions of f8E4M3FN and f8E5M2 to integer arithmetic";
  let description = [{
    Rewrites `arith.extf` from f8E4M3FN or f8E5M2 to bf16, f16, f32 or f64, `arith.truncf` back, and conversions between FP8
    and integers, of scalars and vectors, for which neither upstream's arith-expand nor LLVM has a lowering on CPUs. An
    extension is exact; every NaN becomes a quiet one (in f32: 0x7fc00000). A truncation rounds once, to nearest even; values
    that are too large become an infinity (f8E5M2) or NaN (f8E4M3FN). No result depends on subnormal f32, so a process that
    flushes them computes the same.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def CheckHostPass : Pass<"fp8gemm-check-host", "::mlir::ModuleOp"> {
  let summary = "reject host code that is not lowered to the LLVM dialect";
  let description = [{
    Ends the pipelines of host code, whose conversions skip operations that they do not know. Each operation that is neither of
    the LLVM dialect nor a module is an error; kernels (`gpu.module`, `gpu.binary`) are not inspected.
  }];
}

def ConvertFP8GemmToHopperPass : Pass<"convert-fp8gemm-to-hopper", "::mlir::ModuleOp"> {
  let summary = "build the hopper kernel of each configured product, and of each quantisation";
  let description = [{
    For each product with a config, adds a `gpu.module` with one
    kernel and sets the operation's `kernel` to refer to it. Operations with the same
    problem and config share a kernel. An operation without a config is an error;
    one that already has a kernel is skipped. `fp8gemm.quantize` needs no config: its kernel has no choice
    of schedules.
  }];
  let dependentDialects = ["::fp8gemm::hopper::HopperDialect", "::mlir::gpu::GPUDialect",
                           "::mlir::NVVM::NVVMDialect", "::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::vector::VectorDialect"];
}

def ConvertFP8GemmToRuntimePass : Pass<"convert-fp8gemm-to-runtime", "::mlir::ModuleOp"> {
  let summary = "turn products in host functions into calls of the runtime";
  let description = [{
    Each product on memrefs becomes a call of a function that passes the descriptors of its operands to
    `fp8gemm_program_run` (runtime/include/fp8gemm/program.h), and ends the program with `fp8gemm_program_fail` if that
    returns an error. Equal products share the function. The remaining func, llvm and memref operations are lowered by
    upstream's passes.

    Kernels come from the module: `fp8gemm-serialize-kernels` made a `gpu.binary` of each, which becomes a constant.
    With `pack` they come from a pack, which has one for each M; products then need neither config nor kernel. The
    pack is opened when the program first runs a product; with `embed-pack` it is read now and becomes a constant.

    Operands in memory space 1 are in device memory and used in place; those in the default space are in host
    memory and copied, or with `memory=device` in device memory too.
  }];
  let options = [
    Option<"pack", "pack", "std::string", /*default=*/"\"\"", "path of a pack to take kernels from">,
    Option<"embedPack", "embed-pack", "bool", /*default=*/"false", "read the pack now, and keep it in the module">,
    Option<"batchInvariant", "batch-invariant", "bool", /*default=*/"false",
           "take only plans of the pack with which a row of D has the same bits for every M">,
    Option<"memory", "memory", "std::string", /*default=*/"\"host\"",
           "location of operands in the default memory space: host or device">,
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::func::FuncDialect",
                           "::mlir::cf::ControlFlowDialect"];
}

def RaiseLinalgToFP8GemmPass : Pass<"raise-linalg-to-fp8gemm"> {
  let summary = "turn block-scaled matrix products in linalg into fp8gemm.gemm";
  let description = [{
    Recognises D = (A * sfa) * (B * sfb)^T on tensors: the factors that a contraction multiplies and sums, traced back
    through reshapes, transposes, broadcasts, slices, extensions and multiplications, are two FP8 matrices and one f32 scale
    for each block of each. It becomes a `fp8gemm.gemm`, together with an added C and a truncation of the result to bf16;
    a batch of such products becomes a `fp8gemm.grouped_gemm`.

    Quantisation by blocks of 128 elements of a row becomes `fp8gemm.quantize`. Elementwise operations on the result of a product become its
    epilogue, those of both halves of its columns a gated product, and its quantisation a quantised D: with the same bits, if nothing else
    needs the intermediate results. torch-mlir produces this form from the plain formula in
    PyTorch (docs/WholePrograms.md).

    It changes roundings: the operation scales the sum of a K block, where the formula scales each element and sums
    all of K in f32. Both are within the bound of docs/Numerics.md.

    A contraction of FP8 elements with another form, or that breaks a rule of the operation, is not changed, and a
    remark says what was expected and what was found. Contractions without FP8 are ignored.
  }];
  let dependentDialects = ["::fp8gemm::FP8GemmDialect", "::mlir::tensor::TensorDialect"];
}

def ConvertHopperToNVVMPass : Pass<"convert-hopper-to-nvvm"> {
  let summary = "lower hopper kernels to nvvm and scf";
  let description = [{
    Each `hopper.kernel` becomes an `llvm.func` kernel with a `hopper.entry` beside it; each hopper operation becomes the
    nvvm operations that it stands for, in place. Fragments become f32 values, slots
    become mbarrier addresses, and shared memory becomes offsets into one dynamic
    allocation. `scf`, `arith` and `index` stay for the upstream conversions.

    With `debug-rings` (docs/Debugging.md), a wait of `ring.acquire` or `ring.wait` is limited to this
    time. A wait that takes longer reports which role waits for what, to memory that the runtime reads, and
    traps. The waits are listed in the `debug_rings` of its `hopper.entry`.
  }];
  let options = [
    Option<"debugRings", "debug-rings", "unsigned", /*default=*/"0",
           "milliseconds that a wait on a ring may last before it reports and traps (0: forever)">,
  ];
  let dependentDialects = ["::mlir::NVVM::NVVMDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::scf::SCFDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::vector::VectorDialect"];
}

#endif // FP8GEMM_CONVERSION_PASSES_TD
