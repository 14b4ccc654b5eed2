// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The attributes that the dialect puts on operations and parameters, its own or others'; and no others.

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace fp8gemm::hopper;

namespace {

enum class Place { Kernel, Parameter };

struct Known {
  StringLiteral name;
  Place place;
  bool (*holds)(Attribute);
  StringLiteral value; ///< what it must be
};

template <typename... Attrs> bool isOf(Attribute attribute) { return isa<Attrs...>(attribute); }

bool isTensorMap(Attribute attribute) {
  auto type = dyn_cast<TypeAttr>(attribute);
  auto map = type ? dyn_cast<nvgpu::TensorMapDescriptorType>(type.getValue()) : nullptr;
  return map && map.getTensor().hasStaticShape();
}

const Known kKnown[] = {
    {"hopper.launch", Place::Kernel, isOf<LaunchAttr>, "#hopper.launch<...>"},
    {"hopper.problem", Place::Kernel, isOf<ProblemAttr, QuantizationAttr>,
     "#hopper.problem<...> or #hopper.quantization<...>"},
    {"hopper.config", Place::Kernel, isOf<StringAttr>, "a string"},
    {"hopper.workspace_bytes", Place::Kernel, isOf<IntegerAttr>, "an integer"},
    {"hopper.smem_bytes", Place::Kernel, isOf<IntegerAttr>, "an integer"},
    {"hopper.waits_for_previous", Place::Kernel, isOf<UnitAttr>, "without a value"},
    {"hopper.debug_rings", Place::Kernel, isOf<DebugRingsAttr>, "#hopper.debug_rings<...>"},
    {"hopper.param", Place::Parameter, isOf<ParamAttr>, "#hopper.param<...>"},
    {"hopper.map", Place::Parameter, isTensorMap, "the type of a tensor map with a box of static shape"},
};

StringRef describe(Place place) {
  switch (place) {
  case Place::Kernel:
    return "a kernel (gpu.func or llvm.func)";
  case Place::Parameter:
    return "a parameter of a kernel";
  }
  return "";
}

/// The error in `attribute` at a place, which is null if no attribute of ours may be there.
LogicalResult verify(Operation *op, NamedAttribute attribute, std::optional<Place> place) {
  const Known *known = llvm::find_if(kKnown, [&](const Known &each) { return each.name == attribute.getName(); });
  if (known == std::end(kKnown)) {
    auto names = llvm::map_range(kKnown, [](const Known &each) { return each.name; });
    return op->emitOpError() << "expected an attribute of the hopper dialect to be " << llvm::join(names, ", ")
                             << ", got " << attribute.getName();
  }
  if (place != known->place)
    return op->emitOpError() << "expected " << attribute.getName() << " on " << describe(known->place)
                             << ", got it elsewhere";
  if (!known->holds(attribute.getValue()))
    return op->emitOpError() << "expected " << attribute.getName() << " to be " << known->value << ", got "
                             << attribute.getValue();
  return success();
}

} // namespace

LogicalResult HopperDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  std::optional<Place> place;
  if (isa<FunctionOpInterface>(op))
    place = Place::Kernel;
  return verify(op, attribute, place);
}

LogicalResult HopperDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned, NamedAttribute attribute) {
  return verify(op, attribute, Place::Parameter);
}

LogicalResult HopperDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned, NamedAttribute attribute) {
  return verify(op, attribute, std::nullopt);
}

LogicalResult fp8gemm::hopper::verifyKnownAttributes(Operation *op) {
  // Those with two underscores are analyses' notes of upstream.
  for (NamedAttribute attribute : op->getDiscardableAttrs())
    if (StringRef name = attribute.getName(); !name.contains('.') && !name.starts_with("__"))
      return op->emitOpError() << "expected no attribute that it does not define, got " << attribute.getName();
  return success();
}
