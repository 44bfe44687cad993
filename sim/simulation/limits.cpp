#include "simulation/limits.hpp"

#include <fmt/format.h>

#include "replay/time_estimate.hpp"

namespace rehearse {
namespace {

// As people say it, to the two digits that an estimate has.
std::string waiting_time(Seconds time) {
  constexpr double kMinute = 60;
  constexpr double kHour = 3600;
  constexpr double kDay = 24 * kHour;
  if (time.value < 2 * kMinute) return fmt::format("{:.2g} s", time.value);
  if (time.value < 2 * kHour) return fmt::format("{:.2g} min", time.value / kMinute);
  if (time.value < 2 * kDay) return fmt::format("{:.2g} hours", time.value / kHour);
  return fmt::format("{:.2g} days", time.value / kDay);
}

}  // namespace

void refuse_too_large(const SourceLocation& where, const char* what, Bytes needed, Bytes limit) {
  if (needed.value <= limit.value) return;
  throw InputError(where, fmt::format("{} would need about {} of memory, the limit is {} "
                                      "(--max-memory)",
                                      what, to_text(needed), to_text(limit)));
}

void refuse_too_slow(const SourceLocation& where, const std::string& what, Seconds needed,
                     Seconds limit) {
  if (needed <= limit) return;
  throw InputError(where, fmt::format("{} would take about {}, the limit is {} (--max-time)", what,
                                      waiting_time(needed), waiting_time(limit)));
}

void refuse_long_replay(const SourceLocation& where, const Programs& programs,
                        NetworkLevelName level, Seconds limit, ProgressCounter* progress) {
  const ReplayWork work = count_work(programs);
  if (progress != nullptr) progress->total = static_cast<std::int64_t>(work.operations);
  refuse_too_slow(
      where,
      fmt::format("simulating {:.3g} operations on {:.0f} ranks", work.operations, work.ranks),
      estimate_time(work, level), limit);
}

}  // namespace rehearse
