// Every layout of a space, in a fixed order: the numbers of GPUs are factored into degrees, and for
// each factoring the rest is chosen, each choice once that says the same. What check_layout refuses
// is counted under its words.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "layout/layout.hpp"
#include "layout/layout_rules.hpp"
#include "layout/prefill_passes.hpp"
#include "search/space.hpp"

namespace rehearse {
namespace {

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
      : space_(space), base_(base), base_model_(model) {
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
      for (const auto& quantization : space_.quantizations) {
        at_.quantization = quantization;
        model_ = &model_of(space_, base_model_, at_);
        for (const int gpus : space_.gpus.members()) factor(gpus);
      }
    }
  }

  const IntegerSet& choices(const LayoutField& field) const {
    return space_.choices[index_of(field)];
  }
  void set(const LayoutField& field, int value) { set_value(field, value, at_.layout, at_); }

  bool wants(const LayoutField& degree, int value) const {
    const IntegerSet& allowed = choices(degree);
    return allowed.empty() || allowed.contains(value);
  }

  void factor(int gpus) { factor(divisors_of(gpus), gpus, std::begin(kLayoutFields)); }

  // The degrees from `field` on, `left` being what the earlier ones leave of the GPUs. The replicas
  // take what is left in the end.
  void factor(const std::vector<int>& divisors, int left, const LayoutField* field) {
    const bool serves = base_.serve.has_value();
    const LayoutField* const replicas = layout_field(serves ? "replicas" : "data");
    while (field != std::end(kLayoutFields) &&
           (field->searched != SearchedAs::kDegree || !field->searched_where(serves) ||
            field == replicas)) {
      ++field;
    }
    if (field == std::end(kLayoutFields)) {
      if (!wants(*replicas, left)) return;
      set(*replicas, left);
      return choose_the_rest(std::begin(kLayoutFields));
    }
    for (const int degree : divisors) {
      if (left % degree != 0 || !wants(*field, degree)) continue;
      set(*field, degree);
      factor(divisors, left / degree, field + 1);
    }
  }

  // The choices from `field` on. Of those that say the same with these degrees one is enough.
  void choose_the_rest(const LayoutField* field) {
    while (field != std::end(kLayoutFields) && field->searched != SearchedAs::kChoice) ++field;
    if (field == std::end(kLayoutFields)) return choose_order_and_collectives();
    std::set<int> tried;
    const IntegerSet& all = choices(*field);
    for (const int choice : all.members()) {
      const int value =
          field->meant == nullptr ? choice : field->meant(at_.layout, choice, all.least());
      if (!tried.insert(value).second) continue;
      set(*field, value);
      choose_the_rest(field + 1);
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
    for (const int micro_batches : choices(*layout_field("micro_batches")).members()) {
      const int share = share_of(base_.batch.sequences, at_.layout.dense_data(), 0).count;
      at_.micro_batches = micro_batches != 0           ? micro_batches
                          : base_.batch.default_passes ? default_passes()
                                                       : (share + sequences_per_micro_batch_ - 1) /
                                                             sequences_per_micro_batch_;
      if (!tried.insert(at_.micro_batches).second) continue;
      for (const int decode : choices(*layout_field("decode_micro_batches")).members()) {
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
    if (at_.gpus() > platform.gpus) {
      exclude(fmt::format("more GPUs than the {} of the platform {}", platform.gpus, platform.path),
              0);
      return;
    }
    plan_.layout = at_.layout;
    plan_.batch.micro_batches = at_.micro_batches;
    plan_.batch.decode_micro_batches = at_.decode_micro_batches;
    const BrokenRule broken = broken_rule(plan_, *model_, platform.gpus, platform.path);
    if (broken.reason.empty()) {
      result_.legal.push_back(at_);
    } else {
      exclude(broken.reason, broken.kept);
    }
  }

  void exclude(const std::string& reason, int rules_kept) {
    ++result_.excluded[reason];
    if (rules_kept > most_kept_) result_.last.clear();
    most_kept_ = std::max(most_kept_, rules_kept);
    if (rules_kept == most_kept_) ++result_.last[reason];
  }

  // About ten seconds to check, and 2 GB where all are legal.
  static constexpr long kMostConsidered = 2'000'000;
  const Space& space_;
  const Plan& base_;
  const Model& base_model_;
  const Model* model_ = nullptr;  // of what is being visited
  int sequences_per_micro_batch_ = 1;
  bool counting_ = false;
  int most_kept_ = 0;          // rules, by what is not legal
  std::map<int, int> passes_;  // by replicas of the dense part
  Plan plan_;
  Candidate at_;
  Enumeration result_;
};

}  // namespace

Enumeration enumerate(const Space& space, const Plan& base, const Model& model) {
  return Enumerator(space, base, model).run();
}

}  // namespace rehearse
