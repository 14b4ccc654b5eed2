// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ThreadArithmetic.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace fp8gemm::kernel;

ThreadFunction fp8gemm::kernel::getThreadFunction(Operation *op) {
  if (isa<arith::AddIOp>(op))
    return [](const uint64_t *in) { return in[0] + in[1]; };
  if (isa<arith::SubIOp>(op))
    return [](const uint64_t *in) { return in[0] - in[1]; };
  if (isa<arith::MulIOp>(op))
    return [](const uint64_t *in) { return in[0] * in[1]; };
  if (isa<arith::DivUIOp>(op)) // by zero: undefined, and so anything
    return [](const uint64_t *in) { return in[1] ? in[0] / in[1] : 0; };
  if (isa<arith::RemUIOp>(op))
    return [](const uint64_t *in) { return in[1] ? in[0] % in[1] : 0; };
  if (isa<arith::AndIOp>(op))
    return [](const uint64_t *in) { return in[0] & in[1]; };
  if (isa<arith::OrIOp>(op))
    return [](const uint64_t *in) { return in[0] | in[1]; };
  if (isa<arith::XOrIOp>(op))
    return [](const uint64_t *in) { return in[0] ^ in[1]; };
  if (isa<arith::MinUIOp>(op))
    return [](const uint64_t *in) { return std::min(in[0], in[1]); };
  if (isa<arith::MaxUIOp>(op))
    return [](const uint64_t *in) { return std::max(in[0], in[1]); };
  if (isa<arith::ShLIOp>(op))
    return [](const uint64_t *in) { return in[1] < 64 ? in[0] << in[1] : 0; };
  if (isa<arith::ShRUIOp>(op))
    return [](const uint64_t *in) { return in[1] < 64 ? in[0] >> in[1] : 0; };
  if (isa<arith::SelectOp>(op))
    return [](const uint64_t *in) { return in[0] ? in[1] : in[2]; };
  bool sameWidth =
      isa<arith::IndexCastOp>(op) && getWidth(op->getOperand(0).getType()) == getWidth(op->getResult(0).getType());
  if (sameWidth || isa<arith::IndexCastUIOp, arith::ExtUIOp, arith::TruncIOp>(op))
    return [](const uint64_t *in) { return in[0]; };
  auto cmp = dyn_cast<arith::CmpIOp>(op);
  if (!cmp)
    return nullptr;
  switch (cmp.getPredicate()) {
  case arith::CmpIPredicate::eq:
    return [](const uint64_t *in) -> uint64_t { return in[0] == in[1]; };
  case arith::CmpIPredicate::ne:
    return [](const uint64_t *in) -> uint64_t { return in[0] != in[1]; };
  case arith::CmpIPredicate::ult:
    return [](const uint64_t *in) -> uint64_t { return in[0] < in[1]; };
  case arith::CmpIPredicate::ule:
    return [](const uint64_t *in) -> uint64_t { return in[0] <= in[1]; };
  case arith::CmpIPredicate::ugt:
    return [](const uint64_t *in) -> uint64_t { return in[0] > in[1]; };
  case arith::CmpIPredicate::uge:
    return [](const uint64_t *in) -> uint64_t { return in[0] >= in[1]; };
  default:
    return nullptr;
  }
}
