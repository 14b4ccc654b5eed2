// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Report.h"

#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <cstdio>

namespace fp8gemm::run {

static double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

static double tflops(const Report &report) {
  return 2.0 * report.m * report.n * report.k / median(report.microseconds) * 1e-6;
}

void Report::printText() const {
  std::printf("kernel   %s\n", kernel.c_str());
  if (!config.empty() && onGpu)
    std::printf("config   %s\n", config.c_str());
  std::printf("device   %s: %s\n", onGpu ? "gpu" : "cpu", device.c_str());
  std::printf("problem  m = %" PRId64 ", n = %" PRId64 ", k = %" PRId64 "; normal data, seed %" PRIu64, m, n, k, seed);
  std::printf(pad ? "; rows padded by %" PRId64 " bytes\n" : "\n", pad);
  if (check) {
    std::printf("check    %s: %zu of %" PRId64 " rows, all columns, against float64\n", held() ? "held" : "FAILED",
                check->rows.size(), m);
    std::printf("         worst error %.3f of its bound; relative error of a row %.5f (at most %.5f)\n", check->worst,
                check->relative, kRelativeBound);
    if (held())
      std::printf("         no NaN in D; guard zones intact%s\n", repeated ? "; two runs gave the same bits" : "");
    if (check->failures)
      std::printf("         %" PRId64 " elements beyond their bound, the worst D[%" PRId64 ", %" PRId64
                  "]: expected %.9g, got %.9g\n",
                  check->failures, check->worstRow, check->worstColumn, check->worstReference, check->worstGot);
    if (check->notANumber)
      std::printf("         %" PRId64
                  " elements of D are NaN: not written, or computed from what lies around an input\n",
                  check->notANumber);
    if (check->guardDamage)
      std::printf("         %" PRId64 " bytes around D's elements were overwritten\n", check->guardDamage);
    if (inputDamage)
      std::printf("         %" PRId64 " bytes of the inputs or around them were overwritten\n", inputDamage);
    if (differentElements)
      std::printf("         %" PRId64 " elements differ between two runs on the same inputs\n", differentElements);
  }
  if (!microseconds.empty())
    std::printf(
        "bench    %.2f us, %.0f TFLOPS (median of %zu launches with a cold L2; fastest %.2f us); the call %.2f us\n",
        median(microseconds), tflops(*this), microseconds.size(),
        *std::min_element(microseconds.begin(), microseconds.end()), hostMicroseconds);
}

/// How many bytes the UTF-8 character at `i` has, 0 if there is none.
static size_t utf8Bytes(const std::string &text, size_t i) {
  unsigned char first = text[i];
  size_t count = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : (first & 0xf0) == 0xe0 ? 3 : 4;
  if (first >= 0x80 && (first < 0xc2 || first > 0xf4))
    return 0;
  for (size_t k = 1; k < count; ++k)
    if (i + k >= text.size() || (text[i + k] & 0xc0) != 0x80)
      return 0;
  // The shortest form only, no halves of surrogates, nothing beyond U+10FFFF.
  unsigned char second = count > 1 ? text[i + 1] : 0;
  bool isWrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                 (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return isWrong ? 0 : count;
}

std::string quoted(const std::string &text) {
  std::string result = "\"";
  for (size_t i = 0, count; i < text.size(); i += count ? count : 1) {
    unsigned char c = text[i];
    count = utf8Bytes(text, i);
    char escape[8];
    std::snprintf(escape, sizeof(escape), "\\u%04x", count ? c : 0xfffd); // the replacement character
    if (c < 0x20 || !count)
      result += escape;
    else
      result += (c == '"' || c == '\\' ? "\\" : "") + text.substr(i, count);
  }
  return result + '"';
}

/// JSON has no infinity and no NaN.
static std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return std::isfinite(value) ? text : "null";
}

void Report::printJson() const {
  std::printf("{\"kernel\": %s, \"device\": \"%s\", \"device_name\": %s, \"m\": %" PRId64 ", \"n\": %" PRId64
              ", \"k\": %" PRId64 ", \"seed\": %" PRIu64 ", \"pad_bytes\": %" PRId64,
              quoted(kernel).c_str(), onGpu ? "gpu" : "cpu", quoted(device).c_str(), m, n, k, seed, pad);
  if (check) {
    std::printf(", \"check\": {\"held\": %s, \"rows\": %zu, \"worst_error_over_bound\": %s, \"relative_error\": %s, "
                "\"beyond_bound\": %" PRId64 ", \"nan\": %" PRId64 ", \"guard_bytes_changed\": %" PRId64
                ", \"input_bytes_changed\": %" PRId64,
                held() ? "true" : "false", check->rows.size(), number(check->worst).c_str(),
                number(check->relative).c_str(), check->failures, check->notANumber, check->guardDamage, inputDamage);
    if (repeated)
      std::printf(", \"elements_changed_on_repeat\": %" PRId64, differentElements);
    std::printf("}");
  }
  if (!microseconds.empty()) {
    std::printf(", \"bench\": {\"us\": %s, \"tflops\": %s, \"host_us\": %s, \"all_us\": [",
                number(median(microseconds)).c_str(), number(tflops(*this)).c_str(), number(hostMicroseconds).c_str());
    for (size_t i = 0; i < microseconds.size(); ++i)
      std::printf("%s%s", i ? ", " : "", number(microseconds[i]).c_str());
    std::printf("]}");
  }
  std::printf("}\n");
}

} // namespace fp8gemm::run
