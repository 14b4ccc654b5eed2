// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper.kernel, and the hopper.entry that is left of it after lowering.

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace fp8gemm::hopper;

//===----------------------------------------------------------------------===//
// hopper.kernel
//===----------------------------------------------------------------------===//

void KernelOp::build(OpBuilder &builder, OperationState &state, StringRef name) {
  auto &properties = state.getOrAddProperties<Properties>();
  properties.sym_name = builder.getStringAttr(name);
  properties.operand_kinds = builder.getArrayAttr({});
  state.addRegion()->emplaceBlock();
}

void KernelOp::addParameter(Operand of, Type type) {
  getBody().front().insertArgument(getOperandKinds().size(), type, getLoc());
  SmallVector<Attribute> kinds(getOperandKinds().begin(), getOperandKinds().end());
  kinds.push_back(OperandAttr::get(getContext(), of));
  setOperandKindsAttr(ArrayAttr::get(getContext(), kinds));
}

void KernelOp::addSharedBuffer(StringRef name, MemRefType type) {
  getBody().addArgument(type, NameLoc::get(StringAttr::get(getContext(), name), getLoc()));
}

/// `of` operand, if it is there.
static ParseResult parseOperandKind(OpAsmParser &parser, Operand &operand) {
  operand = Operand::none;
  if (failed(parser.parseOptionalKeyword("of")))
    return success();
  StringRef word;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  std::optional<Operand> known = symbolizeOperand(word);
  if (!known || *known == Operand::none) {
    InFlightDiagnostic error = parser.emitError(loc) << "expected the operand that the argument is: ";
    for (uint64_t i = 0; i <= getMaxEnumValForOperand(); ++i)
      if (Operand(i) != Operand::none)
        error << stringifyOperand(Operand(i)) << (i < getMaxEnumValForOperand() ? ", " : "");
    return error << ", got '" << word << "'";
  }
  operand = *known;
  return success();
}

/// word <...>, if it is there.
template <typename Attr> static ParseResult parseFact(OpAsmParser &parser, StringRef word, Attr &attribute) {
  if (failed(parser.parseOptionalKeyword(word)))
    return success();
  return parser.parseCustomAttributeWithFallback(attribute);
}

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  Region *body = result.addRegion();
  auto &properties = result.getOrAddProperties<Properties>();
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<Attribute> operands;
  auto parseArgument = [&]() -> ParseResult {
    return parser.parseArgument(arguments.emplace_back(), /*allowType=*/true);
  };
  auto parseParameter = [&]() -> ParseResult {
    Operand operand;
    if (parseArgument() || parseOperandKind(parser, operand))
      return failure();
    operands.push_back(OperandAttr::get(parser.getContext(), operand));
    return success();
  };
  if (parser.parseSymbolName(properties.sym_name) || parser.parseKeyword("args") ||
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseParameter))
    return failure();
  properties.operand_kinds = parser.getBuilder().getArrayAttr(operands);
  if (succeeded(parser.parseOptionalKeyword("shared")) &&
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseArgument))
    return failure();
  if (parseFact(parser, "problem", properties.problem) || parseFact(parser, "quantization", properties.quantization))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("config"))) {
    SMLoc loc = parser.getCurrentLocation();
    Attribute config;
    if (parser.parseLParen() || parser.parseAttribute(config) || parser.parseRParen())
      return failure();
    properties.config = dyn_cast<ConfigInterface>(config);
    if (!properties.config)
      return parser.emitError(loc) << "expected a config such as #fp8gemm.config<...>, got " << config;
  }
  if (parseFact(parser, "launch", properties.launch) || parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*body, arguments))
    return failure();
  ensureTerminator(*body, parser.getBuilder(), result.location);
  return success();
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getName());
  printer << " args(";
  llvm::interleaveComma(getParameters(), printer, [&](BlockArgument parameter) {
    printer.printRegionArgument(parameter);
    if (Operand operand = getOperandOf(parameter); operand != Operand::none)
      printer << " of " << stringifyOperand(operand);
  });
  printer << ')';
  // A fact a line.
  printer.increaseIndent();
  printer.increaseIndent();
  if (!getSharedBuffers().empty()) {
    printer.printNewline();
    printer << "shared(";
    llvm::interleaveComma(getSharedBuffers(), printer,
                          [&](BlockArgument buffer) { printer.printRegionArgument(buffer); });
    printer << ')';
  }
  auto printFact = [&](StringRef word, auto attribute) {
    if (!attribute)
      return;
    printer.printNewline();
    printer << word;
    printer.printStrippedAttrOrType(attribute);
  };
  printFact("problem", getProblemAttr());
  printFact("quantization", getQuantizationAttr());
  if (getConfigAttr()) {
    printer.printNewline();
    printer << "config(" << getConfigAttr() << ')';
  }
  printFact("launch", getLaunchAttr());
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {getSymNameAttrName(), getOperandKindsAttrName(), getProblemAttrName(),
                                            getQuantizationAttrName(), getConfigAttrName(), getLaunchAttrName()});
  printer.decreaseIndent();
  printer.decreaseIndent();
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false, /*printBlockTerminators=*/false);
}

void KernelOp::getAsmBlockArgumentNames(Region &region, OpAsmSetValueNameFn setName) {
  if (region.empty() || !getOperandKindsAttr() || region.getNumArguments() < getOperandKinds().size())
    return;
  for (BlockArgument parameter : getParameters()) {
    Operand operand = getOperandOf(parameter);
    bool isMap = isa<nvgpu::TensorMapDescriptorType>(parameter.getType());
    // In the roles, %a and %sfb are buffers of a stage.
    bool isGlobal = operand <= Operand::d && !isMap;
    if (operand != Operand::none)
      setName(parameter, (stringifyOperand(operand) + (isMap ? "_map" : isGlobal ? "_memory" : "")).str());
  }
  for (BlockArgument buffer : getSharedBuffers())
    setName(buffer, "shared");
}

LogicalResult KernelOp::verify() {
  if (!isa_and_nonnull<gpu::GPUModuleOp>((*this)->getParentOp()))
    return emitOpError() << "expected to be in a gpu.module, got it elsewhere";
  return success();
}

LogicalResult KernelOp::verifyRegions() {
  if (getBody().getNumArguments() < getOperandKinds().size())
    return emitOpError() << "expected an argument for each of " << getOperandKinds().size() << " operands, got "
                         << getBody().getNumArguments();
  for (BlockArgument parameter : getParameters()) {
    Operand operand = getOperandOf(parameter);
    Type type = parameter.getType();
    bool isExtent = operand == Operand::m || operand == Operand::k;
    auto matrix = dyn_cast<MemRefType>(type);
    if (operand == Operand::none ||
        (isExtent ? type.isIndex() : isa<nvgpu::TensorMapDescriptorType>(type) || (matrix && !matrix.getMemorySpace())))
      continue;
    return emitOpError() << "expected argument " << parameter.getArgNumber() << ", '" << stringifyOperand(operand)
                         << "', to be " << (isExtent ? "of type index" : "a tensor map or a memref in global memory")
                         << ", got " << type;
  }
  for (BlockArgument buffer : getSharedBuffers()) {
    auto type = dyn_cast<MemRefType>(buffer.getType());
    auto space = type ? dyn_cast_or_null<IntegerAttr>(type.getMemorySpace()) : nullptr;
    if (!space || space.getInt() != 3)
      return emitOpError() << "expected buffers in shared memory (memory space 3), got " << buffer.getType();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// hopper.entry
//===----------------------------------------------------------------------===//

EntryOp EntryOp::of(Operation *kernel) {
  StringAttr name = SymbolTable::getSymbolName(kernel);
  EntryOp found;
  for (auto entry : kernel->getParentRegion()->getOps<EntryOp>()) {
    if (entry.getKernelAttr().getAttr() != name)
      continue;
    if (found)
      return {};
    found = entry;
  }
  return found;
}

LogicalResult EntryOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(*this, getKernelAttr());
  if (!kernel || kernel->getParentOp() != (*this)->getParentOp())
    return emitOpError() << "expected a function of the same module, got " << getKernelAttr();
  if (kernel.getNumArguments() != getParams().size())
    return emitOpError() << "expected an entry of 'params' for each of " << kernel.getNumArguments()
                         << " parameters of the kernel, got " << getParams().size();
  return success();
}

LogicalResult YieldOp::verify() {
  bool isOfMap = isa<MapOp>((*this)->getParentOp());
  if (bool(getValue()) == isOfMap)
    return success();
  return emitOpError() << "expected " << (isOfMap ? "a" : "no") << " value, got " << (isOfMap ? "none" : "one");
}
