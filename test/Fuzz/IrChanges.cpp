// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "IrChanges.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/AttrTypeSubElements.h"

using namespace mlir;

namespace fp8gemm::fuzz {

namespace {

template <typename T> std::string print(T value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  value.print(os);
  return text;
}

class IrChanger {
public:
  IrChanger(ModuleOp module, const Mutator &mutator, Random &random)
      : module(module), mutator(mutator), random(random) {
    module.walk([&](Operation *op) {
      if (op != module)
        all.push_back(op);
      if (op != module && !op->hasTrait<OpTrait::IsTerminator>() && op->getParentOp() != module)
        movable.push_back(op);
    });
  }

  bool apply();

private:
  using Edit = llvm::function_ref<bool(Tokens &)>;

  bool changeAttribute();
  bool copyAttribute();
  bool changeType();
  bool changeExtent();
  bool changeOperand();
  bool move();
  bool erase();
  bool repeat();
  bool wrap();
  bool unwrap();
  bool swapRegions();

  void editEverywhere(Edit edit);
  Value visible(Operation *from, Type type);

  ModuleOp module;
  const Mutator &mutator;
  Random &random;
  std::vector<Operation *> all;
  std::vector<Operation *> movable; ///< neither a terminator nor a function
};

/// Parsed again, so that no type or attribute comes to be that a text can't have.
Attribute parseLike(Attribute, StringRef text, MLIRContext *context) { return parseAttribute(text, context); }
Type parseLike(Type, StringRef text, MLIRContext *context) { return parseType(text, context); }

/// Edits the text of each type and attribute, the outermost ones that hold no names.
void IrChanger::editEverywhere(Edit edit) {
  AttrTypeReplacer replacer;
  auto editOne = [&](auto element) -> std::optional<std::pair<decltype(element), WalkResult>> {
    Tokens tokens = tokenize(print(element));
    if (edit(tokens))
      if (auto changed = parseLike(element, toText(tokens), module.getContext()))
        return std::make_pair(changed, WalkResult::skip());
    return std::make_pair(element, WalkResult::skip());
  };
  replacer.addReplacement([&](Type type) { return editOne(type); });
  replacer.addReplacement([&](Attribute attribute) -> std::optional<std::pair<Attribute, WalkResult>> {
    if (isa<DictionaryAttr, ArrayAttr>(attribute))
      return std::nullopt;
    if (isa<StringAttr, SymbolRefAttr, LocationAttr>(attribute))
      return std::make_pair(attribute, WalkResult::skip());
    return editOne(attribute);
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
}

/// A value of `type` that is defined before `from`, or around it.
Value IrChanger::visible(Operation *from, Type type) {
  std::vector<Value> found;
  for (Operation *at = from; at && at != module; at = at->getParentOp()) {
    if (!at->getBlock())
      break;
    for (Operation &op : *at->getBlock()) {
      if (&op == at)
        break;
      for (Value value : op.getResults())
        if (value.getType() == type)
          found.push_back(value);
    }
    for (Value value : at->getBlock()->getArguments())
      if (value.getType() == type)
        found.push_back(value);
  }
  return found.empty() ? Value() : random.pick(found);
}

bool IrChanger::changeAttribute() {
  Operation *op = random.pick(all);
  std::vector<NamedAttribute> attributes;
  for (NamedAttribute attribute : op->getAttrDictionary())
    if (!isa<StringAttr>(attribute.getValue()) && attribute.getName() != "function_type")
      attributes.push_back(attribute);
  if (attributes.empty())
    return false;
  NamedAttribute old = random.pick(attributes);
  if (random.oneIn(12)) {
    op->removeAttr(old.getName());
    return true;
  }
  Attribute changed = parseAttribute(mutator.changeElement(print(old.getValue()), random), module.getContext());
  if (!changed || changed == old.getValue())
    return false;
  op->setAttr(old.getName(), changed);
  return true;
}

/// From another operation, under its name there.
bool IrChanger::copyAttribute() {
  Operation *from = random.pick(all), *to = random.pick(all);
  ArrayRef<NamedAttribute> attributes = from->getAttrs();
  if (from == to || attributes.empty())
    return false;
  NamedAttribute attribute = attributes[random.below(attributes.size())];
  if (attribute.getName() == "sym_name" || attribute.getName() == "function_type")
    return false;
  to->setAttr(attribute.getName(), attribute.getValue());
  return true;
}

/// A type of a value, wherever it stands: in other types and in attributes, too.
bool IrChanger::changeType() {
  std::vector<Type> types;
  for (Operation *op : all) {
    for (Type type : op->getResultTypes())
      types.push_back(type);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Type type : block.getArgumentTypes())
          types.push_back(type);
  }
  if (types.empty())
    return false;
  Type type = random.pick(types);
  if (type.isIntOrIndexOrFloat() && !random.oneIn(8))
    return false;
  std::string old = print(type), by = mutator.changeElement(old, random);
  if (by == old || !parseType(by, module.getContext()))
    return false;
  Tokens oldTokens = tokenize(old), byTokens = tokenize(by);
  editEverywhere([&](Tokens &tokens) {
    bool edited = false;
    for (size_t i = 0; i + oldTokens.size() <= tokens.size(); ++i) {
      bool same = std::equal(oldTokens.begin(), oldTokens.end(), tokens.begin() + i,
                             [](const Token &a, const Token &b) { return a.text == b.text; });
      if (same) {
        replace(tokens, i, i + oldTokens.size(), byTokens);
        i += byTokens.size() - 1;
        edited = true;
      }
    }
    return edited;
  });
  return true;
}

/// An extent in all types and attributes, mostly with that of its scales: one for each 128.
bool IrChanger::changeExtent() {
  std::vector<std::string> numbers;
  for (Operation *op : all)
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Type type : block.getArgumentTypes())
          for (const Token &token : tokenize(print(type)))
            if (token.kind == TokenKind::Number && token.text.size() < 10)
              numbers.push_back(token.text);
  if (numbers.empty())
    return false;
  std::string old = random.pick(numbers), by = Mutator::number(old, random);
  auto scales = [](const std::string &extent) { return std::to_string((std::stoull(extent) + 127) / 128); };
  std::string oldScales, byScales;
  if (by.size() < 10 && by[0] != '-' && !random.oneIn(3))
    oldScales = scales(old), byScales = scales(by);
  editEverywhere([&](Tokens &tokens) {
    bool edited = false;
    for (Token &token : tokens)
      if (token.kind == TokenKind::Number && (token.is(old) || token.is(oldScales))) {
        token.text = token.is(old) ? by : byScales;
        edited = true;
      }
    return edited;
  });
  return true;
}

bool IrChanger::changeOperand() {
  Operation *op = random.pick(all);
  if (op->getNumOperands() == 0)
    return false;
  OpOperand &operand = op->getOpOperand(random.below(op->getNumOperands()));
  Value by = visible(op, operand.get().getType());
  if (!by || by == operand.get())
    return false;
  operand.set(by);
  return true;
}

/// Mostly by some operations only.
bool IrChanger::move() {
  Operation *op = random.pick(movable), *to = random.pick(movable);
  if (!random.oneIn(4)) {
    to = op;
    bool up = random.oneIn(2);
    for (size_t steps = 1 + random.below(5); steps > 0; --steps)
      if (Operation *next = up ? to->getPrevNode() : to->getNextNode())
        to = next;
  }
  if (to == op || op->isAncestor(to))
    return false;
  op->moveBefore(to);
  return true;
}

bool IrChanger::erase() {
  Operation *op = random.pick(movable);
  for (Value result : op->getResults()) {
    if (result.use_empty())
      continue;
    Value by = visible(op, result.getType());
    if (!by)
      return false;
    result.replaceAllUsesWith(by);
  }
  op->erase();
  return true;
}

/// After itself or elsewhere in the block; later operations use the one or the other.
bool IrChanger::repeat() {
  Operation *op = random.pick(movable), *copy = op->clone();
  op->getBlock()->getOperations().insertAfter(op->getIterator(), copy);
  for (size_t steps = random.oneIn(2) ? 0 : random.below(8); steps > 0; --steps)
    if (Operation *next = copy->getNextNode(); next && !next->hasTrait<OpTrait::IsTerminator>())
      copy->moveAfter(next);
  if (random.oneIn(2))
    for (auto [result, copied] : llvm::zip(op->getResults(), copy->getResults()))
      result.replaceUsesWithIf(copied, [&](OpOperand &use) {
        return use.getOwner()->getBlock() == copy->getBlock() && copy->isBeforeInBlock(use.getOwner());
      });
  return true;
}

bool IrChanger::wrap() {
  Operation *op = random.pick(movable);
  if (!op->use_empty())
    return false;
  OpBuilder builder(op);
  Location loc = op->getLoc();
  auto index = [&](size_t value) { return arith::ConstantIndexOp::create(builder, loc, value).getResult(); };
  Block *body;
  if (random.oneIn(3)) {
    Value condition = visible(op, builder.getI1Type());
    if (!condition)
      condition = arith::ConstantIntOp::create(builder, loc, random.oneIn(2), 1);
    body = scf::IfOp::create(builder, loc, condition, /*withElseRegion=*/false).thenBlock();
  } else {
    Value lower = index(random.below(3)), upper = index(random.below(6)), step = index(1 + random.below(2));
    body = scf::ForOp::create(builder, loc, lower, upper, step).getBody();
  }
  op->moveBefore(body->getTerminator());
  return true;
}

/// The body of a loop or a condition without it.
bool IrChanger::unwrap() {
  Operation *op = random.pick(movable);
  if (!isa<scf::ForOp, scf::IfOp>(op) || op->getRegion(0).empty())
    return false;
  Block &body = op->getRegion(0).front();
  for (auto [index, argument] : llvm::enumerate(body.getArguments())) {
    Value by = index == 0 ? op->getOperand(0) : op->getOperand(2 + index);
    argument.replaceAllUsesWith(by);
  }
  Operation *last = body.getTerminator();
  for (auto [result, value] : llvm::zip(op->getResults(), last->getOperands()))
    result.replaceAllUsesWith(value);
  last->erase();
  op->getBlock()->getOperations().splice(op->getIterator(), body.getOperations());
  op->erase();
  return true;
}

bool IrChanger::swapRegions() {
  Operation *op = random.pick(movable);
  if (op->getNumRegions() < 2)
    return false;
  Region &one = op->getRegion(random.below(op->getNumRegions())), &other = op->getRegion(random.below(op->getNumRegions()));
  Region kept;
  kept.takeBody(one);
  one.takeBody(other);
  other.takeBody(kept);
  return &one != &other;
}

bool IrChanger::apply() {
  if (all.empty() || movable.empty())
    return false;
  struct Change {
    bool (IrChanger::*apply)();
    unsigned weight;
  };
  static constexpr Change changes[] = {
      {&IrChanger::changeAttribute, 8}, {&IrChanger::copyAttribute, 1}, {&IrChanger::changeType, 5},
      {&IrChanger::changeExtent, 5},    {&IrChanger::changeOperand, 4}, {&IrChanger::move, 5},
      {&IrChanger::erase, 4},           {&IrChanger::repeat, 3},        {&IrChanger::wrap, 2},
      {&IrChanger::unwrap, 2},          {&IrChanger::swapRegions, 1}};
  unsigned total = 0;
  for (const Change &change : changes)
    total += change.weight;
  size_t drawn = random.below(total);
  for (const Change &change : changes) {
    if (drawn < change.weight)
      return (this->*change.apply)();
    drawn -= change.weight;
  }
  return false;
}

} // namespace

bool changeIr(ModuleOp module, const Mutator &mutator, Random &random) {
  return IrChanger(module, mutator, random).apply();
}

} // namespace fp8gemm::fuzz
