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

static std::string toolName;

bool fp8gemm::toolError(const Twine &message) {
  WithColor::error(errs(), toolName) << message << '\n';
  return true;
}

/// Whether the next argument is this option's value.
static bool takesNext(const cl::Option &option) { return option.getValueExpectedFlag() == cl::ValueRequired; }

void fp8gemm::readCommandLine(int argc, char **argv, StringRef overview) {
  const auto &known = cl::getRegisteredOptions();
  StringRef file;
  for (int i = 1; i < argc; ++i) {
    StringRef argument = argv[i];
    if (argument == "--")
      break;
    if (argument.starts_with("-") && argument != "-") {
      auto [name, value] = argument.ltrim('-').split('=');
      auto option = known.find(name);
      if (option == known.end()) {
        toolError("unknown option '" + argument + "'; see " + toolName + " --help");
        std::exit(1);
      }
      i += takesNext(*option->second) && name.size() == argument.ltrim('-').size();
    } else if (argument.starts_with("@")) {
      break; // a file of arguments, which LLVM reads
    } else if (file.empty()) {
      file = argument;
    } else {
      toolError("expected one file, got '" + file + "' and '" + argument + "'");
      std::exit(1);
    }
  }
  cl::ParseCommandLineOptions(argc, argv, overview);
}

void fp8gemm::startTool(cl::OptionCategory &ours) {
  toolName = ours.getName().str();
  WithColor::setAutoDetectFunction(wantsColor);
  cl::HideUnrelatedOptions(ours);
  cl::SetVersionPrinter([name = ours.getName().str()](raw_ostream &os) { os << versionText(name); });
}
