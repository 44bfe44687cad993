// The layers of a model as runs of runs: the shortest period that repeats at each place stands for
// its repetitions.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "model/attention_kind.hpp"
#include "model/model.hpp"

namespace rehearse {
namespace {

std::string feed_forward_name(const Model& model, const LayerKind& kind) {
  std::string name;
  if (kind.dense != LayerKind::kNone) {
    const FeedForward& ffn = model.dense[kind.dense];
    name = !ffn.name.empty() ? ffn.name : ffn.linear ? "linear" : "dense";
  }
  if (kind.experts) name += name.empty() ? "experts" : " + experts";
  return name.empty() ? "no FFN" : name;
}

std::string name_of_kind(const Model& model, const LayerKind& kind, bool says_ffn) {
  const bool attends = kind.attention != LayerKind::kNone;
  const std::string attention = attends ? name_of(model.attention[kind.attention]) : "";
  if (!says_ffn) return attends ? attention : feed_forward_name(model, kind);
  if (!attends) return kind.has_feed_forward() ? feed_forward_name(model, kind) : "nothing";
  return kind.has_feed_forward() ? attention + " + " + feed_forward_name(model, kind) : attention;
}

// Layers named alike, one after the other.
std::string runs_text(const std::vector<std::string>& names, std::size_t first, std::size_t count) {
  std::string text;
  for (std::size_t at = first; at < first + count;) {
    std::size_t end = at + 1;
    while (end < first + count && names[end] == names[at]) ++end;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", end - at, names[at]);
    at = end;
  }
  return text;
}

std::size_t repetitions(const std::vector<std::string>& names, std::size_t first,
                        std::size_t period) {
  std::size_t times = 1;
  const auto again = [&](std::size_t begin) {
    for (std::size_t at = 0; at < period; ++at) {
      if (names[first + at] != names[begin + at]) return false;
    }
    return true;
  };
  while (first + (times + 1) * period <= names.size() && again(first + times * period)) ++times;
  return times;
}

// Layers that a period and its repetitions cover.
struct Period {
  std::size_t length = 1;
  std::size_t times = 1;
  std::size_t covered() const { return length * times; }
};

// What covers the most layers from there on; of equals the shortest period.
Period best_period(const std::vector<std::string>& names, std::size_t first) {
  constexpr std::size_t kLongest = 64;
  Period best;
  for (std::size_t length = 1; length <= kLongest && first + 2 * length <= names.size(); ++length) {
    const Period period{length, repetitions(names, first, length)};
    if (period.times > 1 && period.covered() > best.covered()) best = period;
  }
  return best;
}

}  // namespace

std::string layers_text(const Model& model) {
  bool says_ffn = false;
  const LayerKind first = model.kind_of(0);
  for (const LayerRun& run : layer_runs(model, 0, model.layers)) {
    const bool alike = run.kind.dense == first.dense && run.kind.experts == first.experts;
    says_ffn = says_ffn || !alike;
  }
  std::vector<std::string> names;
  names.reserve(model.layers);
  for (int layer = 0; layer < model.layers; ++layer) {
    names.push_back(name_of_kind(model, model.kind_of(layer), says_ffn));
  }
  std::string text;
  std::size_t plain = 0;  // layers before `at` that no period covers
  const auto flush = [&](std::size_t at) {
    if (plain == 0) return;
    text += (text.empty() ? "" : ", ") + runs_text(names, at - plain, plain);
    plain = 0;
  };
  for (std::size_t at = 0; at < names.size();) {
    const Period period = best_period(names, at);
    if (period.times == 1) {
      ++plain;
      ++at;
      continue;
    }
    if (period.length == 1) {
      plain += period.times;
    } else {
      flush(at);
      text += fmt::format("{}{} x ({})", text.empty() ? "" : ", ", period.times,
                          runs_text(names, at, period.length));
    }
    at += period.covered();
    if (period.length > 1) continue;
  }
  flush(names.size());
  return text;
}

}  // namespace rehearse
