#include "claims/quantities.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/nearest_name.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

// Why a run may lack what the schema has, by the beginning of its path: what facts.proto and
// result.proto say where a field is optional. The first that fits.
struct Reason {
  const char* path;
  const char* why;
};
constexpr Reason kReasons[] = {
    {"tpot_s", "no request has a second output token"},
    {"itl_s", "no request has a second output token"},
    {"decode_step_s", "no request has a second output token"},
    {"routing.uniform_makespan_s", "no run with uniform routing was made beside it"},
    {"routing.time_lost_s", "no run with uniform routing was made beside it"},
    {"routing.rank_load_max_over_mean", "no copy was computed"},
    {"routing.padding_fraction", "no copy was computed"},
    {"routing", "tokens spread evenly over the experts"},
    {"balance.expert_load_max_over_mean", "tokens are assumed to spread evenly over the experts"},
    {"balance.dropped_token_fraction", "the model has no experts"},
    {"replicas", "all prompts are equally long"},
    {"critical_path", "it is found with --explain only"},
    {"cost", "the platform states no price or no power of its GPUs"},
    {"device", "the platform has GPUs of several kinds"},
    {"parameters", "the model has no such part"},
    {"dimensions", "the model has no experts"},
    {"ranks", "the model has no experts"},
    {"per_token.decode_flops", "no request has a second output token"},
    {"batch.decode_micro_batches", "no request has a second output token"},
    {"batch.prompt_tokens", "prompts differ in length"},
    {"batch", "requests arrive one after the other"},
    {"prefill", "requests arrive one after the other"},
    {"serve", "the requests are one batch"},
    {"serving", "the requests are one batch"},
    {"queue_s", "the requests are one batch"},
    {"e2e_s", "the requests are one batch"},
    {"search", "no layout of the search can run"},
};

std::vector<std::string> names_of(const json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

// The text that tells the elements of a list apart: "axis" in by_axis, "category" in by_category.
const std::string* key_of(const json& element) {
  if (!element.is_object()) return nullptr;
  for (const auto& [name, value] : element.items()) {
    if (value.is_string()) return value.get_ptr<const std::string*>();
  }
  return nullptr;
}

class Walk {
 public:
  Walk(const Comparison& comparison, const Expression& path, bool skeleton)
      : comparison_(comparison), path_(path.path), skeleton_(skeleton) {}

  std::vector<const json*> run(const json& root) {
    std::vector<const json*> here = {&root};
    for (std::size_t i = 0; i < path_.size(); ++i) {
      std::vector<const json*> next;
      for (const json* const each : here) {
        const std::vector<const json*> found = step(*each, i);
        next.insert(next.end(), found.begin(), found.end());
      }
      here = std::move(next);
    }
    return here;
  }

 private:
  std::string before(std::size_t step) const {
    return to_text(std::vector<PathStep>(path_.begin(), path_.begin() + static_cast<long>(step)));
  }

  [[noreturn]] void fail(std::size_t step, const std::string& message) const {
    throw InputError(comparison_.place(path_[step].at), message);
  }

  // The schema has it, as was checked before; this run does not.
  [[noreturn]] void lack(std::size_t step, const std::string& message,
                         AbsentQuantity::What what) const {
    throw AbsentQuantity(comparison_.place(path_[step].at), message, what);
  }

  std::vector<const json*> step(const json& from, std::size_t i) const {
    const PathStep& step = path_[i];
    if (step.kind == PathStep::Kind::kField) return {&field(from, i)};
    if (!from.is_array()) fail(i, fmt::format("{} is no list", before(i)));
    if (skeleton_ && step.kind != PathStep::Kind::kKey) return {&from.front()};
    if (step.kind == PathStep::Kind::kKey) return {&keyed(from, i)};
    if (step.last >= static_cast<int>(from.size())) {
      lack(i,
           fmt::format("{} has {} elements, from [0]; there is no [{}]", before(i), from.size(),
                       step.last),
           AbsentQuantity::What::kElement);
    }
    std::vector<const json*> elements;
    for (int at = step.first; at <= step.last; ++at) elements.push_back(&from[at]);
    return elements;
  }

  const json& field(const json& from, std::size_t i) const {
    const std::string& name = path_[i].name;
    if (from.is_array()) {
      fail(i,
           fmt::format("{} is a list: write {}[0].{} for one element, or a key or a range in the "
                       "brackets",
                       before(i), before(i), name));
    }
    if (!from.is_object())
      fail(i, fmt::format("{} is a single value: it has no fields", before(i)));
    const auto found = from.find(name);
    if (found != from.end() && !found->is_null()) return *found;
    if (!skeleton_) lack(i, not_measured(before(i + 1)), AbsentQuantity::What::kField);
    fail(i, fmt::format("unknown quantity \"{}\"{}: {}", name, i == 0 ? "" : " of " + before(i),
                        suggestion(name, names_of(from))));
  }

  const json& keyed(const json& from, std::size_t i) const {
    std::vector<std::string> keys;
    for (const json& element : from) {
      const std::string* const key = key_of(element);
      if (key == nullptr)
        fail(i, fmt::format("the elements of {} have no names: write an index", before(i)));
      if (skeleton_ || *key == path_[i].name) return element;
      keys.push_back(*key);
    }
    lack(i,
         keys.empty() ? fmt::format("{} is empty in this run", before(i))
                      : fmt::format("{} has no \"{}\" in this run: it has {}", before(i),
                                    path_[i].name, fmt::join(keys, " ")),
         AbsentQuantity::What::kElement);
  }

  const Comparison& comparison_;
  const std::vector<PathStep>& path_;
  bool skeleton_;
};

}  // namespace

std::string not_measured(const std::string& path) {
  constexpr std::string_view kBest = "search.best.";
  const std::string own = path.starts_with(kBest) ? path.substr(kBest.size()) : path;
  for (const Reason& each : kReasons) {
    const std::string_view begin = each.path;
    if (!own.starts_with(begin)) continue;
    if (own.size() > begin.size() && own[begin.size()] != '.' && own[begin.size()] != '[') continue;
    return fmt::format("{} is not measured: {}", path, each.why);
  }
  return fmt::format("{} is not measured in this run", path);
}

std::vector<const json*> find_quantity(const Comparison& comparison, const Expression& path,
                                       const json& quantities, bool skeleton) {
  return Walk(comparison, path, skeleton).run(quantities);
}

}  // namespace rehearse
