// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Tool.h"

#include "Version.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace llvm;

static bool wantsColor(const raw_ostream &os) {
  const char *refused = std::getenv("NO_COLOR");
  return !(refused && *refused) && WithColor::defaultAutoDetectFunction()(os);
}

void fp8gemm::startTool(cl::OptionCategory &ours) {
  WithColor::setAutoDetectFunction(wantsColor);
  cl::HideUnrelatedOptions(ours);
  cl::SetVersionPrinter([name = ours.getName().str()](raw_ostream &os) { os << versionText(name); });
}
