// The space as it is written, in the plan's `search` message and in options. A field that is not
// written is free where it is a degree, and otherwise what the plan says.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/nearest_name.hpp"
#include "base/split.hpp"
#include "collectives/collective_algorithm.hpp"
#include "layout/layout.hpp"
#include "search/constraint.hpp"
#include "search/field_value.hpp"
#include "search/objective.hpp"
#include "search/space.hpp"

namespace rehearse {
namespace {

class SpaceReader {
 public:
  SpaceReader(const SpaceText& text, const Plan& plan) : text_(text), plan_(plan) {}

  Space read(std::vector<SearchPlatform> platforms) const {
    Space space;
    space.platforms = std::move(platforms);
    space.gpus = gpus(space);
    for (const LayoutField& each : kLayoutFields) {
      if (each.searched != SearchedAs::kNever) space.choices[index_of(each)] = choices(each);
    }
    space.order = orders();
    space.collectives = algorithms();
    space.quantizations = quantizations();
    return space;
  }

  // What can be said without the platforms.
  void check() const {
    degree("gpus");
    max_gpus();
    for (const LayoutField& each : kLayoutFields) {
      if (each.searched != SearchedAs::kNever) choices(each);
    }
    orders();
    algorithms();
    quantizations();
    if (const SpaceField* written = field("objective")) read_objectives(*written);
    if (const SpaceField* written = field("constraint")) read_constraints(*written);
  }

 private:
  const SpaceField* field(const std::string& name) const {
    const auto found = text_.find(name);
    return found == text_.end() ? nullptr : &found->second;
  }

  IntegerSet degree(const std::string& name) const {
    const SpaceField* written = field(name);
    return written == nullptr ? IntegerSet()
                              : parse_integer_set(written->values.front(), written->where, 1);
  }

  IntegerSet choices(const LayoutField& of) const {
    const bool serves = plan_.serve.has_value();
    const SpaceField* written = field(std::string(of.name()));
    if (written != nullptr && !of.searched_where(serves)) {
      throw InputError(written->where,
                       fmt::format("\"{}\": {} is of a plan with a {}, this one has a {}",
                                   written->values.front(), of.name(), serves ? "batch" : "service",
                                   serves ? "service" : "batch"));
    }
    // Replicas of a service that share nothing are `replicas`, once.
    const bool as_replicas = serves && of.member == LayoutMember(&Layout::data);
    if (written == nullptr && as_replicas) return {1, 1};
    if (of.searched == SearchedAs::kDegree) return degree(std::string(of.name()));
    if (written == nullptr) {
      const bool automatic = of.searched == SearchedAs::kAutomatic;
      const int only = automatic ? 0 : value_of(of, plan_.layout, parts_of(plan_));
      return {only, only};
    }
    const std::string& text = written->values.front();
    return of.is_switch() ? switches(text, written->where) : numbers(of, text, written->where);
  }

  // "auto" among the values stands for 0, of what may be that.
  static IntegerSet numbers(const LayoutField& of, const std::string& text,
                            const SourceLocation& where) {
    const bool may_be_auto = of.searched == SearchedAs::kAutomatic || of.least == 0;
    std::vector<std::string> items = split(text, ',');
    const bool has_auto = std::erase_if(items, [&](const std::string& item) {
                            return may_be_auto && item == "auto";
                          }) > 0;
    if (items.empty()) return {0, 0};
    const std::string rest = fmt::format("{}", fmt::join(items, ","));
    // Of micro-batches 0 is written "auto".
    const int least = of.searched == SearchedAs::kAutomatic ? 1 : of.least;
    IntegerSet set = parse_integer_set(rest, where, least);
    if (set.most() > kMostMicroBatches) {
      throw InputError(where, fmt::format("\"{}\": must be at most {}", rest, kMostMicroBatches));
    }
    if (has_auto && set.least() > 0) set.add_least(0);
    return set;
  }

  static IntegerSet switches(const std::string& text, const SourceLocation& where) {
    if (text == "both") return {0, 1};
    if (text == "true") return {1, 1};
    if (text == "false") return {0, 0};
    throw InputError(where, fmt::format("\"{}\": must be true, false or both", text));
  }

  std::vector<std::string> orders() const {
    const SpaceField* written = field("order");
    if (written == nullptr) return {plan_.layout.order};
    std::set<std::string> seen;
    for (const std::string& order : written->values) {
      if (!seen.insert(order).second) refuse_twice(*written, order);
      if (rank_order(order).empty()) {
        throw InputError(written->where,
                         fmt::format("\"{}\" is not a permutation of tp-cp-ep-dp-pp", order));
      }
    }
    return written->values;
  }

  [[noreturn]] static void refuse_twice(const SpaceField& field, const std::string& value) {
    throw InputError(field.where, fmt::format("\"{}\" is given twice", value));
  }

  // Each value is one choice: "all_reduce=ring" or "all_reduce=ring,all_to_all=direct".
  static void check_algorithm(const std::string& op, const std::string& name,
                              const SourceLocation& where) {
    for (int at = 0; at < kCollectiveOps; ++at) {
      const auto each = static_cast<CollectiveOp>(at);
      if (op != to_text(each)) continue;
      if (name == "auto" || algorithm_named(each, name) != nullptr) return;
      throw InputError(where, fmt::format("unknown algorithm \"{}\" of {}: {}", name, op,
                                          name_rule(name, "auto " + names_of_algorithms(each))));
    }
    throw InputError(where, fmt::format("unknown operation \"{}\": {}", op,
                                        name_rule(op, names_of_collective_ops())));
  }

  std::vector<std::map<std::string, std::string>> algorithms() const {
    const SpaceField* written = field("collectives");
    if (written == nullptr) return {plan_.collectives};
    std::vector<std::map<std::string, std::string>> choices;
    for (const std::string& choice : written->values) {
      std::map<std::string, std::string> chosen = plan_.collectives;
      std::set<std::string> named;
      // An empty one: as in the plan.
      const std::vector<std::string> items =
          choice.empty() ? std::vector<std::string>{} : split(choice, ',');
      for (const std::string& item : items) {
        std::string op;
        std::string name;
        if (!split_pair(item, op, name)) {
          throw InputError(written->where,
                           fmt::format("\"{}\": must be OPERATION=ALGORITHM", item));
        }
        check_algorithm(op, name, written->where);
        if (!named.insert(op).second) refuse_twice(*written, op);
        chosen[op] = name;
        if (name == "auto") chosen.erase(op);
      }
      const bool again = std::find(choices.begin(), choices.end(), chosen) != choices.end();
      if (again) refuse_twice(*written, choice);
      choices.push_back(std::move(chosen));
    }
    return choices;
  }

  // Each value is one choice: "weight_dtype=fp8", "weight_dtype=fp8,kv_dtype=fp8", or "plan": as
  // the plan has it. What their values may be is known where the model is read.
  std::vector<std::map<std::string, std::string>> quantizations() const {
    const SpaceField* written = field("quantization");
    if (written == nullptr) return {{}};
    std::vector<std::map<std::string, std::string>> choices;
    for (const std::string& choice : written->values) {
      std::map<std::string, std::string> chosen;
      const std::vector<std::string> items =
          choice == "plan" ? std::vector<std::string>{} : split(choice, ',');
      for (const std::string& item : items) {
        std::string name;
        std::string value;
        const bool pair = split_pair(item, name, value);
        if (!pair ||
            std::find(std::begin(kQuantized), std::end(kQuantized), name) == std::end(kQuantized)) {
          throw InputError(written->where,
                           fmt::format("\"{}\": must be plan or FIELD=TYPE, FIELD one of {}{}",
                                       item, fmt::join(kQuantized, " "),
                                       hint(name, {std::begin(kQuantized), std::end(kQuantized)})));
        }
        if (!chosen.emplace(name, value).second) refuse_twice(*written, name);
      }
      const bool again = std::find(choices.begin(), choices.end(), chosen) != choices.end();
      if (again) refuse_twice(*written, choice);
      choices.push_back(std::move(chosen));
    }
    return choices;
  }

  std::optional<int> max_gpus() const {
    const SpaceField* limit = field("max_gpus");
    if (limit == nullptr) return std::nullopt;
    const IntegerSet typed = parse_integer_set(limit->values.front(), limit->where, 1);
    if (typed.least() != typed.most()) {
      throw InputError(limit->where,
                       fmt::format("\"{}\": must be one whole number", limit->values.front()));
    }
    return typed.most();
  }

  IntegerSet gpus(Space& space) const {
    const auto largest = std::max_element(
        space.platforms.begin(), space.platforms.end(),
        [](const SearchPlatform& a, const SearchPlatform& b) { return a.gpus < b.gpus; });
    const int most = largest->gpus;
    const SpaceField* limit = field("max_gpus");
    const int allowed = max_gpus().value_or(most);
    const SpaceField* written = field("gpus");
    if (written == nullptr) return {1, std::min(most, allowed)};
    const IntegerSet asked = degree("gpus");
    if (asked.least() > allowed && limit != nullptr) {
      throw InputError(limit->where, fmt::format("at most {} GPUs contradicts gpus = {}", allowed,
                                                 written->values.front()));
    }
    if (asked.least() > most) {
      throw InputError(written->where,
                       fmt::format("\"{}\": the platform {} has {} GPU{}", written->values.front(),
                                   largest->path, most, most == 1 ? "" : "s"));
    }
    if (asked.most() > most && allowed >= most) {
      space.notes.push_back(
          fmt::format("gpus = {}: more than {} are not searched, the {} of the "
                      "platform {}",
                      written->values.front(), most, most, largest->path));
    }
    return asked.up_to(std::min(most, allowed));
  }

  static constexpr int kMostMicroBatches = 1 << 20;
  const SpaceText& text_;
  const Plan& plan_;
};

}  // namespace

SpaceText space_text_of(const Plan& plan) {
  SpaceText text;
  for (const auto& [field, values] : plan.search) {
    text[field] = {values, plan.where.at("search." + field)};
  }
  return text;
}

void check_search_of(const Plan& plan) {
  const SpaceText text = space_text_of(plan);
  SpaceReader(text, plan).check();
}

Space read_space(const SpaceText& text, const Plan& plan, std::vector<SearchPlatform> platforms) {
  if (plan.serve && plan.serve->pools) {
    throw InputError(plan.where.at("serve.pools"),
                     "serve.pools: a search varies one layout and its replicas: give the plan a "
                     "layout instead");
  }
  return SpaceReader(text, plan).read(std::move(platforms));
}

}  // namespace rehearse
