// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table of operands: whatever vector it has, each layer of the runtime knows it.

#include "CApi.h"
#include "RuntimeGroupedFixture.h"
#include "RuntimeTestPack.h"

#include <set>

using namespace fp8gemm;
using namespace fp8gemm::test;
using format::OperandRow;

namespace {

TEST(Operands, AreToldApart) {
  std::set<std::string> names;
  for (const OperandRow &row : format::kOperands) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(format::findOperand(row.name), &row);
    EXPECT_EQ(format::rowOf(row.operand), &row);
    EXPECT_EQ(row.elementField != nullptr, row.element == nullptr) << row.name;
  }
  EXPECT_EQ(format::findOperand("m"), nullptr);
  EXPECT_EQ(format::rowOf(format::Operand::None), nullptr);
  EXPECT_EQ(format::rowOf(format::Operand(format::kOperandCount)), nullptr);
}

TEST(Operands, FieldsOfAKernelsInfo) {
  for (const format::InfoPlace &place : format::kInfoPlaces) {
    format::Problem problem, before;
    set(problem, *place.field, 5);
    fp8gemm_kernel_info info{};
    format::writeProblem(problem, info);
    EXPECT_EQ(get(format::readProblem(info), *place.field), 5) << place.field->name;
    EXPECT_NE(format::readProblem(info), before) << place.field->name;
    EXPECT_EQ(place.bytes, place.field->bytes) << place.field->name;
  }
}

/// Calls `test` for each vector, each grouping that has it, and each type of its elements.
template <typename Test> void forEachVector(Test test) {
  for (const OperandRow &row : format::kOperands)
    for (const format::Word &word : format::kGroupingWords)
      for (const format::Word &type : row.elementField ? row.elementField->words : format::Words())
        if (auto grouping = format::Grouping(word.value);
            isOptionalVector(row) && (row.presence->mayHave & setOf(grouping)) && type.value != 0) {
          SCOPED_TRACE(std::string(row.name) + ' ' + word.name + ' ' + type.name);
          test(row, grouping, type.value);
        }
}

/// A kernel that is passed the vector.
ManifestSpec specOf(const OperandRow &row, format::Grouping grouping, int64_t type) {
  ManifestSpec spec = grouping == format::Grouping::None ? ManifestSpec() : grouped(grouping);
  spec.fields.push_back({row.presence, type});
  spec.params.push_back({format::ParamKind::Pointer, row.operand});
  return spec;
}

template <typename Args> const format::ArgumentPlace &placeOf(const OperandRow &row) {
  return *std::find_if(std::begin(format::Arguments<Args>::kPlaces), std::end(format::Arguments<Args>::kPlaces),
                       [&](const format::ArgumentPlace &place) { return place.operand == row.operand; });
}

fp8gemm_status launch(fp8gemm_kernel *kernel, const fp8gemm_gemm_args &args) {
  return fp8gemm_gemm(kernel, &args, nullptr);
}
fp8gemm_status launch(fp8gemm_kernel *kernel, const fp8gemm_grouped_gemm_args &args) {
  return fp8gemm_grouped_gemm(kernel, &args, nullptr);
}

class Vectors : public Grouped {
protected:
  /// Launches with the vector at an address: passed to the kernel, or an error that says `error`.
  template <typename Args> void expect(Args args, const OperandRow &row, void *data, const std::string &error) {
    fake().launches.clear();
    format::writeArgument(args, placeOf<Args>(row), {data, 0, 0});
    fp8gemm_status status = ::launch(kernel, args);
    if (!error.empty())
      return Gemm::expect(status, FP8GEMM_INVALID_ARGUMENT, error);
    ASSERT_EQ(status, FP8GEMM_OK) << fp8gemm_last_error();
    ASSERT_EQ(fake().launches.size(), 1u);
    EXPECT_EQ(as<void *>(fake().launches[0].params.back()), data);
  }

  template <typename Args>
  void check(const Args &args, const OperandRow &row, format::Grouping grouping, int64_t type) {
    const std::string name = row.name;
    ManifestSpec spec = specOf(row, grouping, type);
    open(spec);
    fp8gemm_kernel_info info{};
    info.size = sizeof(info);
    ASSERT_EQ(fp8gemm_kernel_get_info(kernel, &info), FP8GEMM_OK);
    EXPECT_EQ(get(format::readProblem(info), *row.presence), type);
    expect(args, row, address(0x9'0000'0000), "");
    expect(args, row, nullptr, "expected '" + name + "' to be a device pointer, got null");
    expect(args, row, address(0x9'0000'0001), "expected the pointer of '" + name + "' to be a multiple of ");
    expect(args, row, args.d.data, "expected 'd' not to overlap '" + name + "'");
    // Another kernel, without it.
    spec.fields.clear(), spec.params.pop_back();
    open(spec);
    expect(args, row, address(0x9'0000'0000),
           "expected '" + name + "' to be null, since kernel 'gemm_test' takes none");
  }
};

TEST_F(Vectors, AreKnownToLaunches) {
  forEachVector([&](const OperandRow &row, format::Grouping grouping, int64_t type) {
    if (grouping == format::Grouping::None)
      check(goodArgs(), row, grouping, type);
    else
      check(arguments(grouping), row, grouping, type);
  });
}

TEST_F(Vectors, AreKnownToManifests) {
  forEachVector([&](const OperandRow &row, format::Grouping grouping, int64_t type) {
    ManifestSpec spec = specOf(row, grouping, type);
    auto error = [&] { return errorOf(spec); };
    EXPECT_EQ(error(), "");
    spec.fields.back().second = 0;
    EXPECT_NE(error().find("expected an operand that suits its kind and the problem"), std::string::npos) << error();
    spec.fields.back().second = 77;
    EXPECT_NE(error().find("expected '" + std::string(row.presence->name) + "' to be one of "), std::string::npos);
  });
}

TEST_F(Vectors, OfGroupsAlongKAreRefused) {
  for (const OperandRow &row : format::kOperands)
    if (isOptionalVector(row) && !(row.presence->mayHave & format::kAlongK)) {
      ManifestSpec spec = specOf(row, format::Grouping::KCount, row.presence->words.end()[-1].value);
      EXPECT_NE(errorOf(spec).find("expected no " + std::string(row.name) + " with grouping k_count, got "),
                std::string::npos);
    }
}

} // namespace
