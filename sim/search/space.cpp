#include "search/space.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <sstream>
#include <utility>

#include "layout/layout.hpp"
#include "layout/prefill_passes.hpp"
#include "program/collectives/collective_algorithm.hpp"

namespace rehearse {
namespace {

constexpr char kStages[] = "layers";  // of a key; no collective operation is called so

// FIELD=VALUE of a key, or of a choice of algorithms.
bool split_pair(const std::string& text, std::string& field, std::string& value) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) return false;
  field = text.substr(0, equals);
  value = text.substr(equals + 1);
  return true;
}

class SpaceReader {
 public:
  SpaceReader(const SpaceText& text, const Plan& plan) : text_(text), plan_(plan) {}

  Space read(std::vector<SearchPlatform> platforms) const {
    Space space;
    space.platforms = std::move(platforms);
    space.gpus = gpus(space.platforms);
    space.tensor = degree("tensor");
    space.pipeline = degree("pipeline");
    space.data = degree("data");
    space.expert = degree("expert");
    space.expert_tensor = numbers("expert_tensor", 0, plan_.layout.expert_tensor);
    space.sequence_parallel = switches();
    space.micro_batches = numbers("micro_batches", 1, 0);
    space.decode_micro_batches = numbers("decode_micro_batches", 1, 0);
    space.order = orders();
    space.collectives = algorithms();
    return space;
  }

 private:
  const SpaceField* field(const char* name) const {
    const auto found = text_.find(name);
    return found == text_.end() ? nullptr : &found->second;
  }

  IntegerSet degree(const char* name) const {
    const SpaceField* written = field(name);
    return written == nullptr ? IntegerSet()
                              : parse_integer_set(written->values.front(), written->where, 1);
  }

  // "auto" among the values stands for 0.
  std::vector<int> numbers(const char* name, int least, int otherwise) const {
    const SpaceField* written = field(name);
    if (written == nullptr) return {otherwise};
    std::vector<int> all;
    std::string rest;
    std::istringstream items(written->values.front());
    for (std::string item; std::getline(items, item, ',');) {
      if (item == "auto") {
        all.push_back(0);
      } else {
        rest += (rest.empty() ? "" : ",") + item;
      }
    }
    if (all.empty() || !rest.empty()) {
      const IntegerSet set = parse_integer_set(rest, written->where, least);
      if (set.most() > kMostMicroBatches) {
        throw InputError(written->where,
                         fmt::format("\"{}\": must be at most {}", rest, kMostMicroBatches));
      }
      for (const int number : set.members()) all.push_back(number);
    }
    return distinct(std::move(all));
  }

  // In their order: a choice that is written twice is one.
  template <class Choice>
  static std::vector<Choice> distinct(std::vector<Choice> all) {
    std::set<Choice> seen;
    std::erase_if(all, [&](const Choice& each) { return !seen.insert(each).second; });
    return all;
  }

  std::vector<bool> switches() const {
    const SpaceField* written = field("sequence_parallel");
    if (written == nullptr) return {plan_.layout.sequence_parallel};
    const std::string& value = written->values.front();
    if (value == "both") return {false, true};
    if (value == "true" || value == "false") return {value == "true"};
    throw InputError(written->where, fmt::format("\"{}\": must be true, false or both", value));
  }

  std::vector<std::string> orders() const {
    const SpaceField* written = field("order");
    if (written == nullptr) return {plan_.layout.order};
    for (const std::string& order : written->values) {
      if (rank_order(order).empty()) {
        throw InputError(written->where,
                         fmt::format("\"{}\" is not a permutation of tp-cp-ep-dp-pp", order));
      }
    }
    return written->values;
  }

  // Each value is one choice: "all_reduce=ring" or "all_reduce=ring,all_to_all=direct".
  static void check_algorithm(const std::string& op, const std::string& name,
                              const SourceLocation& where) {
    std::string known;
    for (int at = 0; at < kCollectiveOps; ++at) {
      const auto each = static_cast<CollectiveOp>(at);
      known += fmt::format(" {}", to_text(each));
      if (op != to_text(each)) continue;
      if (name == "auto" || algorithm_named(each, name) != nullptr) return;
      throw InputError(where, fmt::format("unknown algorithm \"{}\" of {}: must be one of auto {}",
                                          name, op, names_of_algorithms(each)));
    }
    throw InputError(where, fmt::format("unknown operation \"{}\": must be one of{}", op, known));
  }

  std::vector<std::map<std::string, std::string>> algorithms() const {
    const SpaceField* written = field("collectives");
    if (written == nullptr) return {plan_.collectives};
    std::vector<std::map<std::string, std::string>> choices;
    for (const std::string& choice : written->values) {
      std::map<std::string, std::string>& chosen = choices.emplace_back(plan_.collectives);
      std::istringstream items(choice);
      for (std::string item; std::getline(items, item, ',');) {
        std::string op;
        std::string name;
        if (!split_pair(item, op, name)) {
          throw InputError(written->where,
                           fmt::format("\"{}\": must be OPERATION=ALGORITHM", item));
        }
        check_algorithm(op, name, written->where);
        chosen[op] = name;
        if (name == "auto") chosen.erase(op);
      }
    }
    return distinct(std::move(choices));
  }

  IntegerSet gpus(const std::vector<SearchPlatform>& platforms) const {
    const auto largest = std::max_element(
        platforms.begin(), platforms.end(),
        [](const SearchPlatform& a, const SearchPlatform& b) { return a.gpus < b.gpus; });
    const int most = largest->gpus;
    const SpaceField* limit = field("max_gpus");
    int allowed = most;
    if (limit != nullptr) {
      const IntegerSet typed = parse_integer_set(limit->values.front(), limit->where, 1);
      if (typed.least() != typed.most()) {
        throw InputError(limit->where,
                         fmt::format("\"{}\": must be one whole number", limit->values.front()));
      }
      allowed = typed.most();
    }
    const SpaceField* written = field("gpus");
    if (written == nullptr) return {1, std::min(most, allowed)};
    const IntegerSet asked = parse_integer_set(written->values.front(), written->where, 1);
    if (asked.least() > allowed && limit != nullptr) {
      throw InputError(limit->where, fmt::format("at most {} GPUs contradicts gpus = {}", allowed,
                                                 written->values.front()));
    }
    if (asked.least() > most) {
      throw InputError(written->where, fmt::format("\"{}\": the platform {} has {} GPUs",
                                                   written->values.front(), largest->path, most));
    }
    return asked.up_to(std::min(most, allowed));
  }

  static constexpr int kMostMicroBatches = 1 << 20;
  const SpaceText& text_;
  const Plan& plan_;
};

// Ascending.
std::vector<int> divisors_of(int number) {
  std::vector<int> small;
  std::vector<int> large;
  for (int divisor = 1; divisor <= number / divisor; ++divisor) {
    if (number % divisor != 0) continue;
    small.push_back(divisor);
    if (divisor != number / divisor) large.push_back(number / divisor);
  }
  small.insert(small.end(), large.rbegin(), large.rend());
  return small;
}

class Enumerator {
 public:
  Enumerator(const Space& space, const Plan& base, const Model& model)
      : space_(space), base_(base), model_(model) {
    const int share = share_of(base.batch.sequences, base.layout.dense_data(), 0).count;
    sequences_per_micro_batch_ = (share + base.batch.micro_batches - 1) / base.batch.micro_batches;
  }

  // Counted first, so that too many are refused before anything is checked.
  Enumeration run() {
    counting_ = true;
    visit_all();
    counting_ = false;
    result_.considered = 0;
    visit_all();
    return std::move(result_);
  }

 private:
  void visit_all() {
    for (std::size_t platform = 0; platform < space_.platforms.size(); ++platform) {
      plan_ = base_;
      plan_.platform_path = space_.platforms[platform].path;
      plan_.layout.layers_per_stage.clear();
      at_.platform = static_cast<int>(platform);
      at_.layout = plan_.layout;
      for (const int gpus : space_.gpus.members()) factor(gpus);
    }
  }

  static bool wants(const IntegerSet& allowed, int degree) {
    return allowed.empty() || allowed.contains(degree);
  }

  void factor(int gpus) {
    const std::vector<int> degrees = divisors_of(gpus);
    for (const int tensor : degrees) {
      if (!wants(space_.tensor, tensor)) continue;
      for (const int pipeline : degrees) {
        if (gpus / tensor % pipeline != 0 || !wants(space_.pipeline, pipeline)) continue;
        const int left = gpus / tensor / pipeline;
        for (const int expert : degrees) {
          if (left % expert != 0 || !wants(space_.expert, expert)) continue;
          if (!wants(space_.data, left / expert)) continue;
          at_.layout.tensor = tensor;
          at_.layout.pipeline = pipeline;
          at_.layout.expert = expert;
          at_.layout.data = left / expert;
          choose_the_rest();
        }
      }
    }
  }

  void choose_the_rest() {
    bool undivided = false;
    for (const int expert_tensor : space_.expert_tensor) {
      // 1 with one tensor rank says the same as 0.
      const bool same = at_.layout.tensor == 1 && expert_tensor == 1;
      at_.layout.expert_tensor = same ? 0 : expert_tensor;
      if (at_.layout.tensor == 1 && expert_tensor <= 1 && std::exchange(undivided, true)) continue;
      for (const bool sequence_parallel : space_.sequence_parallel) {
        if (sequence_parallel != space_.sequence_parallel.front() && at_.layout.tensor == 1)
          continue;
        at_.layout.sequence_parallel = sequence_parallel;
        choose_order_and_collectives();
      }
    }
  }

  // The order of the axes that divide anything: two orders with the same one place every rank
  // alike.
  std::vector<int> placing_order() const {
    std::vector<int> order = rank_order(at_.layout.order);
    const Layout& at = at_.layout;
    const int degrees[] = {at.tensor, at.context, at.expert, at.data, at.pipeline};
    std::erase_if(order, [&](int axis) { return degrees[axis] == 1; });
    return order;
  }

  void choose_order_and_collectives() {
    std::set<std::vector<int>> placed;
    for (const std::string& order : space_.order) {
      at_.layout.order = order;
      if (!placed.insert(placing_order()).second) continue;
      for (const auto& collectives : space_.collectives) {
        at_.collectives = collectives;
        choose_micro_batches();
      }
    }
  }

  void choose_micro_batches() {
    std::set<int> tried;  // explicit ones may repeat the automatic ones
    for (const int micro_batches : space_.micro_batches) {
      const int share = share_of(base_.batch.sequences, at_.layout.dense_data(), 0).count;
      at_.micro_batches = micro_batches != 0           ? micro_batches
                          : base_.batch.default_passes ? default_passes()
                                                       : (share + sequences_per_micro_batch_ - 1) /
                                                             sequences_per_micro_batch_;
      if (!tried.insert(at_.micro_batches).second) continue;
      for (const int decode : space_.decode_micro_batches) {
        at_.decode_micro_batches = decode;
        check();
      }
    }
  }

  // They depend on the replicas only, and real lengths take a while to draw.
  int default_passes() {
    const auto [known, is_new] = passes_.try_emplace(at_.layout.dense_data());
    if (is_new) {
      Plan plan = base_;
      plan.layout = at_.layout;
      choose_prefill_passes(plan);
      known->second = plan.batch.micro_batches;
    }
    return known->second;
  }

  void check() {
    if (++result_.considered > kMostConsidered) {
      throw InputError({"rehearse search", 1, 1},
                       fmt::format("the space has more than {} layouts: give fewer --gpus or "
                                   "degrees",
                                   kMostConsidered));
    }
    if (counting_) return;
    const SearchPlatform& platform = space_.platforms[at_.platform];
    if (at_.layout.gpus() > platform.gpus) {
      ++result_.excluded[fmt::format("more GPUs than the {} of the platform {}", platform.gpus,
                                     platform.path)];
      return;
    }
    plan_.layout = at_.layout;
    plan_.batch.micro_batches = at_.micro_batches;
    plan_.batch.decode_micro_batches = at_.decode_micro_batches;
    const std::string refusal = layout_refusal(plan_, model_, platform.gpus, platform.path);
    if (refusal.empty()) {
      result_.legal.push_back(at_);
    } else {
      ++result_.excluded[refusal];
    }
  }

  // About ten seconds to check, and 2 GB where all are legal.
  static constexpr long kMostConsidered = 2'000'000;
  const Space& space_;
  const Plan& base_;
  const Model& model_;
  int sequences_per_micro_batch_ = 1;
  bool counting_ = false;
  std::map<int, int> passes_;  // by replicas of the dense part
  Plan plan_;
  Candidate at_;
  Enumeration result_;
};

}  // namespace

Plan plan_of(const Plan& base, const Space& space, const Candidate& candidate) {
  Plan plan = base;
  plan.platform_path = space.platforms[candidate.platform].path;
  plan.layout = candidate.layout;
  plan.batch.decode_micro_batches = candidate.decode_micro_batches;
  // A number that is the default says the same as none: real lengths are cut likewise.
  choose_prefill_passes(plan);
  plan.batch.default_passes =
      base.batch.default_passes && plan.batch.micro_batches == candidate.micro_batches;
  plan.batch.micro_batches = candidate.micro_batches;
  plan.collectives = candidate.collectives;
  return plan;
}

std::string key_of(const Space& space, const Candidate& candidate) {
  const Layout& at = candidate.layout;
  std::string key = fmt::format("{} tp={} pp={} dp={} ep={} etp={} sp={} mb={} dmb={} {}",
                                space.platforms[candidate.platform].id, at.tensor, at.pipeline,
                                at.data, at.expert, at.expert_tensor, at.sequence_parallel ? 1 : 0,
                                candidate.micro_batches, candidate.decode_micro_batches, at.order);
  for (const auto& [op, algorithm] : candidate.collectives) {
    key += fmt::format(" {}={}", op, algorithm);
  }
  if (!at.layers_per_stage.empty()) {
    key += fmt::format(" {}={}", kStages, fmt::join(at.layers_per_stage, ","));
  }
  return key;
}

std::optional<Candidate> candidate_of(const Space& space, const std::string& key) {
  char id[13] = "";
  char order[32] = "";
  int sequence_parallel = 0;
  int read = 0;
  Candidate candidate;
  Layout& at = candidate.layout;
  const int found = std::sscanf(
      key.c_str(), "%12s tp=%d pp=%d dp=%d ep=%d etp=%d sp=%d mb=%d dmb=%d %31s%n", id, &at.tensor,
      &at.pipeline, &at.data, &at.expert, &at.expert_tensor, &sequence_parallel,
      &candidate.micro_batches, &candidate.decode_micro_batches, order, &read);
  const auto platform = std::find_if(space.platforms.begin(), space.platforms.end(),
                                     [&](const SearchPlatform& each) { return each.id == id; });
  if (found != 10 || platform == space.platforms.end()) return std::nullopt;
  candidate.platform = static_cast<int>(platform - space.platforms.begin());
  at.order = order;
  at.sequence_parallel = sequence_parallel != 0;
  std::istringstream rest(key.substr(static_cast<std::size_t>(read)));
  for (std::string word; rest >> word;) {
    std::string op;
    std::string algorithm;
    if (!split_pair(word, op, algorithm)) return std::nullopt;
    if (op == kStages) {
      std::istringstream layers(algorithm);
      for (int count = 0; layers >> count; layers.ignore(1)) at.layers_per_stage.push_back(count);
    } else {
      candidate.collectives[op] = algorithm;
    }
  }
  return candidate;
}

Space read_space(const SpaceText& text, const Plan& plan, std::vector<SearchPlatform> platforms) {
  return SpaceReader(text, plan).read(std::move(platforms));
}

Enumeration enumerate(const Space& space, const Plan& base, const Model& model) {
  return Enumerator(space, base, model).run();
}

}  // namespace rehearse
