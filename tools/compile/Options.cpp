// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Options.h"

#include "ProblemOptions.h"
#include "Tool.h"
#include "fp8gemm/Target/CudaTools.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/WithColor.h"

#include <limits>

using namespace llvm;
using fp8gemm::Answer;
using fp8gemm::Emit;

static fp8gemm::CompileOptions options;
static fp8gemm::PipelineOptions &pipeline = options.pipeline;

static cl::OptionCategory category("fp8gemm-compile");
template <typename T> using Opt = cl::opt<T>;
template <typename T> using To = cl::opt<T, /*ExternalStorage=*/true>;
template <typename T> using Word = cl::opt<T, /*ExternalStorage=*/true, fp8gemm::WordParser<T>>;
/// An integer as it is written: readNumber says its range where it is another one.
using Number = cl::opt<std::string>;
static const cl::value_desc integer("integer");

static To<std::string> input(cl::Positional, cl::desc("FILE.mlir, at any level; - for stdin"),
                             cl::location(options.input), cl::cat(category));
static To<std::string> output("o",
                              cl::desc("file, FOLDER/ (one file per kernel), or - for stdout (default: stdout for "
                                       "text, KERNEL.cubin for cubin)"),
                              cl::value_desc("path"), cl::location(options.output), cl::cat(category));
static Word<Emit> emit("emit", cl::desc("what to write (default: cubin)"), cl::location(options.emit), cl::cat(category),
                     cl::values(clEnumValN(Emit::Mlir, "mlir", "the input"),
                                clEnumValN(Emit::Config, "config", "+ the chosen schedules"),
                                clEnumValN(Emit::Hopper, "hopper", "+ the kernels: roles, rings, TMA, mma"),
                                clEnumValN(Emit::NVVM, "nvvm", "kernels in nvvm and scf"),
                                clEnumValN(Emit::LLVM, "llvm", "kernels in the LLVM dialect"),
                                clEnumValN(Emit::Ptx, "ptx", "PTX"),
                                clEnumValN(Emit::Sass, "sass", "machine code as text (needs nvdisasm or cuobjdump)"),
                                clEnumValN(Emit::Manifest, "manifest", "the manifest that the runtime reads, as JSON"),
                                clEnumValN(Emit::Cubin, "cubin", "kernel files: cubin + manifest")));

static ProblemOptions problem(category);
static To<std::string> gpu("gpu", cl::desc("GPU for which times are modelled (default: h100-sxm)"),
                           cl::location(pipeline.gpu.getValue()), cl::cat(category));
static Number expectedM("expected-m", cl::desc("rows (of each group) to model if M is any (default: 4096)"), integer,
                        cl::cat(category));
static To<std::string> config("config", cl::desc("schedule to use, e.g. 'tile_m = 128, tile_n = 128, stages = 5'"),
                              cl::location(pipeline.config.getValue()), cl::cat(category));
static To<bool> batchInvariant("batch-invariant",
                               cl::desc("only schedules with which a row of D has the same bits for every M"),
                               cl::location(pipeline.batchInvariant.getValue()), cl::cat(category));
static const auto answers =
    cl::values(clEnumValN(Answer::Text, "", "as a table"), clEnumValN(Answer::Text, "text", "as a table"),
               clEnumValN(Answer::Json, "json", "for programs"));
static Word<Answer> explain("explain", cl::ValueOptional,
                          cl::desc("print the candidate schedules, fastest first, with their modelled times; "
                                   "compile only if there is -o"),
                          cl::location(options.explain), answers, cl::cat(category));
static Number candidates("candidates", cl::desc("schedules that --explain prints for each product (default: all)"), integer,
                         cl::cat(category));
static Word<Answer> plan("plan", cl::ValueOptional,
                       cl::desc("print which kernel serves which M; with -o FOLDER/, compile these kernels"),
                       cl::location(options.plan), answers, cl::cat(category));
static Number maxM("max-m", cl::desc("rows up to which --plan is modelled (default: 8192)"), integer, cl::cat(category));
static To<std::string>
    pack("pack",
         cl::desc("compile all problems of a list (.json, .yaml; - for JSON on stdin), or all products of a module "
                  "(.mlir), to one file, -o MODEL.fp8pack, with a plan of which kernel serves which M (docs/Runtime.md)"),
         cl::value_desc("problems"), cl::location(options.pack), cl::cat(category));
static To<std::string> model(
    "model",
    cl::desc("compile all products that an engine asks for of a model whose weights are FP8 with a scale for 128x128, "
             "by its config.json (- for stdin), to -o MODEL.fp8pack; without -o, or with -o LIST.json, "
             "print the list that --pack takes (docs/Serving.md)"),
    cl::value_desc("config.json"), cl::location(options.model), cl::cat(category));
using Engine = fp8gemm::ModelOptions::Engine;
static Word<Engine>
    engine("engine", cl::desc("who calls, for --model (default: vllm)"), cl::location(options.modelOptions.engine),
           cl::cat(category),
           cl::values(clEnumValN(Engine::Vllm, "vllm", "groups by their ends, warm-up by an index of each row"),
                      clEnumValN(Engine::Sglang, "sglang", "groups by an index of each row")));
static Number tp("tp", cl::desc("GPUs that attention and dense layers are split over, for --model (default: 1)"),
                 integer, cl::cat(category));
static Number ep("ep", cl::desc("GPUs that experts are spread over, for --model (default: 1, split like the rest)"),
                 integer, cl::cat(category));
static To<std::string> cache("cache", cl::desc("folder to keep kernels of --pack in, and to take them from"),
                             cl::value_desc("folder"), cl::location(options.cache), cl::cat(category));
static Number jobs("jobs", cl::desc("threads that compile for --pack (default: one per processor)"), integer, cl::cat(category));
static To<bool> quiet("quiet", cl::desc("do not print the progress of --pack"), cl::location(options.quiet), cl::cat(category));
static To<std::string> chip("chip", cl::desc("GPU architecture; sm_90a is the only one built"),
                            cl::location(pipeline.chip.getValue()), cl::cat(category));
static To<std::string> ptxas("ptxas", cl::desc("path of ptxas (default: searched for as described below)"),
                             cl::location(pipeline.ptxas.getValue()), cl::cat(category));
static To<bool> allowSpills("allow-spills", cl::desc("accept kernels that spill, use local memory or cause C75xx warnings"),
                            cl::location(pipeline.allowSpills.getValue()), cl::cat(category));
static To<bool> lineinfo("lineinfo", cl::desc("map machine code to lines of the hopper level, OUTPUT.hopper.mlir"),
                         cl::location(pipeline.lineinfo.getValue()), cl::cat(category));
/// Long for a kernel, short for a person.
static constexpr unsigned kWaitMs = 1000, kMaxWaitMs = 1000000;
static Opt<std::string> debugRings("debug-rings", cl::ValueOptional, cl::value_desc("ms"),
                                cl::desc("debug build: a wait on a ring that exceeds this time (default: 1000) reports "
                                         "which role waits for what, and traps (docs/Debugging.md)"),
                                cl::cat(category));
static To<bool> time_("time", cl::desc("print the seconds of each phase on stderr"), cl::location(options.time),
                      cl::cat(category));
static To<bool> report("report", cl::desc("print a report of each kernel on stderr"), cl::location(options.report),
                       cl::cat(category));

static constexpr const char kExamples[] = R"(
EXAMPLES:
  fp8gemm-compile --op=gemm --n=256 --k=512 --report           # a kernel file in this folder, for any M
  fp8gemm-compile --op=gemm --n=256 --k=512 --emit=mlir -o gemm.mlir
  fp8gemm-compile gemm.mlir -o gemm.cubin                      # - for standard input, -o - for standard output
  fp8gemm-compile gemm.mlir --emit=hopper -o gemm.hopper.mlir  # to read or edit, and to compile further
  fp8gemm-compile gemm.hopper.mlir -o gemm.cubin
  fp8gemm-compile --op=gemm --n=7168 --k=2048 --explain --candidates=3
  echo '{"gpu": "h200-sxm", "problems": [{"op": "gemm", "n": 256, "k": 512}]}' >model.json
  fp8gemm-compile --pack=model.json -o model.fp8pack
)";

static bool usage(const Twine &message) { return !fp8gemm::toolError(message); }

/// The range in which extents are stored, and more threads or lines than anyone needs.
static constexpr int64_t kMaxExtent = std::numeric_limits<int32_t>::max(), kMaxCount = 100000;

/// The value of an option that is there, from `least` to `most`.
template <typename T>
static bool readNumber(const Number &option, int64_t least, int64_t most, T &value, StringRef orElse = "") {
  StringRef text = option;
  int64_t number = 0;
  if (!option.getNumOccurrences())
    return true;
  if (text.getAsInteger(10, number) || number < least || number > most)
    return usage("expected --" + option.ArgStr + " to be an integer from " + Twine(least) + " to " + Twine(most) + orElse +
                 ", got '" + text + "'");
  value = T(number);
  return true;
}

/// Of a model's problems only how it is split and called is said here.
static bool checkModel() {
  const SmallVector<const cl::Option *> usable{&model, &engine, &tp,    &ep,          &output, &cache,         &jobs,
                                               &quiet, &gpu,    &ptxas, &allowSpills, &maxM,   &batchInvariant};
  if (input.getNumOccurrences() || pack.getNumOccurrences())
    return usage("expected --model, --pack or FILE.mlir, got two of them");
  for (const auto &[name, option] : cl::getRegisteredOptions())
    if (option->getNumOccurrences() && is_contained(option->Categories, &category) && !is_contained(usable, option))
      return usage(
          "expected only --engine, --tp, --ep, -o, --cache, --jobs, --quiet, --gpu, --ptxas, --allow-spills, --max-m "
          "and --batch-invariant with --model, got --" +
          name);
  return readNumber(tp, 1, kMaxCount, options.modelOptions.tp) && readNumber(ep, 1, kMaxCount, options.modelOptions.ep);
}

/// A pack's problems are in its file, and so are their options, but for those of a module.
static bool checkPack() {
  if (options.output.empty())
    return usage("expected -o MODEL.fp8pack with --pack, got none");
  bool isModule = StringRef(options.pack).ends_with(".mlir");
  SmallVector<const cl::Option *> usable{&pack, &output, &cache, &jobs, &quiet, &gpu, &ptxas, &allowSpills,
                                          &debugRings};
  if (isModule)
    usable.append({&maxM, &batchInvariant});
  else if (!gpu.getNumOccurrences())
    pipeline.gpu = ""; // that of the list
  if (input.getNumOccurrences())
    return usage("expected FILE.mlir or --pack, got both");
  for (const auto &[name, option] : cl::getRegisteredOptions())
    if (option->getNumOccurrences() && is_contained(option->Categories, &category) && !is_contained(usable, option))
      return usage("expected only -o, --cache, --jobs, --quiet, --gpu, --ptxas, --allow-spills and --debug-rings with --pack" +
                   Twine(isModule ? ", --max-m and --batch-invariant with that of a module" : "") + ", got --" + name);
  return true;
}

/// The limit of --debug-rings, whose value may be left out.
static bool readDebugRings() {
  if (!debugRings.getNumOccurrences())
    return true;
  unsigned limit = kWaitMs;
  if (!debugRings.empty() && (StringRef(debugRings).getAsInteger(10, limit) || limit < 1 || limit > kMaxWaitMs))
    return usage("expected --debug-rings=MS, in [1, " + Twine(kMaxWaitMs) + "], got '" +
                 StringRef(debugRings) + "'");
  pipeline.debugRings = limit;
  return true;
}

/// Options that mean nothing without another one, or beside it.
static bool checkCompanions() {
  if (!problem.isGiven() && !problem.givenField().empty())
    return usage("expected --" + problem.givenField() + " only with --op, got it with '" + options.input + "'");
  const bool makesFiles = options.emit == Emit::Cubin && !(options.answers() && options.output.empty());
  const struct {
    const cl::Option &option;
    bool isUsed;
    const char *needed;
  } companions[] = {{maxM, options.plan != Answer::None, "--plan, --model and --pack=MODULE.mlir"},
                    {candidates, options.explain != Answer::None, "--explain"},
                    {report, makesFiles, "kernel files (--emit=cubin)"}};
  for (const auto &[option, isUsed, needed] : companions)
    if (option.getNumOccurrences() && !isUsed)
      return usage("expected --" + option.ArgStr + " only with " + needed);
  return true;
}

/// Whether the options go together; fills in the problem.
static bool check() {
  int64_t expected = pipeline.expectedM;
  if (!readDebugRings() || !readNumber(expectedM, 1, kMaxExtent, expected) ||
      !readNumber(maxM, 1, kMaxExtent, options.maxM) || !readNumber(jobs, 0, kMaxCount, options.jobs) ||
      !readNumber(candidates, 0, kMaxCount, options.candidates))
    return false;
  pipeline.expectedM = expected;
  if (model.getNumOccurrences())
    return checkModel();
  if (engine.getNumOccurrences() || tp.getNumOccurrences() || ep.getNumOccurrences())
    return usage("expected --engine, --tp and --ep only with --model");
  if (!options.pack.empty())
    return checkPack();
  if (cache.getNumOccurrences() || jobs.getNumOccurrences() || quiet.getNumOccurrences())
    return usage("expected --cache, --jobs and --quiet only with --pack or --model");
  if (!problem.isGiven() && options.input.empty())
    return usage("expected FILE.mlir, or a problem such as --op=gemm --m=any --n=7168 --k=2048, got neither");
  if (problem.isGiven() && !options.input.empty())
    return usage("expected FILE.mlir or --op, got both");
  if (options.answers() && (options.output == "-" || (emit.getNumOccurrences() && options.output.empty())))
    return usage("expected -o to name a file or FOLDER/ beside --explain or --plan, which is printed on stdout");
  if (options.explain != Answer::None && options.plan != Answer::None)
    return usage("expected --explain or --plan, got both");
  if (options.plan != Answer::None && !pipeline.config.empty())
    return usage("expected --config or --plan, which chooses them, got both");
  if (!checkCompanions())
    return false;
  if (!problem.isGiven())
    return true;
  Expected<fp8gemm::format::Problem> read = problem.read();
  if (!read)
    return usage(toString(read.takeError()));
  options.problem = *read;
  return true;
}

fp8gemm::CompileOptions *fp8gemm::readCompileOptions(int argc, char **argv) {
  startTool(category);
  std::string more = kExamples + std::string("\nptxas, nvdisasm and cuobjdump are looked for in ") +
                     fp8gemm::target::kToolSearchOrder + ".\n";
  cl::extrahelp help(more);
  readCommandLine(argc, argv, "compiles block-scaled FP8 products to Hopper kernel files\n");
  return check() ? &options : nullptr;
}
