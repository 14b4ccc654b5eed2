// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Parameters.h"

#include <map>
#include <string>

using namespace fp8gemm::python;

static std::string signatureOf(const Function &function) {
  std::string text = std::string(function.name) + "($self";
  for (const Parameter &parameter : function) {
    if (&parameter == function.begin() + function.positional)
      text += ", *";
    text += std::string(", ") + parameter.name + (parameter.usual ? std::string("=") + parameter.usual : "");
  }
  return text + ')';
}

/// "  name    what it is", and further lines below that.
static std::string docOf(const Parameter &parameter) {
  constexpr size_t kColumn = 14;
  std::string text = std::string("  ") + parameter.name + "  ";
  text.resize(text.size() < kColumn ? kColumn : text.size(), ' ');
  const std::string shape = parameter.shape.text ? parameter.shape.text + std::string("  ") : "";
  for (char letter : shape + parameter.doc) {
    text += letter;
    if (letter == '\n')
      text.append(kColumn, ' ');
  }
  return text + '\n';
}

const char *fp8gemm::python::docOf(const Function &function) {
  static std::map<std::string, std::string> docs;
  std::string &text = docs[function.name];
  if (!text.empty())
    return text.c_str();
  text = signatureOf(function) + "\n--\n\n" + function.summary + "\n\n";
  for (const Parameter &parameter : function)
    text += ::docOf(parameter);
  text +=
      std::string("\n") + function.notes +
      "Raises TypeError and ValueError for arguments before anything is launched, NotInPackError for a problem for\n"
      "which the pack has no kernels, Error for failures of the CUDA driver. Does not wait for the result.\n";
  return text.c_str();
}
