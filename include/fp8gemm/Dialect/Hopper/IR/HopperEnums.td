// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef FP8GEMM_DIALECT_HOPPER_IR_HOPPERENUMS_TD
#define FP8GEMM_DIALECT_HOPPER_IR_HOPPERENUMS_TD

include "fp8gemm/Dialect/Hopper/IR/HopperDialect.td"
include "mlir/IR/EnumAttr.td"

def Hopper_Axis : I32Enum<"Axis", "rows or columns of an accumulator", [
    I32EnumCase<"rows", 0>, I32EnumCase<"columns", 1>]> {
  let cppNamespace = "::fp8gemm::hopper";
}

def Hopper_Filler : I32EnumAttr<"Filler", "filler of a slot", [
    I32EnumAttrCase<"tma", 0>, I32EnumAttrCase<"warps", 1>]> {
  let cppNamespace = "::fp8gemm::hopper";
}

def Hopper_ParamKind : I32Enum<"ParamKind", "kind of a kernel parameter", [
    I32EnumCase<"tensor_map", 0>, I32EnumCase<"matrix", 1>, I32EnumCase<"leading_dimension", 2>,
    I32EnumCase<"group_stride", 3>, I32EnumCase<"extent", 4>]> {
  let cppNamespace = "::fp8gemm::hopper";
}

def Hopper_Operand : I32Enum<"Operand", "operand or extent of the product that a kernel is passed", [
    I32EnumCase<"a", 0>, I32EnumCase<"b", 1>, I32EnumCase<"sfa", 2>,
    I32EnumCase<"sfb", 3>, I32EnumCase<"c", 4>, I32EnumCase<"d", 5>, I32EnumCase<"none", 6>,
    I32EnumCase<"groups", 7>, I32EnumCase<"workspace", 8>, I32EnumCase<"bias", 9>, I32EnumCase<"m", 10>,
    I32EnumCase<"x", 11>, I32EnumCase<"k", 12>,
    // Operands of an epilogue, in its order.
    I32EnumCase<"epilogue_0", 13>, I32EnumCase<"epilogue_1", 14>, I32EnumCase<"epilogue_2", 15>,
    I32EnumCase<"epilogue_3", 16>, I32EnumCase<"epilogue_4", 17>, I32EnumCase<"epilogue_5", 18>,
    I32EnumCase<"epilogue_6", 19>, I32EnumCase<"epilogue_7", 20>,
    I32EnumCase<"sfd", 21>]> {
  let cppNamespace = "::fp8gemm::hopper";
}

def Hopper_Grouping : I32Enum<"Grouping", "how groups are described", [
    I32EnumCase<"row_index", 0>, I32EnumCase<"row_end", 1>, I32EnumCase<"row_count", 2>,
    I32EnumCase<"batched", 3>, I32EnumCase<"k_count", 4>]> {
  let cppNamespace = "::fp8gemm::hopper";
}

def Hopper_CUse : I32Enum<"CUse", "whether C is added, and where it is", [
    I32EnumCase<"none", 0>, I32EnumCase<"apart", 1>, I32EnumCase<"in_place", 2>]> {
  let cppNamespace = "::fp8gemm::hopper";
}

def Hopper_WarpRole : I32Enum<"WarpRole", "role of a warp", [
    I32EnumCase<"producer", 0>, I32EnumCase<"helper", 1>, I32EnumCase<"consumer", 2>]> {
  let cppNamespace = "::fp8gemm::hopper";
}

def Hopper_StageState : I32Enum<"StageState", "state of a stage that an access waits for", [
    I32EnumCase<"empty", 0>, I32EnumCase<"full", 1>]> {
  let cppNamespace = "::fp8gemm::hopper";
}

def Hopper_FenceKind : I32EnumAttr<"FenceKind", "accesses that a fence orders", [
    I32EnumAttrCase<"mbarrier_init", 0>, I32EnumAttrCase<"async_shared", 1>, I32EnumAttrCase<"wgmma", 2>]> {
  let cppNamespace = "::fp8gemm::hopper";
}

def Hopper_Dependence : I32EnumAttr<"Dependence", "dependence on another kernel of the stream", [
    I32EnumAttrCase<"wait", 0>, I32EnumAttrCase<"launch_dependents", 1>]> {
  let cppNamespace = "::fp8gemm::hopper";
}

def Hopper_TileKind : I32Enum<"TileKind", "how CTAs share tiles, and how a tile's group is found", [
    I32EnumCase<"plain", 0>, I32EnumCase<"split_k", 1>, I32EnumCase<"batched", 2>, I32EnumCase<"rows_by_table", 3>,
    I32EnumCase<"rows_by_index", 4>, I32EnumCase<"k_by_table", 5>]> {
  let cppNamespace = "::fp8gemm::hopper";
}

#endif // FP8GEMM_DIALECT_HOPPER_IR_HOPPERENUMS_TD
