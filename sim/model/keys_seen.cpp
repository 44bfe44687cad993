#include "model/keys_seen.hpp"

#include <algorithm>
#include <cmath>

namespace rehearse {
namespace {

double up_to(double count) { return count * (count + 1) / 2; }  // 1 + 2 + ... + count

}  // namespace

double KeysSeen::before(double end) const {
  switch (kind) {
    case Kind::kAll:
      return up_to(end);
    case Kind::kWindow:
      return up_to(std::min(end, size)) + std::max(end - size, 0.0) * size;
    case Kind::kChunk: {
      const double whole = std::floor(end / size);
      return whole * up_to(size) + up_to(end - whole * size);
    }
    case Kind::kEntries: {
      // The first position that sees as many as it may: most x size - 1.
      const double free = most > 0 ? std::min(end, most * size - 1) : end;
      const double whole = std::floor(free / size);
      const double rest = free - whole * size;
      return size * whole * (whole - 1) / 2 + whole * (rest + 1) + (end - free) * most;
    }
  }
  return 0;
}

double KeysSeen::pairs(const Slice& slice) const {
  if (kind == Kind::kAll) return slice.pairs();
  return slice.sequences * (before(slice.context + slice.query) - before(slice.context));
}

double KeysSeen::cached(const Slice& slice) const {
  const double itself = kind == Kind::kEntries ? 0 : 1;
  if (kind == Kind::kAll) return slice.sequences * slice.context;
  return slice.sequences * (at(slice.context) - itself);
}

double KeysSeen::growth(double context) const {
  switch (kind) {
    case Kind::kAll:
    case Kind::kChunk:
      return 1;
    case Kind::kWindow:
      return context + 1 < size ? 1 : 0;
    case Kind::kEntries:
      return most > 0 && context + 1 >= most * size ? 0 : 1 / size;
  }
  return 0;
}

bool KeysSeen::bends(double context, double steps) const {
  const double last = context + steps - 1;
  switch (kind) {
    case Kind::kAll:
      return false;
    case Kind::kWindow:
      return context + 1 < size && last + 1 > size;
    case Kind::kChunk:
      return std::floor(context / size) != std::floor(last / size);
    case Kind::kEntries:
      return growth(context) != growth(last);
  }
  return false;
}

Amount KeysSeen::over_run(const Slice& slice, const StepRange& steps, double less) const {
  const double from = slice.context + steps.first;
  const double count = steps.count;
  double slope = growth(from);
  double first = at(from);
  if (kind == Kind::kEntries || bends(from, count)) {
    if (bends(from, count)) slope = 0;
    first = (before(from + count) - before(from)) / count - slope * (count - 1) / 2;
  }
  return {slice.sequences * (first - less - slope * steps.first), slice.sequences * slope};
}

Amount KeysSeen::pairs(const Slice& slice, bool grows, const StepRange& steps) const {
  if (kind == Kind::kAll) return {slice.pairs(), grows ? slice.tokens() : 0};
  if (!grows || slice.query != 1) return {pairs(slice), 0};
  return over_run(slice, steps, 0);
}

Amount KeysSeen::cached(const Slice& slice, bool grows, const StepRange& steps) const {
  if (kind == Kind::kAll) return {slice.sequences * slice.context, grows ? slice.sequences : 0};
  if (!grows || slice.query != 1) return {cached(slice), 0};
  return over_run(slice, steps, kind == Kind::kEntries ? 0 : 1);
}

}  // namespace rehearse
