#include <algorithm>
#include <array>

#include "serving/schedulers/schedulers.hpp"

namespace rehearse::serving {
namespace {

constexpr std::array kSchedulers = {&kVllm, &kSglang, &kTensorRtLlm, &kStaticBatches};

}  // namespace

std::span<const SchedulerKind* const> schedulers() { return kSchedulers; }

const SchedulerKind* scheduler_named(std::string_view name) {
  const auto* const found =
      std::find_if(kSchedulers.begin(), kSchedulers.end(),
                   [&](const SchedulerKind* each) { return each->name == name; });
  return found == kSchedulers.end() ? nullptr : *found;
}

std::string names_of_schedulers() {
  std::string names;
  for (const SchedulerKind* each : kSchedulers) {
    names += names.empty() ? "" : " ";
    names += each->name;
  }
  return names;
}

}  // namespace rehearse::serving
