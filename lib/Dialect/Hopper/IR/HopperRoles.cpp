// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper.warp_specialize: the roles of a kernel's warps.

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

#include "UniformValues.h"

using namespace mlir;
using namespace fp8gemm::hopper;

/// Registers of an SM, and what setmaxnreg accepts (PTX ISA, "setmaxnreg").
static constexpr int64_t kSmRegisters = 65536;
static constexpr int64_t kThreadsPerWarpgroup = 128;
/// Iterations that become one.
static constexpr int64_t kMostUnrolled = 64;

/// `(` count `)`.
static ParseResult parseCount(OpAsmParser &parser, IntegerAttr &count) {
  int32_t value = 0;
  if (parser.parseLParen() || parser.parseInteger(value) || parser.parseRParen())
    return failure();
  count = parser.getBuilder().getI32IntegerAttr(value);
  return success();
}

/// `word` `(` count `)`.
static ParseResult parseCount(OpAsmParser &parser, StringRef word, IntegerAttr &count) {
  return failure(parser.parseKeyword(word) || parseCount(parser, count));
}

ParseResult WarpSpecializeOp::parse(OpAsmParser &parser, OperationState &result) {
  // Before they are read, so that on failure they live as long as the uses of their values.
  Region *producer = result.addRegion(), *helper = result.addRegion(), *consumer = result.addRegion();
  auto &properties = result.getOrAddProperties<Properties>();
  if (parser.parseKeyword("producer") || parseCount(parser, "registers", properties.producer_registers) ||
      parser.parseRegion(*producer))
    return failure();
  bool hasHelper = succeeded(parser.parseOptionalKeyword("helper"));
  if (hasHelper && parser.parseRegion(*helper))
    return failure();
  OpAsmParser::Argument warpgroup;
  warpgroup.type = parser.getBuilder().getIndexType();
  if (parseCount(parser, "consumers", properties.consumers) ||
      parseCount(parser, "registers", properties.consumer_registers))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("unroll")) && parseCount(parser, properties.unroll))
    return failure();
  if (parser.parseVerticalBar() || parser.parseArgument(warpgroup) || parser.parseVerticalBar() ||
      parser.parseRegion(*consumer, {warpgroup}))
    return failure();
  for (Region *region : {producer, helper, consumer})
    if (region != helper || hasHelper)
      ensureTerminator(*region, parser.getBuilder(), result.location);
  return parser.parseOptionalAttrDict(result.attributes);
}

void WarpSpecializeOp::print(OpAsmPrinter &printer) {
  printer << " producer registers(" << getProducerRegisters() << ") ";
  auto print = [&](Region &region) {
    printer.printRegion(region, /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/false);
  };
  print(getProducer());
  if (!getHelper().empty()) {
    printer << " helper ";
    print(getHelper());
  }
  printer << " consumers(" << getConsumers() << ") registers(" << getConsumerRegisters() << ") ";
  if (getUnroll() != 1)
    printer << "unroll(" << getUnroll() << ") ";
  printer << "|";
  if (!getConsumer().empty() && getConsumer().getNumArguments() == 1)
    printer.printRegionArgument(getConsumer().getArgument(0), {}, /*omitType=*/true);
  printer << "| ";
  print(getConsumer());
  printer.printOptionalAttrDict((*this)->getAttrs(), {getProducerRegistersAttrName(), getConsumersAttrName(),
                                                      getConsumerRegistersAttrName(), getUnrollAttrName()});
}

LogicalResult WarpSpecializeOp::verify() {
  auto checkRegisters = [&](StringRef role, int64_t registers) -> LogicalResult {
    if (registers % 8 == 0 && registers >= 24 && registers <= 256)
      return success();
    return emitOpError() << "expected " << role << " registers to be a multiple of 8 in [24, 256], got " << registers;
  };
  int64_t producer = getProducerRegisters(), consumer = getConsumerRegisters(), consumers = getConsumers();
  if (failed(checkRegisters("producer", producer)) || failed(checkRegisters("consumer", consumer)))
    return failure();
  if (consumers < 1)
    return emitOpError() << "expected at least 1 consumer warpgroup, got " << consumers;
  if (int32_t unroll = getUnroll(); unroll < 1 || unroll > kMostUnrolled)
    return emitOpError() << "expected 'unroll' to be in [1, " << kMostUnrolled << "], got " << unroll;
  int64_t total = kThreadsPerWarpgroup * (producer + consumers * consumer);
  if (total > kSmRegisters)
    return emitOpError() << "expected the roles to need at most " << kSmRegisters << " registers, got " << total;
  return success();
}

void WarpSpecializeOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  if (&region == &getConsumer() && region.getNumArguments() == 1)
    setName(region.getArgument(0), "warpgroup");
}

LogicalResult WarpSpecializeOp::verifyRegions() {
  if (getProducer().getNumArguments() != 0 || getHelper().getNumArguments() != 0)
    return emitOpError() << "expected the producer and helper regions to have no arguments";
  if (getConsumer().getNumArguments() != 1 || !getConsumer().getArgument(0).getType().isIndex())
    return emitOpError() << "expected the consumer region to have one index argument, the warpgroup's number";
  UniformValues uniform;
  for (Region *region : {&getProducer(), &getHelper(), &getConsumer()}) {
    WalkResult result = region->walk([&](Operation *op) {
      for (Value operand : op->getOperands()) {
        if (region->isAncestor(operand.getParentRegion()))
          continue;
        if (Value differing = uniform.findDiffering(operand)) {
          InFlightDiagnostic error = op->emitOpError() << "captures a value that may differ between threads";
          if (differing != operand)
            error.attachNote(differing.getLoc()) << "as it is computed from this one";
          return WalkResult::interrupt();
        }
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
  }
  return success();
}
