// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reports as text: warps, and then CTAs, that wait for the same become one line.

#include "RingReports.h"

#include <map>
#include <set>
#include <tuple>

using namespace fp8gemm;
using namespace fp8gemm::runtime;
using format::DebugRings;
using format::RingReport;
using format::WarpRole;

constexpr uint32_t kWarp = 32, kWarpgroup = 128, kWarpsOfGroup = kWarpgroup / kWarp;
constexpr unsigned kAllWarps = (1u << kWarpsOfGroup) - 1;

namespace {

/// A role's warps: of consumers, one warpgroup.
struct Who {
  WarpRole role;
  uint32_t consumer;
  auto key() const { return std::tie(role, consumer); }
  bool operator<(const Who &other) const { return key() < other.key(); }
};

/// A line without its CTAs.
struct Line {
  Who who;
  unsigned warps; ///< bit i: warp i of the warpgroup; of other roles 0
  bool waits;     ///< at a ring
  uint32_t wait, stage, phase, rank;
  auto key() const { return std::tie(who, waits, wait, stage, phase, warps, rank); }
  bool operator<(const Line &other) const { return key() < other.key(); }
};

} // namespace

static std::string number(uint64_t value) { return std::to_string(value); }

/// "0-3, 7"
static std::string ranges(const std::set<uint32_t> &numbers) {
  std::string text;
  for (auto first = numbers.begin(); first != numbers.end();) {
    auto last = first, next = std::next(first);
    while (next != numbers.end() && *next == *last + 1)
      last = next++;
    text += (text.empty() ? "" : ", ") + number(*first) + (last == first ? "" : "-" + number(*last));
    first = next;
  }
  return text;
}

static std::string describe(const Who &who) {
  switch (who.role) {
  case WarpRole::Producer:
    return "producer";
  case WarpRole::Helper:
    return "helper";
  case WarpRole::Consumer:
    break;
  }
  return "consumer " + number(who.consumer);
}

static std::string describe(const Line &line, const std::set<uint32_t> &ctas, const format::Manifest &manifest) {
  std::string text = "  " + describe(line.who);
  if (line.warps != 0 && line.warps != kAllWarps) {
    std::set<uint32_t> warps;
    for (uint32_t warp = 0; warp < kWarpsOfGroup; ++warp)
      if (line.warps >> warp & 1)
        warps.insert(warp);
    text += " (warp " + ranges(warps) + ")";
  }
  text += ", cta " + ranges(ctas);
  if (manifest.cluster_m() * manifest.cluster_n() * manifest.split_k() > 1)
    text += " (rank " + number(line.rank) + " of the cluster)";
  if (!line.waits)
    return text + ": at no ring: it runs, has ended, or stands at a named or cluster barrier, whose waits have no "
                  "limit\n";
  const format::RingWait &wait = *manifest.debug_rings()->waits()->Get(line.wait);
  text += ": waits until stage " + number(line.stage) + " of ring " + number(wait.ring()) + " is " +
          (wait.until() == format::StageState::Empty ? "empty" : "full") + " (phase " +
          (line.phase ? "true" : "false") + ")";
  std::string location = wait.location()->str();
  return text + (location.empty() ? "\n" : ", at " + location + "\n");
}

static std::string describe(const format::Ring &ring) {
  auto list = [](const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>> &types) {
    std::string text;
    for (const flatbuffers::String *type : types)
      text += (text.empty() ? "" : ", ") + type->str();
    return text;
  };
  std::string text = number(ring.stages()) + (ring.stages() == 1 ? " stage" : " stages");
  const char *separator = ", filled by ";
  if (ring.tma()->size() != 0) {
    text += separator + ("TMA (" + list(*ring.tma()) + ")");
    separator = " and ";
  }
  if (ring.warps()->size() != 0)
    text += separator + ("the helper (" + list(*ring.warps()) + ")");
  text += ", read by " + number(ring.readers()) + (ring.readers() == 1 ? " consumer" : " consumers");
  return text + (ring.cluster() == 1 ? "\n" : " of each of " + number(ring.cluster()) + " CTAs\n");
}

/// All who take part.
static std::set<Who> findRoles(const DebugRings &debug) {
  std::set<Who> roles;
  for (const format::RingWait *wait : *debug.waits()) {
    uint32_t consumers = wait->role() == WarpRole::Consumer ? debug.rings()->Get(wait->ring())->readers() : 1;
    for (uint32_t consumer = 0; consumer < consumers; ++consumer)
      roles.insert({wait->role(), consumer});
  }
  return roles;
}

std::string runtime::describeReports(const format::Manifest &manifest, const std::vector<RingReport> &reports) {
  if (reports.empty())
    return {};
  const DebugRings &debug = *manifest.debug_rings();
  std::map<std::pair<uint32_t, Line>, unsigned> warpsOf; // of a CTA, of a line without its warps
  std::map<uint32_t, uint32_t> rankOf;
  std::map<uint32_t, std::set<Who>> heard;
  for (const RingReport &report : reports) {
    if (report.wait >= debug.waits()->size())
      continue;
    WarpRole role = debug.waits()->Get(report.wait)->role();
    bool isConsumer = role == WarpRole::Consumer && report.thread >= kWarpgroup;
    Who who{role, isConsumer ? report.thread / kWarpgroup - 1 : 0};
    Line line{who, 0, true, report.wait, report.stage, report.phase, report.rank};
    warpsOf[{report.cta, line}] |= isConsumer ? 1u << report.thread / kWarp % kWarpsOfGroup : 0;
    rankOf[report.cta] = report.rank;
    heard[report.cta].insert(who);
  }
  std::map<Line, std::set<uint32_t>> lines;
  for (auto &[key, warps] : warpsOf) {
    Line line = key.second;
    line.warps = warps;
    lines[line].insert(key.first);
  }
  for (auto &[cta, known] : heard)
    for (const Who &who : findRoles(debug))
      if (!known.count(who))
        lines[{who, 0, false, 0, 0, 0, rankOf[cta]}].insert(cta);
  std::string text =
      "kernel '" + manifest.entry()->str() + "' waited for more than " + number(debug.limit_ms()) + " ms:\n";
  for (auto &[line, ctas] : lines)
    text += describe(line, ctas, manifest);
  for (uint32_t ring = 0; ring < debug.rings()->size(); ++ring)
    text += "  ring " + number(ring) + ": " + describe(*debug.rings()->Get(ring));
  if (reports.size() == format::kMaxRingReports)
    text += "  there is no room for more than these " + number(format::kMaxRingReports) + " reports of warps\n";
  return text;
}
