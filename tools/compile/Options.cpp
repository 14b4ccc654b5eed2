// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Options.h"

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
/// An integer as it is written: readNumber says its range where it is another one.
using Number = cl::opt<std::string>;
static const cl::value_desc integer("integer");

static To<std::string> input(cl::Positional, cl::desc("FILE.mlir, at any level; - for stdin"),
                             cl::location(options.input), cl::cat(category));
static To<std::string> output("o",
                              cl::desc("file, FOLDER/ (one file per kernel), or - for stdout (default: stdout for "
                                       "text, KERNEL.cubin for cubin)"),
                              cl::value_desc("path"), cl::location(options.output), cl::cat(category));
static To<Emit> emit("emit", cl::desc("what to write (default: cubin)"), cl::location(options.emit), cl::cat(category),
                     cl::values(clEnumValN(Emit::Mlir, "mlir", "the input"),
                                clEnumValN(Emit::Config, "config", "+ the chosen schedules"),
                                clEnumValN(Emit::Hopper, "hopper", "+ the kernels: roles, rings, TMA, mma"),
                                clEnumValN(Emit::NVVM, "nvvm", "kernels in nvvm and scf"),
                                clEnumValN(Emit::LLVM, "llvm", "kernels in the LLVM dialect"),
                                clEnumValN(Emit::Ptx, "ptx", "PTX"),
                                clEnumValN(Emit::Sass, "sass", "machine code as text (needs nvdisasm or cuobjdump)"),
                                clEnumValN(Emit::Manifest, "manifest", "the manifest that the runtime reads, as JSON"),
                                clEnumValN(Emit::Cubin, "cubin", "kernel files: cubin + manifest")));

enum class Operation { None, Gemm, GroupedGemm, KGroupedGemm };
enum class Layout { KMajor, MnMajor };
static Opt<Operation>
    op("op", cl::desc("a problem instead of a file"), cl::init(Operation::None), cl::cat(category),
       cl::values(clEnumValN(Operation::Gemm, "gemm", "D[m,n] = C + A[m,k] * B[n,k]^T, block-scaled"),
                  clEnumValN(Operation::GroupedGemm, "grouped_gemm", "groups of rows of A, each with its own B"),
                  clEnumValN(Operation::KGroupedGemm, "k_grouped_gemm", "groups along K, each with its own C and D")));
static Opt<std::string> m("m", cl::desc("rows of A and D, or any (default: any)"), cl::init("any"), cl::cat(category));
static Number n("n", cl::desc("rows of B, columns of D"), integer, cl::cat(category));
static Opt<std::string> k("k", cl::desc("columns of A and B; for k_grouped_gemm of all groups together, or any (its default)"),
                          cl::cat(category));
using fp8gemm::config::Grouping;
static Number groups("groups", cl::desc("groups, each with its own B or D"), integer, cl::cat(category));
static Opt<Grouping> grouping("grouping", cl::desc("how groups of rows are described on the device"),
                              cl::init(Grouping::None), cl::cat(category),
                              cl::values(clEnumValN(Grouping::RowIndex, "row_index", "the group of each row"),
                                         clEnumValN(Grouping::RowEnd, "row_end", "the end of each group's rows"),
                                         clEnumValN(Grouping::RowCount, "row_count", "the rows used of each group's M"),
                                         clEnumValN(Grouping::Batched, "batched", "not described: each has M rows")));
static Number align("align",
                    cl::desc("multiple of rows at which groups start, for row_index and row_end (default: 1)"), integer,
                    cl::cat(category));
static Opt<bool> flattened("flattened", cl::desc("A and B are the packed matrices of the groups, for k_grouped_gemm"),
                           cl::cat(category));
using Problem = fp8gemm::GemmProblem;
static Opt<Problem::Recipe> recipe("recipe",
                                   cl::desc("blocks of B that share a scale (default: 1d2d; k_grouped_gemm has 1d1d)"),
                                   cl::init(Problem::Recipe::OneD2D), cl::cat(category),
                                   cl::values(clEnumValN(Problem::Recipe::OneD2D, "1d2d", "128x128"),
                                              clEnumValN(Problem::Recipe::OneD1D, "1d1d", "1x128, as of A")));
static const auto f8Types =
    cl::values(clEnumValN(Problem::F8::E4M3, "e4m3", "f8E4M3FN"), clEnumValN(Problem::F8::E5M2, "e5m2", "f8E5M2"));
static Opt<Problem::F8> aType("a-type", cl::desc("elements of A (default: e4m3)"), cl::init(Problem::F8::E4M3), f8Types,
                              cl::cat(category));
static Opt<Problem::F8> bType("b-type", cl::desc("elements of B (default: e4m3)"), cl::init(Problem::F8::E4M3), f8Types,
                              cl::cat(category));
static Opt<Problem::Result> dType("d-type", cl::desc("elements of C and D (default: bf16)"),
                                  cl::init(Problem::Result::BF16), cl::cat(category),
                                  cl::values(clEnumValN(Problem::Result::BF16, "bf16", "rounded once, at the end"),
                                             clEnumValN(Problem::Result::F32, "f32", "as accumulated")));
static Opt<Problem::C> c("c", cl::desc("C to add (default: none)"), cl::init(Problem::C::None), cl::cat(category),
                         cl::values(clEnumValN(Problem::C::None, "none", "D = A * B^T"),
                                    clEnumValN(Problem::C::Apart, "apart", "D = C + A * B^T"),
                                    clEnumValN(Problem::C::InPlace, "in_place", "D += A * B^T")));
static const auto layouts = cl::values(clEnumValN(Layout::MnMajor, "mn_major", "[ceil(K/128), M or blocks of N]"),
                                       clEnumValN(Layout::KMajor, "k_major", "[M or blocks of N, ceil(K/128)]"));
static Opt<Layout> sfa("sfa", cl::desc("storage of A's scales (default: mn_major)"), cl::init(Layout::MnMajor), layouts,
                       cl::cat(category));
static Opt<Layout> sfb("sfb", cl::desc("storage of B's scales (default: k_major)"), cl::init(Layout::KMajor), layouts,
                       cl::cat(category));

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
static To<Answer> explain("explain", cl::ValueOptional,
                          cl::desc("print the candidate schedules, fastest first, with their modelled times; "
                                   "compile only if there is -o"),
                          cl::location(options.explain), answers, cl::cat(category));
static Number candidates("candidates", cl::desc("schedules that --explain prints for each product (default: all)"), integer,
                         cl::cat(category));
static To<Answer> plan("plan", cl::ValueOptional,
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
static To<Engine>
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

static bool usage(const Twine &message) {
  WithColor::error(errs(), "fp8gemm-compile") << message << '\n';
  return false;
}

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

/// The same, or none for `any`.
static bool readExtent(const Number &option, int64_t least, std::optional<int64_t> &value) {
  int64_t number = 0;
  if (!option.getNumOccurrences() || option == "any")
    return true;
  if (!readNumber(option, least, kMaxExtent, number, " or 'any'"))
    return false;
  value = number;
  return true;
}

/// Whether the options of groups go with the operation.
static bool checkGroups() {
  bool described = grouping == Grouping::RowIndex || grouping == Grouping::RowEnd;
  if (op != Operation::GroupedGemm && grouping.getNumOccurrences())
    return usage("expected --grouping only with --op=grouped_gemm");
  if (op == Operation::Gemm && groups.getNumOccurrences())
    return usage("expected --groups only with --op=grouped_gemm or --op=k_grouped_gemm");
  if (op == Operation::GroupedGemm && grouping == Grouping::None)
    return usage("expected --grouping=row_index, row_end, row_count or batched with --op=grouped_gemm, got none");
  if (op != Operation::Gemm && !groups.getNumOccurrences())
    return usage("expected --groups, how many there are, got none");
  if (align.getNumOccurrences() && !described)
    return usage("expected --align only with --grouping=row_index or --grouping=row_end");
  if (grouping == Grouping::RowIndex && !align.getNumOccurrences())
    return usage("expected --align with --grouping=row_index, such as --align=128, got none");
  if (flattened && op != Operation::KGroupedGemm)
    return usage("expected --flattened only with --op=k_grouped_gemm");
  if (op == Operation::GroupedGemm && c != Problem::C::None)
    return usage("expected --c=none with --op=grouped_gemm, which adds no C");
  if (op == Operation::KGroupedGemm && recipe.getNumOccurrences() && recipe != Problem::Recipe::OneD1D)
    return usage("expected --recipe=1d1d with --op=k_grouped_gemm");
  if (op == Operation::KGroupedGemm && m == "any")
    return usage("expected --m to be a number with --op=k_grouped_gemm, got any");
  if (op != Operation::KGroupedGemm && k == "any")
    return usage("expected --k to be a number, got any; only groups along K (--op=k_grouped_gemm) may have any");
  return true;
}

/// The problem that --op and the options beside it ask for.
static bool readProblem() {
  if (!checkGroups())
    return false;
  Problem problem;
  if (!readExtent(m, 0, problem.m) || !readNumber(n, 1, kMaxExtent, problem.n) || !readExtent(k, 1, problem.k) ||
      !readNumber(groups, 1, kMaxExtent, problem.groups) || !readNumber(align, 1, kMaxExtent, problem.align))
    return false;
  if (!k.getNumOccurrences() && op != Operation::KGroupedGemm)
    return usage("expected --k, the columns of A and B, got none");
  problem.sfaMnMajor = sfa == Layout::MnMajor;
  problem.sfbMnMajor = sfb == Layout::MnMajor;
  problem.recipe = op == Operation::KGroupedGemm ? Problem::Recipe::OneD1D : recipe;
  problem.a = aType;
  problem.b = bType;
  problem.d = dType;
  problem.c = c;
  problem.grouping = op == Operation::KGroupedGemm ? Grouping::KCount : grouping;
  problem.flattened = flattened;
  options.problem = problem;
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
  if (op == Operation::None && options.input.empty())
    return usage("expected FILE.mlir, or a problem such as --op=gemm --m=any --n=7168 --k=2048, got neither");
  if (op != Operation::None && !options.input.empty())
    return usage("expected FILE.mlir or --op, got both");
  if (options.answers() && (options.output == "-" || (emit.getNumOccurrences() && options.output.empty())))
    return usage("expected -o to name a file or FOLDER/ beside --explain or --plan, which is printed on stdout");
  if (options.explain != Answer::None && options.plan != Answer::None)
    return usage("expected --explain or --plan, got both");
  if (options.plan != Answer::None && !pipeline.config.empty())
    return usage("expected --config or --plan, which chooses them, got both");
  return op == Operation::None || readProblem();
}

fp8gemm::CompileOptions *fp8gemm::readCompileOptions(int argc, char **argv) {
  startTool(category);
  std::string more = kExamples + std::string("\nptxas, nvdisasm and cuobjdump are looked for in ") +
                     fp8gemm::target::kToolSearchOrder + ".\n";
  cl::extrahelp help(more);
  cl::ParseCommandLineOptions(argc, argv, "compiles block-scaled FP8 products to Hopper kernel files\n");
  return check() ? &options : nullptr;
}
