// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SharedMemory.h"

#include "llvm/ADT/STLExtras.h"

using namespace fp8gemm::simulator;

static constexpr int64_t kWordBytes = 4;
static constexpr uint8_t kPoison = 0xff;

SharedMemory::SharedMemory(int64_t bytes, int agentsPerCta, AgentId firstAsyncAgent)
    : memory(bytes, kPoison), words((bytes + kWordBytes - 1) / kWordBytes), agentsPerCta(agentsPerCta),
      firstAsyncAgent(firstAsyncAgent) {}

/// The last of an agent's accesses is what others have to wait for.
static void remember(llvm::SmallVectorImpl<Access> &reads, const Access &access) {
  for (Access &read : reads) {
    if (read.agent != access.agent)
      continue;
    bool sameThread = read.thread == access.thread;
    // An earlier step of another thread may still not be known of.
    if (!sameThread && read.step == access.step)
      read.thread = kManyThreads;
    else if (!sameThread)
      read = {access.agent, kManyThreads, access.step, access.op};
    else
      read = access;
    return;
  }
  reads.push_back(access);
}

std::optional<Conflict> SharedMemory::read(int64_t offset, int64_t bytes, const Accessor &by) {
  using Kind = Conflict::Kind;
  if (offset < 0 || offset + bytes > size())
    return Conflict{Kind::OutOfBounds, {}, offset};
  for (const Load &load : inFlight)
    if (load.offset < offset + bytes && offset < load.offset + load.bytes)
      return Conflict{Kind::NotArrived, {kNobody, kManyThreads, 0, load.op}, std::max(offset, load.offset)};
  for (int64_t i = offset / kWordBytes; i * kWordBytes < offset + bytes; ++i) {
    Word &word = words[i];
    if (word.write.agent == kNobody)
      return Conflict{Kind::Unwritten, {}, i * kWordBytes};
    if (!by.isBehind(word.write, /*mustBeVisible=*/true, isAsync(word.write.agent)))
      return Conflict{Kind::UnorderedRead, word.write, i * kWordBytes};
    remember(word.reads, by.access);
  }
  return std::nullopt;
}

std::optional<Conflict> SharedMemory::write(int64_t offset, int64_t bytes, const Accessor &by) {
  using Kind = Conflict::Kind;
  if (offset < 0 || offset + bytes > size())
    return Conflict{Kind::OutOfBounds, {}, offset};
  for (int64_t i = offset / kWordBytes; i * kWordBytes < offset + bytes; ++i) {
    Word &word = words[i];
    // Threads of one operation write different bytes, or the same value.
    bool sameOperation = word.write.op == by.access.op && word.write.agent == by.access.agent &&
                         word.write.step == by.access.step && !by.isAsync;
    if (word.write.agent != kNobody && !sameOperation &&
        !by.isBehind(word.write, /*mustBeVisible=*/false, isAsync(word.write.agent)))
      return Conflict{Kind::UnorderedOver, word.write, i * kWordBytes};
    for (const Access &read : word.reads)
      if (!by.isBehind(read, /*mustBeVisible=*/false, isAsync(read.agent)))
        return Conflict{Kind::StillRead, read, i * kWordBytes};
    bool sameThread = !sameOperation || word.write.thread == by.access.thread;
    word.write = by.access;
    if (!sameThread)
      word.write.thread = kManyThreads;
    word.reads.clear();
  }
  return std::nullopt;
}

void SharedMemory::finishLoad(int64_t offset, mlir::Operation *op) {
  auto load = llvm::find_if(inFlight, [&](const Load &load) { return load.offset == offset && load.op == op; });
  if (load != inFlight.end())
    inFlight.erase(load);
}
