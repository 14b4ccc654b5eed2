// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the fake driver was asked, as JSON: for tests that aren't C++.

#include "RuntimeFakeDriver.h"

#include <sstream>

using namespace fp8gemm::test;

template <typename Range, typename Print> static void list(std::ostream &out, const Range &range, Print print) {
  const char *separator = "";
  out << '[';
  for (const auto &item : range) {
    out << separator;
    print(item);
    separator = ", ";
  }
  out << ']';
}

extern "C" {

/// Forgets what happened. Of each launch from now on the first `bytes[i]` bytes of parameter i are recorded.
void fakeCudaReset(const uint32_t *bytes, size_t count) {
  FakeCuda &fake = *fakeCuda();
  fake.calls.clear();
  fake.maps.clear();
  fake.launches.clear();
  fake.paramBytes.assign(bytes, bytes + count);
}

/// {"calls": [name], "maps": [...], "launches": [...]}; parameters are numbers of 8 bytes at most. Valid until the next
/// call.
const char *fakeCudaReport() {
  static std::string text;
  std::ostringstream out;
  auto number = [&](auto value) { out << uint64_t(value); };
  out << "{\"calls\": ";
  list(out, fakeCuda()->calls, [&](const std::string &name) { out << '"' << name << '"'; });
  out << ", \"maps\": ";
  list(out, fakeCuda()->maps, [&](const FakeMap &map) {
    out << "{\"address\": " << reinterpret_cast<uintptr_t>(map.address) << ", \"extents\": ";
    list(out, map.extents, number);
    out << ", \"strides\": ";
    list(out, map.strides, number);
    out << '}';
  });
  out << ", \"launches\": ";
  list(out, fakeCuda()->launches, [&](const FakeLaunch &launch) {
    out << "{\"grid\": " << launch.config.gridDimX << ", \"stream\": " << uintptr_t(launch.config.hStream)
        << ", \"dependent\": " << (launch.dependent ? "true" : "false") << ", \"params\": ";
    list(out, launch.params, [&](const std::string &bytes) {
      uint64_t value = 0;
      bytes.copy(reinterpret_cast<char *>(&value), sizeof(value));
      out << value;
    });
    out << '}';
  });
  out << '}';
  text = out.str();
  return text.c_str();
}

} // extern "C"
