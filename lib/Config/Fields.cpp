// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Configs as text. Nothing here knows a field by name.

#include "fp8gemm/Config/Config.h"

#include <charconv>
#include <string_view>

using namespace fp8gemm::config;

bool fp8gemm::config::operator==(const Config &lhs, const Config &rhs) {
  for (const Field &field : kFields)
    if (lhs.*field.member != rhs.*field.member)
      return false;
  return true;
}

static std::string_view trim(std::string_view text) {
  size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

static std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

/// "tile_m, tile_n ... or raster_group"
static std::string fieldNames() {
  std::string names;
  for (const Field &field : kFields) {
    if (&field != kFields)
      names += &field == std::end(kFields) - 1 ? " or " : ", ";
    names += field.name;
  }
  return names;
}

/// More than any field can be, and little enough for products of three.
static constexpr int64_t kMostOfField = int64_t(1) << 16;

static std::string parseItem(std::string_view item, Config &config) {
  size_t equals = item.find('=');
  std::string_view name = trim(item.substr(0, equals));
  std::string_view number = equals == std::string_view::npos ? std::string_view() : trim(item.substr(equals + 1));
  for (const Field &field : kFields) {
    if (name != field.name)
      continue;
    if (config.*field.member != kUnset)
      return "expected 'config' to set " + std::string(name) + " once, got it twice";
    int64_t value = 0;
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size() || value < field.least)
      return "expected " + std::string(name) + " in 'config' to be a number of at least " +
             std::to_string(field.least) + ", got " + quoted(number);
    if (value > kMostOfField)
      return "expected " + std::string(name) + " in 'config' to be at most " + std::to_string(kMostOfField) +
             ", got " + std::to_string(value);
    config.*field.member = value;
    return {};
  }
  return "expected 'config' to set " + fieldNames() + ", got " + quoted(name);
}

std::string fp8gemm::config::parse(const std::string &text, Config &config) {
  std::string_view rest = text;
  while (true) {
    size_t comma = rest.find(',');
    if (std::string error = parseItem(rest.substr(0, comma), config); !error.empty())
      return error;
    if (comma == std::string_view::npos)
      return {};
    rest.remove_prefix(comma + 1);
  }
}

static std::string print(const Config &config, bool usualToo) {
  std::string text;
  for (const Field &field : kFields) {
    int64_t value = config.*field.member;
    if (value != kUnset && (usualToo || value != field.usual))
      text += (text.empty() ? "" : ", ") + std::string(field.name) + " = " + std::to_string(value);
  }
  return text;
}

std::string fp8gemm::config::toString(const Config &config) { return print(config, /*usualToo=*/true); }

std::string fp8gemm::config::describe(const Config &config) { return print(config, /*usualToo=*/false); }
