// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// hopper.entry + ptxas's report -> manifest. What an entry says: HopperKernelOps.td;
// what the fields mean: runtime/format/Manifest.fbs.

#include "fp8gemm/Dialect/Hopper/IR/Hopper.h"
#include "fp8gemm/Target/Target.h"

#include "KernelFile.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace fp8gemm::target {

namespace {

/// None of extents.
format::Operand toFormat(hopper::Operand operand) {
  const format::OperandRow *row = format::findOperand(std::string(hopper::stringifyOperand(operand)));
  return row ? row->operand : format::Operand::None;
}

std::optional<format::ElementType> toFormat(Type element) {
  if (isa<Float8E4M3FNType>(element))
    return format::ElementType::F8E4M3FN;
  if (isa<Float8E5M2Type>(element))
    return format::ElementType::F8E5M2;
  if (element.isF32())
    return format::ElementType::F32;
  if (element.isBF16())
    return format::ElementType::BF16;
  return std::nullopt;
}

std::optional<format::ScaleLayout> toFormat(StringAttr layout) {
  for (const format::Word &word : format::kLayoutWords)
    if (layout.getValue() == word.name)
      return format::ScaleLayout(word.value);
  return std::nullopt;
}

/// The field's value for elements of that type; none where the field has no word for it.
std::optional<int64_t> valueOf(StringRef field, Type element) {
  StringRef name = isa<Float8E4M3FNType>(element) ? "e4m3"
                   : isa<Float8E5M2Type>(element) ? "e5m2"
                   : element.isBF16()             ? "bf16"
                   : element.isF16()              ? "f16"
                   : element.isF32()              ? "f32"
                                                  : "";
  for (const format::Word &word : format::findField(std::string(field))->words)
    if (name == word.name)
      return word.value;
  return std::nullopt;
}

format::WarpRole toFormat(hopper::WarpRole role) {
  switch (role) {
  case hopper::WarpRole::producer:
    return format::WarpRole::Producer;
  case hopper::WarpRole::helper:
    return format::WarpRole::Helper;
  case hopper::WarpRole::consumer:
    break;
  }
  return format::WarpRole::Consumer;
}

format::StageState toFormat(hopper::StageState state) {
  return state == hopper::StageState::empty ? format::StageState::Empty : format::StageState::Full;
}

class ManifestBuilder {
public:
  ManifestBuilder(hopper::EntryOp entry, StringRef chip, const Cubin &cubin) : entry(entry), chip(chip), cubin(cubin) {}

  FailureOr<std::string> build();

private:
  /// A number that the manifest has 32 bits for; an error where it does not fit.
  uint32_t fit(StringRef name, int64_t value) {
    if (value >= 0 && value <= std::numeric_limits<uint32_t>::max())
      return uint32_t(value);
    entry.emitOpError("expected ") << name << " of a kernel to be from 0 to 2^32 - 1, got " << value;
    allFit = false;
    return 0;
  }

  FailureOr<flatbuffers::Offset<format::Param>> buildParam(unsigned index);
  FailureOr<flatbuffers::Offset<format::Param>> buildTensorMap(unsigned index, uint8_t operand);
  FailureOr<flatbuffers::Offset<format::StoredProblem>> buildProblem();
  /// The operands of an epilogue are the vectors of the problem, in the order of the table.
  format::Operand operandOf(hopper::Operand operand);
  LogicalResult setVectors(hopper::ProblemAttr problem, format::Problem &fields);
  /// What is null is none.
  LogicalResult setActivation(StringAttr activation, format::Problem &fields);
  FailureOr<flatbuffers::Offset<format::StoredProblem>> buildQuantization(hopper::QuantizationAttr problem);
  /// Null, without an error, for a kernel that is not a debug build.
  FailureOr<flatbuffers::Offset<format::DebugRings>> buildDebugRings();
  /// Whether a parameter of this kind and operand is there.
  bool hasParam(hopper::ParamKind kind, hopper::Operand operand);

  hopper::EntryOp entry;
  StringRef chip;
  const Cubin &cubin;
  flatbuffers::FlatBufferBuilder fbb;
  bool allFit = true;
};

FailureOr<flatbuffers::Offset<format::Param>> ManifestBuilder::buildTensorMap(unsigned index, uint8_t operand) {
  nvgpu::TensorMapDescriptorType map = entry.getParam(index).getMap();
  std::optional<format::ElementType> element = toFormat(map.getTensor().getElementType());
  if (!element)
    return entry.emitOpError("expected a tensor map of f8E4M3FN, f8E5M2, f32 or bf16, got ") << map;
  auto box = llvm::map_to_vector(map.getTensor().getShape(), [&](int64_t extent) { return fit("'box'", extent); });
  // The enumerators count powers of two: swizzles of 32, 64 and 128 bytes, promotion to 64, 128 and 256.
  unsigned swizzle = unsigned(map.getSwizzle()), promotion = unsigned(map.getL2promo());
  return format::CreateParam(fbb, format::ParamKind::TensorMap, operand, *element,
                             fbb.CreateVector(box.data(), box.size()), swizzle ? 16u << swizzle : 0,
                             promotion ? 32u << promotion : 0);
}

FailureOr<flatbuffers::Offset<format::Param>> ManifestBuilder::buildParam(unsigned index) {
  hopper::ParamAttr param = entry.getParam(index);
  if (param.getOperand() == hopper::Operand::none)
    return entry.emitOpError("expected parameter ") << index << " of the kernel to be an operand, got " << param;
  auto operand = uint8_t(operandOf(param.getOperand()));
  switch (param.getKind()) {
  case hopper::ParamKind::tensor_map:
    return buildTensorMap(index, operand);
  case hopper::ParamKind::matrix:
    return format::CreateParam(fbb, format::ParamKind::Pointer, operand);
  case hopper::ParamKind::leading_dimension:
    return format::CreateParam(fbb, format::ParamKind::LeadingDimension, operand);
  case hopper::ParamKind::group_stride:
    return format::CreateParam(fbb, format::ParamKind::GroupStride, operand);
  case hopper::ParamKind::extent:
    break;
  }
  if (param.getOperand() != hopper::Operand::m && param.getOperand() != hopper::Operand::k)
    return entry.emitOpError("expected an extent to be that of m or k, got ") << param;
  bool isM = param.getOperand() == hopper::Operand::m;
  return format::CreateParam(fbb, isM ? format::ParamKind::ExtentM : format::ParamKind::ExtentK, operand);
}

bool ManifestBuilder::hasParam(hopper::ParamKind kind, hopper::Operand operand) {
  return llvm::any_of(entry.getParams().getAsRange<hopper::ParamAttr>(), [&](hopper::ParamAttr param) {
    return param.getKind() == kind && param.getOperand() == operand;
  });
}

FailureOr<flatbuffers::Offset<format::StoredProblem>>
ManifestBuilder::buildQuantization(hopper::QuantizationAttr problem) {
  std::optional<format::ScaleLayout> scales = toFormat(problem.getScales());
  std::optional<int64_t> q = valueOf("a_type", problem.getQ()), x = valueOf("x_type", problem.getX());
  if (!scales || !q || !x)
    return entry.emitOpError(
               "expected a quantisation of bf16, f16 or f32 to f8E4M3FN or f8E5M2 with scale layout k_major "
               "or mn_major, got ")
           << problem;
  format::Problem fields = format::usualQuantisation();
  fields.m = ShapedType::isDynamic(problem.getM()) ? -1 : problem.getM();
  fields.k = problem.getK();
  fields.a = format::Type(*q);
  fields.sfa = *scales;
  fields.sfbRows = fit("rows of a scale", problem.getScaleRows());
  fields.x = format::XType(*x);
  fields.powerOfTwo = problem.getPowerOfTwo() != 0;
  fields.gated = problem.getGated() != 0;
  if (problem.getPrologue() && !problem.getActivation())
    return entry.emitOpError(
        "expected a prologue of an activation for a kernel file, which describes no other, got another "
        "one; emit ptx, or compute it before the quantisation");
  if (failed(setActivation(problem.getActivation(), fields)))
    return failure();
  return format::writeProblem(fbb, fields);
}

LogicalResult ManifestBuilder::setActivation(StringAttr activation, format::Problem &fields) {
  if (!activation)
    return success();
  fields.activation = format::valueOf<format::Activation>(format::kActivationWords, activation.getValue());
  if (activation.getValue() == nameOf(format::kActivationWords, fields.activation))
    return success();
  return entry.emitOpError("expected an activation of none, relu, silu, gelu or gelu_tanh, got ") << activation;
}

format::Operand ManifestBuilder::operandOf(hopper::Operand operand) {
  if (operand < hopper::Operand::epilogue_0 || operand > hopper::Operand::epilogue_7 || !entry.getProblemAttr())
    return toFormat(operand);
  auto left = uint32_t(operand) - uint32_t(hopper::Operand::epilogue_0);
  for (const format::OperandRow &row : format::kOperands)
    if (isOptionalVector(row) && entry.getProblemAttr().getVector(row.name) && left-- == 0)
      return row.operand;
  return format::Operand::None;
}

LogicalResult ManifestBuilder::setVectors(hopper::ProblemAttr problem, format::Problem &fields) {
  for (NamedAttribute vector : problem.getVectors()) {
    const format::OperandRow *row = format::findOperand(std::string(vector.getName().getValue()));
    Type element = problem.getVector(vector.getName().getValue());
    if (!row || !isOptionalVector(*row))
      return entry.emitOpError("expected the element type of a vector, got that of ") << vector.getName();
    std::optional<int64_t> value = valueOf(row->elementField->name, element);
    if (!value) {
      InFlightDiagnostic error = entry.emitOpError("expected ") << vector.getName() << " of ";
      for (const format::Word &word : row->elementField->words)
        if (word.value != 0)
          error << word.name << (&word + 1 == row->elementField->words.end() ? "" : " or ");
      return error << ", got " << problem;
    }
    set(fields, *row->elementField, *value);
  }
  return success();
}

FailureOr<flatbuffers::Offset<format::StoredProblem>> ManifestBuilder::buildProblem() {
  if (hopper::QuantizationAttr quantization = entry.getQuantizationAttr())
    return buildQuantization(quantization);
  hopper::ProblemAttr problem = entry.getProblemAttr();
  if (!problem)
    return entry.emitOpError("expected a kernel with a 'problem', got none");
  if (problem.getEpilogue() && !problem.getActivation())
    return entry.emitOpError("expected an epilogue of C, row_scale, a bias and an activation for a kernel file, which "
                             "describes no other, got another one; emit ptx, or compute it after the product");
  std::optional<format::ScaleLayout> sfa = toFormat(problem.getSfa()), sfb = toFormat(problem.getSfb());
  if (!sfa || !sfb)
    return entry.emitOpError("expected scale layouts k_major or mn_major, got ") << problem;
  std::optional<int64_t> a = valueOf("a_type", problem.getA()), b = valueOf("b_type", problem.getB()),
                         d = valueOf("d_type", problem.getD());
  if (!a || !b || !d)
    return entry.emitOpError("expected element types f8E4M3FN, f8E5M2, f32 or bf16, got ") << problem;
  auto extent = [](int64_t extent) { return ShapedType::isDynamic(extent) ? -1 : extent; };
  format::Problem fields;
  fields.m = extent(problem.getM());
  fields.n = problem.getN();
  fields.k = extent(problem.getK());
  fields.a = format::Type(*a);
  fields.b = format::Type(*b);
  fields.d = format::Type(*d);
  fields.c = format::valueOf<format::CUse>(format::kCWords, hopper::stringifyCUse(problem.getC()));
  fields.sfbRows = fit("rows of a scale of B", problem.getSfbRows());
  fields.gated = problem.getGated() != 0;
  fields.powerOfTwo = problem.getPowerOfTwo() != 0;
  if (StringAttr sfd = problem.getSfd()) {
    if (!toFormat(sfd))
      return entry.emitOpError("expected scale layouts k_major or mn_major, got ") << problem;
    fields.sfd = format::valueOf<format::ScaleOfD>(format::kScaleOfDWords, sfd.getValue());
  }
  if (failed(setActivation(problem.getActivation(), fields)))
    return failure();
  if (problem.getVectors() && failed(setVectors(problem, fields)))
    return failure();
  fields.sfa = *sfa;
  fields.sfb = *sfb;
  if (hopper::GroupsAttr groups = problem.getGroups()) {
    fields.grouping =
        format::valueOf<format::Grouping>(format::kGroupingWords, hopper::stringifyGrouping(groups.getBy()));
    fields.groups = fit("groups", groups.getCount());
    fields.align = fit("the alignment of groups", groups.getAlign());
    fields.weights = fit("the matrices of B", groups.getWeights());
  }
  // Packed matrices have no leading dimension that a launch could tell.
  fields.flat = fields.grouping == format::Grouping::KCount &&
                hasParam(hopper::ParamKind::matrix, hopper::Operand::a) &&
                !hasParam(hopper::ParamKind::leading_dimension, hopper::Operand::a);
  return format::writeProblem(fbb, fields);
}

FailureOr<flatbuffers::Offset<format::DebugRings>> ManifestBuilder::buildDebugRings() {
  hopper::DebugRingsAttr debug = entry.getDebugRingsAttr();
  if (!debug)
    return flatbuffers::Offset<format::DebugRings>();
  auto describe = [&](ArrayRef<MemRefType> buffers) {
    std::vector<std::string> types;
    for (MemRefType buffer : buffers) {
      types.emplace_back();
      llvm::raw_string_ostream os(types.back());
      llvm::interleave(buffer.getShape(), os, "x");
      os << 'x' << buffer.getElementType();
    }
    return fbb.CreateVectorOfStrings(types);
  };
  std::vector<flatbuffers::Offset<format::Ring>> rings;
  for (Type type : debug.getRings()) {
    auto ring = dyn_cast<hopper::RingType>(type);
    if (!ring)
      return entry.emitOpError("expected rings in 'debug_rings', got ") << type;
    auto tma = describe(ring.getTma()), warps = describe(ring.getWarps());
    rings.push_back(format::CreateRing(fbb, fit("stages", ring.getStages()), tma, warps,
                                       fit("readers", ring.getReaders()), fit("'cluster'", ring.getCluster())));
  }
  std::vector<flatbuffers::Offset<format::RingWait>> waits;
  for (hopper::RingWaitAttr wait : debug.getWaits())
    waits.push_back(format::CreateRingWait(fbb, toFormat(wait.getRole()), toFormat(wait.getUntil()),
                                           fit("the number of a ring", wait.getRing()),
                                           fbb.CreateString(wait.getAt().str())));
  auto ringVector = fbb.CreateVector(rings);
  auto waitVector = fbb.CreateVector(waits);
  return format::CreateDebugRings(fbb, fit("'limit_ms'", debug.getLimitMs()), ringVector, waitVector);
}

FailureOr<std::string> ManifestBuilder::build() {
  hopper::LaunchAttr launch = entry.getLaunch();
  FailureOr<flatbuffers::Offset<format::StoredProblem>> problem = buildProblem();
  if (failed(problem))
    return failure();
  std::vector<flatbuffers::Offset<format::Param>> params;
  for (unsigned index = 0; index < entry.getParams().size(); ++index) {
    FailureOr<flatbuffers::Offset<format::Param>> param = buildParam(index);
    if (failed(param))
      return failure();
    params.push_back(*param);
  }
  FailureOr<flatbuffers::Offset<format::DebugRings>> debugRings = buildDebugRings();
  if (failed(debugRings))
    return failure();
  auto name = fbb.CreateString(entry.getKernel().str());
  auto chipName = fbb.CreateString(chip.str());
  auto paramVector = fbb.CreateVector(params);
  auto config = fbb.CreateString(entry.getConfig() ? entry.getConfig()->describe() : "");
  auto ptxas = fbb.CreateString(cubin.ptxasVersion);
  auto llvm = fbb.CreateString(LLVM_VERSION_STRING);
  format::FinishManifestBuffer(
      fbb, format::CreateManifest(
               fbb, format::kManifestVersion, name, chipName, cubin.bytes.size(), *problem, paramVector,
               fit("threads", launch.getThreads()), fit("'smem_bytes'", int64_t(entry.getSmemBytes())),
               fit("'tile_m'", launch.getTileM()), fit("'tile_n'", launch.getTileN()),
               fit("'cluster_m'", launch.getClusterM()), fit("'cluster_n'", launch.getClusterN()),
               fit("'split_k'", launch.getSplitK()), fit("registers", cubin.usage.registers),
               fit("spilled bytes", cubin.usage.spillBytes()), fit("'workspace_bytes'", launch.getWorkspaceBytes()),
               config, ptxas, llvm, entry.getWaitsForPrevious(), *debugRings));
  if (!allFit)
    return failure();
  return std::string(reinterpret_cast<const char *>(fbb.GetBufferPointer()), fbb.GetSize());
}

} // namespace

FailureOr<std::string> buildManifest(hopper::EntryOp entry, StringRef chip, const Cubin &cubin) {
  return ManifestBuilder(entry, chip, cubin).build();
}

} // namespace fp8gemm::target
