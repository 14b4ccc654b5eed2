// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Problem + GPU -> schedule. Plain C++ without MLIR, so that it can be read, tested
// and reused independently. docs/Config.md explains the model.

#ifndef FP8GEMM_CONFIG_CONFIG_H
#define FP8GEMM_CONFIG_CONFIG_H

#include "fp8gemm/Problem.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fp8gemm::config {

/// Elements of K that share a scale, and that one ring stage holds.
constexpr int64_t kBlockK = 128;

/// TMA addresses multiples of 16 bytes: of these many scales.
constexpr int64_t kScalesAligned = 4;

using format::CUse;
using format::Grouping;
using format::ScaleLayout;

/// D[m, n] = C + A[m, k] * B[n, k]^T with 1x128 scales for A. The element types of A and B, e4m3
/// or e5m2, make no difference here.
struct Problem {
  std::optional<int64_t> m; ///< rows of A; none: any M
  int64_t n = 0, k = 0;
  ScaleLayout sfa = ScaleLayout::MnMajor, sfb = ScaleLayout::KMajor;
  bool batchInvariant = false; ///< a row's bits may not depend on the schedule, so not on M either
  int64_t sfbRows = 128;       ///< rows of B that share a scale: 128 (recipe 1d2d) or 1 (1d1d)
  int64_t dBytes = 2;          ///< of an element of C and D: 2 (bf16) or 4 (f32)
  CUse c = CUse::None;
  bool hasEpilogue = false; ///< of the sum, C included
  bool gated = false;       ///< columns of the products with B's rows n and N/2 + n make one of D
  /// What an epilogue that is not a sum reads of global memory: operands with an element for each element of D, for each
  /// column, and for each row.
  int64_t epilogueMatrices = 0, epilogueRows = 0, epilogueColumns = 0;
  bool isMapped = false; ///< there is such an epilogue
  /// D is e4m3 with scales of 1x128 blocks, each of which a warpgroup has in one accumulator.
  bool isQuantised() const { return dBytes == 1; }
  /// m is all rows for RowIndex and RowEnd, those allocated for each group for RowCount and
  /// Batched; k is the sum of the groups' reductions for KCount.
  Grouping grouping = Grouping::None;
  int64_t groups = 1;     ///< products, each with a B, or for KCount with its own part of K
  int64_t weights = 0;    ///< matrices of B, if groups share fewer than one each; else 0
  int64_t groupAlign = 1; ///< rows that groups start at multiples of, for RowIndex and RowEnd

  /// Parts of a tile, and of B, that the columns of D are made of: gate and up, or one.
  int64_t parts() const { return gated ? 2 : 1; }
  /// In place in f32 TMA adds to D in memory; any other C, one that an epilogue needs, and one of which threads store
  /// rows, comes through shared memory.
  bool addsInMemory() const { return c == CUse::InPlace && dBytes == 4 && !hasEpilogue && !storesParts(); }
  bool loadsC() const { return c != CUse::None && !addsInMemory(); }
  bool isGrouped() const { return grouping != Grouping::None; }
  /// Each group has rows of A and D of its own: tensors of rank 3.
  bool hasGroupsOfA() const { return factsOf(grouping).ofA; }
  bool hasGroupsOfB() const { return factsOf(grouping).ofB; }
  bool hasGroupsOfD() const { return factsOf(grouping).ofD; }
  /// Groups of one matrix of B.
  int64_t sharing() const { return weights ? groups / weights : 1; }
  /// The kernel first tabulates where groups begin and end.
  bool isTabulated() const {
    return grouping == Grouping::RowEnd || grouping == Grouping::RowCount || grouping == Grouping::KCount;
  }
  /// A tile's last rows may belong to another group, or to none.
  bool storesParts() const { return factsOf(grouping).keepsRows; }
  /// The last tile of rows starts earlier, so that it ends with A: it has rows of the tile before it, too, which
  /// must not be added twice.
  bool endsTilesWithA() const { return !storesParts() && c != CUse::InPlace; }

  /// Scales that TMA can bring; helper warps bring the others.
  bool sfaByTma() const { return sfa == ScaleLayout::MnMajor; }
  /// Tiles may start at rows whose scales TMA can't address, so it brings some before them.
  bool shiftsScales() const { return sfaByTma() && grouping == Grouping::RowEnd && groupAlign % kScalesAligned != 0; }
  bool sfbByTma() const { return sfbRows == 1 && sfb == ScaleLayout::MnMajor; }
};

/// What the model knows about a GPU. Data, never constants of a kernel.
struct Gpu {
  std::string name;
  int64_t sms;                 ///< streaming multiprocessors
  int64_t gpcs;                ///< groups of SMs that a cluster does not cross
  int64_t smemBytes;           ///< shared memory that a CTA may use
  int64_t tensorFlopsPerCycle; ///< dense FP8 operations of one SM's tensor cores per cycle
  double clockHz;              ///< SM clock of short kernels
  double hbmBytesPerSecond;    ///< attained by a kernel
  double l2BytesPerSecond;     ///< L2 to all SMs
  /// Clusters of 1, 2, ... CTAs, one per SM, that run at once; empty if not measured.
  std::vector<int64_t> clusters;
};

/// The value of a field that is not chosen yet.
constexpr int64_t kUnset = -1;

/// The schedule; the fields are those of #fp8gemm.config.
struct Config {
  int64_t tileM = kUnset, tileN = kUnset, stages = kUnset, consumers = kUnset;
  int64_t producerRegisters = kUnset, consumerRegisters = kUnset, rasterGroup = kUnset;
  int64_t clusterM = kUnset, clusterN = kUnset, splitK = kUnset, partials = kUnset;
  int64_t swapAb = kUnset;

  /// The tile's extent on wgmma's M side, in blocks of 64 rows: M, or with swap_ab N.
  int64_t rows() const { return swapAb == 1 ? tileN : tileM; }
  /// The other extent.
  int64_t columns() const { return swapAb == 1 ? tileM : tileN; }

  /// CTAs of a cluster.
  int64_t cluster() const { return clusterM * clusterN * splitK; }
};

/// Registers of the roles: two consumers with these fill the register file.
constexpr int64_t kProducerRegisters = 40, kConsumerRegisters = 232;

/// A field as everything that reads or writes fields by name sees it.
struct Field {
  const char *name; ///< in #fp8gemm.config, --config and JSON
  int64_t Config::*member;
  int64_t least = 1;        ///< the smallest value that can be given
  int64_t usual = kUnset;   ///< the default that complete() uses; omitted from descriptions
  bool changesSums = false; ///< values other than the usual one add a sum's terms in another order
};

/// Every field, in the order of #fp8gemm.config's parameters.
constexpr Field kFields[] = {
    {"tile_m", &Config::tileM},
    {"tile_n", &Config::tileN},
    {"stages", &Config::stages},
    {"consumers", &Config::consumers},
    {"producer_registers", &Config::producerRegisters, 1, kProducerRegisters},
    {"consumer_registers", &Config::consumerRegisters, 1, kConsumerRegisters},
    {"raster_group", &Config::rasterGroup},
    {"cluster_m", &Config::clusterM, 1, 1},
    {"cluster_n", &Config::clusterN, 1, 1},
    {"split_k", &Config::splitK, 1, 1, true},
    {"partials", &Config::partials, 1, 1},
    {"swap_ab", &Config::swapAb, 0, 0},
};

/// Reads `tile_m = 128, stages = 4`; fields that it does not name stay unset. Returns an empty
/// string, or the error in `text`: "expected ..., got ...".
std::string parse(const std::string &text, Config &config);

/// Every field that is set, as parse() reads them.
std::string toString(const Config &config);

/// The same without fields that have their usual value, for messages.
std::string describe(const Config &config);

bool operator==(const Config &lhs, const Config &rhs);
inline bool operator!=(const Config &lhs, const Config &rhs) { return !(lhs == rhs); }

/// A config and its modelled time.
struct Candidate {
  Config config;
  double microseconds = 0;
  std::string reason; ///< waves and bound, one line for --explain
};

/// The known GPUs, h100-sxm first.
const std::vector<Gpu> &knownGpus();

/// The GPU of that name, or null.
const Gpu *findGpu(const std::string &name);

/// "expected 'gpu' to be one of ..., got ...".
std::string unknownGpu(const std::string &name);

/// Rows of one group of a grouped product; `expectedM` if the problem doesn't say.
int64_t rowsOfGroup(const Problem &problem, int64_t expectedM);

/// Rows whose tiles share one raster order: of all groups, or of one.
int64_t rowsOfRaster(const Problem &problem, int64_t expectedM);

/// Clusters of `ctas` CTAs, one per SM, that run at once.
int64_t residentClusters(const Gpu &gpu, int64_t ctas);

/// Columns of D, or with swap_ab of its transpose, that a tile has.
int64_t resultColumns(const Problem &problem, const Config &config);
/// Columns of an accumulator: those of a tile; or of gate or up, if the registers do not hold both beside their partial
/// results.
int64_t accumulatorColumns(const Problem &problem, const Config &config);
/// Accumulators of 64 rows that a consumer has.
int64_t accumulators(const Problem &problem, const Config &config);

/// Columns of D that share one B scale wherever a tile starts: gcd(tile_n, or of a part; rows of B that
/// share one); with swap_ab at most a block of 64.
int64_t scaleColumnsPerBlock(const Problem &problem, const Config &config);

/// A's scales of a K block in a stage: of tile_m rows, and of those before from which on TMA can
/// bring them, in boxes of equal size.
int64_t scalesOfA(const Problem &problem, int64_t tileM);
int64_t boxesOfScales(const Problem &problem, int64_t tileM);

/// Whether the last product of each K block is promoted in the next one's iteration. Beside a promotion
/// the poll of a stage's barrier costs nothing, and ptxas moves neither across the loop's back edge.
bool promotesLate(const Problem &problem, const Config &config);

/// CTAs of a cluster that store a part of a tile's resultColumns, when split_k of them share its
/// K blocks: the most that divide them into what stmatrix stores, 16 columns or, transposed, 8.
int64_t storingRanks(const Problem &problem, const Config &config);

/// Columns of one panel of C or D (one TMA copy): rows of 128, 64 or 32 bytes, the longest that
/// divide `columns`.
int64_t panelColumns(const Problem &problem, int64_t columns);

/// Shared memory of a kernel with this config (bytes); equals what SmemLayout
/// computes from its IR.
int64_t smemBytes(const Problem &problem, const Config &config);

/// Registers that a consumer thread needs: accumulators and the rest.
int64_t consumerRegistersNeeded(const Problem &problem, const Config &config);

/// Empty if `config` is legal for `problem` on `gpu`, else what is wrong:
/// "expected ..., got ...".
std::string check(const Problem &problem, const Gpu &gpu, const Config &config);

/// The modelled time of a legal config. `expectedM` stands in for a dynamic M; of a grouped
/// product it is the rows of one group.
Candidate model(const Problem &problem, const Gpu &gpu, const Config &config, int64_t expectedM);

/// Only its time, for callers that need many.
double modelledMicroseconds(const Problem &problem, const Gpu &gpu, const Config &config, int64_t expectedM);

/// Every legal config, best first: each tile with the most stages that fit.
/// `expectedM` stands in for a dynamic M.
std::vector<Candidate> enumerate(const Problem &problem, const Gpu &gpu, int64_t expectedM);

/// Fills the fields that are unset. A missing tile or consumer count is that of the
/// best legal config that agrees with the given ones; the registers follow from
/// the consumers, the stages are the most that fit. The result may be illegal:
/// check it.
Config complete(const Problem &problem, const Gpu &gpu, Config config, int64_t expectedM);

/// The value that complete() chooses for `field` given the other fields of `config`, a complete one; kUnset for a field
/// that has no usual value.
int64_t usualValue(const Problem &problem, const Config &config, const Field &field);

/// A choice, and what it was taken from.
struct Choice {
  Candidate chosen;
  std::vector<Candidate> candidates; ///< every legal config, best first
  std::string error;                 ///< why nothing is chosen; otherwise empty
};

/// The best legal config; with fields set in `given`, those completed.
Choice choose(const Problem &problem, const Gpu &gpu, int64_t expectedM, const Config &given = {});

} // namespace fp8gemm::config

#endif // FP8GEMM_CONFIG_CONFIG_H
