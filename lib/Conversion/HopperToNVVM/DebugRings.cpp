// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// debug-rings: waits that end. What is written is runtime/format/RingReport.h.

#include "DebugRings.h"

#include "RingReport.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace fp8gemm;
using namespace fp8gemm::hopper;

static constexpr int64_t kNanoseconds = 1000000;

//===----------------------------------------------------------------------===//
// The list of waits
//===----------------------------------------------------------------------===//

static WarpRole roleOf(Operation *access) {
  Operation *inRole = access;
  while (!isa<WarpSpecializeOp>(inRole->getParentOp()))
    inRole = inRole->getParentOp();
  auto roles = cast<WarpSpecializeOp>(inRole->getParentOp());
  Region *role = inRole->getParentRegion();
  return role == &roles.getProducer() ? WarpRole::producer
         : role == &roles.getHelper() ? WarpRole::helper
                                      : WarpRole::consumer;
}

static StringAttr describe(Location loc) {
  std::string text;
  if (auto file = loc->findInstanceOf<FileLineColLoc>())
    text = llvm::formatv("{0}:{1}:{2}", file.getFilename().getValue(), file.getLine(), file.getColumn());
  return StringAttr::get(loc.getContext(), text);
}

DebugRingsAttr fp8gemm::hopper::numberWaits(KernelOp kernel, DebugWaits &numbered) {
  SmallVector<Type> types;
  DenseMap<Value, int64_t> rings;
  kernel.walk([&](RingCreateOp create) {
    rings[create.getRing()] = types.size();
    types.push_back(create.getRing().getType());
  });
  SmallVector<RingWaitAttr> waits;
  WalkResult result = kernel.walk([&](Operation *op) {
    auto acquire = dyn_cast<RingAcquireOp>(op);
    auto wait = dyn_cast<RingWaitOp>(op);
    if (!acquire && !wait)
      return WalkResult::advance();
    auto ring = rings.find(acquire ? acquire.getRing() : wait.getRing());
    if (ring == rings.end() || !op->getParentOfType<WarpSpecializeOp>()) {
      op->emitOpError("expected a ring that the kernel creates, accessed in a role, for debug-rings");
      return WalkResult::interrupt();
    }
    auto what = RingWaitAttr::get(kernel.getContext(), roleOf(op), acquire ? StageState::empty : StageState::full,
                                  ring->second, describe(op->getLoc()));
    // The copies in an unrolled loop are one wait to the reader of a report.
    auto known = llvm::find(waits, what);
    numbered.numbers[op] = known - waits.begin();
    if (known == waits.end())
      waits.push_back(what);
    return WalkResult::advance();
  });
  if (result.wasInterrupted())
    return {};
  return DebugRingsAttr::get(kernel.getContext(), numbered.limitMs, types, waits);
}

void fp8gemm::hopper::declareReports(gpu::GPUModuleOp module) {
  auto builder = OpBuilder::atBlockBegin(module.getBody());
  auto declare = [&](StringRef name, IntegerAttr zero, unsigned alignment) {
    LLVM::GlobalOp::create(builder, module.getLoc(), zero.getType(), /*isConstant=*/false, LLVM::Linkage::External,
                           name, zero, alignment, kGlobal);
  };
  declare(format::kRingReportSymbol, builder.getI64IntegerAttr(0), 8);
  declare("fp8gemm_ring_report_count", builder.getI32IntegerAttr(0), 4); // in device memory: those of a launch
}

//===----------------------------------------------------------------------===//
// A wait
//===----------------------------------------------------------------------===//

/// Waits at barrier $0 for parity $1, in stage $2. Most waits end with the first try; then a clock runs (ns).
/// - The first of a warp's threads takes the next report, if there is room and a reader. The host sees
///   `isWritten` after everything else.
/// - A trap ends the whole grid, so the others are given time to report, too.
static constexpr char kWaitWithLimit[] = R"({.reg .pred done, early, skip;
.reg .b64 start, now, at;
.reg .b32 slot, value;
mbarrier.try_wait.parity.shared.b64 done, [$0], $1, <hint>;
@done bra DONE;
mov.u64 start, %globaltimer;
AGAIN:
mbarrier.try_wait.parity.shared.b64 done, [$0], $1, <hint>;
@done bra DONE;
mov.u64 now, %globaltimer;
sub.u64 now, now, start;
setp.lt.u64 early, now, <limit>;
@early bra AGAIN;
activemask.b32 value;
mov.u32 slot, %lanemask_lt;
and.b32 value, value, slot;
setp.ne.u32 skip, value, 0;
@skip bra REPORTED;
ld.global.u64 at, [fp8gemm_ring_report];
setp.eq.u64 skip, at, 0;
@skip bra REPORTED;
atom.global.add.u32 slot, [fp8gemm_ring_report_count], 1;
setp.ge.u32 skip, slot, <room>;
@skip bra REPORTED;
mad.wide.u32 at, slot, <bytes>, at;
mov.u32 value, <number>;
st.global.u32 [at+<wait>], value;
st.global.u32 [at+<stage>], $2;
st.global.u32 [at+<phase>], $1;
mov.u32 value, %ctaid.x;
st.global.u32 [at+<cta>], value;
mov.u32 value, %cluster_ctarank;
st.global.u32 [at+<rank>], value;
mov.u32 value, %tid.x;
st.global.u32 [at+<thread>], value;
mov.u32 value, 1;
st.release.sys.global.u32 [at+<isWritten>], value;
REPORTED:
mov.u64 start, %globaltimer;
GRACE:
mov.u64 now, %globaltimer;
sub.u64 now, now, start;
setp.lt.u64 early, now, <grace>;
@early bra GRACE;
trap;
DONE:
})";

/// The text with numbers for names.
static std::string fill(std::string text, ArrayRef<std::pair<StringRef, int64_t>> numbers) {
  for (auto [name, number] : numbers) {
    std::string hole = ("<" + name + ">").str();
    for (size_t at = text.find(hole); at != std::string::npos; at = text.find(hole))
      text.replace(at, hole.size(), std::to_string(number));
  }
  return text;
}

void fp8gemm::hopper::waitWithLimit(Emitter emit, Operation *access, Value barrier, Value parity, Value stage,
                                    const DebugWaits &waits) {
  using format::RingReport;
  int64_t limit = waits.limitMs * kNanoseconds;
  std::string assembly = fill(kWaitWithLimit, {{"hint", std::min(kTryWaitNanoseconds, limit)},
                                               {"limit", limit},
                                               {"grace", limit / 2},
                                               {"number", waits.numbers.lookup(access)},
                                               {"room", format::kMaxRingReports},
                                               {"bytes", sizeof(RingReport)},
                                               {"isWritten", offsetof(RingReport, isWritten)},
                                               {"wait", offsetof(RingReport, wait)},
                                               {"stage", offsetof(RingReport, stage)},
                                               {"phase", offsetof(RingReport, phase)},
                                               {"cta", offsetof(RingReport, cta)},
                                               {"rank", offsetof(RingReport, rank)},
                                               {"thread", offsetof(RingReport, thread)}});
  Value address = LLVM::PtrToIntOp::create(emit.builder, emit.loc, emit.builder.getI32Type(), barrier);
  // All in one: a branch would let LLVM move promotion past the next product, and large tiles would spill.
  LLVM::InlineAsmOp::create(
      emit.builder, emit.loc, TypeRange(), ValueRange{address, parity, stage}, assembly, "r,r,r,~{memory}",
      /*has_side_effects=*/true, /*is_align_stack=*/false, LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr::get(emit.builder.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr());
}
