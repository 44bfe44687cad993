#include "profiles/engine_profile.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace rehearse {
namespace {

// "1us per operator (measured)"
std::string figure_text(const EngineFigureRow& row, const DeviceFigure& figure) {
  std::string what(row.path);
  std::replace(what.begin(), what.end(), '_', ' ');
  if (row.id == EngineFigureId::kMemoryFraction) what = "of the memory";
  return fmt::format("{} {} ({})", figure.text, what, to_text(figure.kind));
}

Seconds time_of(const EngineProfile& profile, EngineFigureId id) {
  const DeviceFigure* const figure = profile.find(id);
  return figure == nullptr ? Seconds{} : Seconds{figure->value};
}

}  // namespace

std::string assumption_of(const EngineProfile& profile) {
  std::vector<std::string> known;
  std::vector<std::string_view> unknown;
  for (const EngineFigureRow& row : kEngineFigures) {
    const DeviceFigure* const figure = profile.find(row.id);
    if (figure != nullptr) {
      known.push_back(figure_text(row, *figure));
    } else {
      unknown.push_back(row.path);
    }
  }
  if (profile.library) {
    known.push_back(fmt::format("collectives of {} where that runs ({})", profile.library->name,
                                to_text(profile.library->kind)));
  }
  std::string text =
      fmt::format("engine {}: {}", profile.name,
                  known.empty() ? "nothing is known" : fmt::format("{}", fmt::join(known, ", ")));
  if (unknown.empty()) return text;
  return text + fmt::format("; not known, and so nothing of it: {}", fmt::join(unknown, ", "));
}

PlanEngine plan_engine(const EngineProfile& profile) {
  PlanEngine engine;
  engine.name = profile.name;
  engine.path = profile.path;
  engine.times = {time_of(profile, EngineFigureId::kPerOperator),
                  time_of(profile, EngineFigureId::kPerCollective),
                  time_of(profile, EngineFigureId::kPerStep),
                  time_of(profile, EngineFigureId::kPerRequest),
                  time_of(profile, EngineFigureId::kSchedulerPerStep),
                  time_of(profile, EngineFigureId::kSchedulerPerRequest)};
  if (profile.library) engine.library = profile.library->name;
  if (const DeviceFigure* const fraction = profile.find(EngineFigureId::kMemoryFraction)) {
    engine.memory_fraction = fraction->value;
  }
  if (const DeviceFigure* const buffers = profile.find(EngineFigureId::kCommunicationBuffers)) {
    engine.communication_buffers = Bytes{buffers->value};
  }
  engine.assumption = assumption_of(profile);
  return engine;
}

}  // namespace rehearse
