// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rings: types of their stages, and names.

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

using namespace mlir;
using namespace fp8gemm::hopper;

static void appendSlotTypes(MLIRContext *context, ArrayRef<MemRefType> buffers, SmallVectorImpl<Type> &types) {
  types.push_back(SlotType::get(context));
  llvm::append_range(types, buffers);
}

LogicalResult RingAcquireOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location,
                                              ValueRange operands, DictionaryAttr attributes,
                                              OpaqueProperties properties, RegionRange regions,
                                              SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto ring = dyn_cast<RingType>(adaptor.getRing().getType());
  if (!ring)
    return emitOptionalError(location, "expected a ring, got ", adaptor.getRing().getType());
  appendSlotTypes(context, adaptor.getFiller() == Filler::tma ? ring.getTma() : ring.getWarps(), types);
  return success();
}

LogicalResult RingWaitOp::inferReturnTypes(MLIRContext *context, std::optional<Location> location, ValueRange operands,
                                           DictionaryAttr attributes, OpaqueProperties properties, RegionRange regions,
                                           SmallVectorImpl<Type> &types) {
  Adaptor adaptor(operands, attributes, properties, regions);
  auto ring = dyn_cast<RingType>(adaptor.getRing().getType());
  if (!ring)
    return emitOptionalError(location, "expected a ring, got ", adaptor.getRing().getType());
  appendSlotTypes(context, ring.getBuffers(), types);
  return success();
}

/// A result's name in printed IR.
using SetName = function_ref<void(Value, StringRef)>;

/// `%slot, %a, %b, ...`: as the ring names its buffers.
static void nameSlot(Value slot, ValueRange buffers, ArrayRef<StringAttr> names, SetName setName) {
  setName(slot, "slot");
  for (auto [buffer, name] : llvm::zip(buffers, names))
    setName(buffer, name);
}

void RingAcquireOp::getAsmResultNames(SetName setName) {
  RingType ring = getRing().getType();
  ArrayRef<StringAttr> names = ring.getNames();
  bool byTma = getFiller() == Filler::tma;
  nameSlot(getSlot(), getBuffers(), byTma ? names : names.drop_front(ring.getTma().size()), setName);
}
void RingWaitOp::getAsmResultNames(SetName setName) {
  nameSlot(getSlot(), getBuffers(), getRing().getType().getNames(), setName);
}
void RingCreateOp::getAsmResultNames(SetName setName) { setName(getRing(), "ring"); }
void RingAdvanceOp::getAsmResultNames(SetName setName) {
  setName(getNextStage(), "stage");
  setName(getNextPhase(), "phase");
}

template <typename Op> static LogicalResult verifyPosition(Op op) {
  if (!op.getStage() != !op.getPhase())
    return op.emitOpError() << "expected both a stage and a phase, or neither";
  return success();
}

LogicalResult RingAcquireOp::verify() {
  if (getBuffers().empty())
    return emitOpError() << "expected a ring with buffers filled by " << stringifyFiller(getFiller()) << ", got none";
  return verifyPosition(*this);
}

LogicalResult RingWaitOp::verify() { return verifyPosition(*this); }
