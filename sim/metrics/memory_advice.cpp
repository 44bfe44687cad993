// Each term of the memory has fields that lessen it: a change of one field is tried on a copy of
// the plan, and what the fullest rank needs then is known without lowering it
// (program/memory_need).
#include "metrics/memory_advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "layout/memory_rule.hpp"
#include "layout/prefill_passes.hpp"
#include "program/memory_need.hpp"

namespace rehearse {
namespace {

struct Change {
  std::string text;  // "batch.micro_batches=5"
  Bytes need;        // of the fullest rank, then
};

struct Term {
  MemoryCategory category;
  bool same_service;  // the change leaves the traffic and the number of GPUs as they are
  std::function<std::optional<Change>()> least_change;
};

class Adviser {
 public:
  Adviser(const Model& model, const Plan& plan, const MemoryPeak& memory)
      : model_(model), plan_(plan), memory_(memory) {}

  std::string advice() const {
    std::vector<Term> terms = {
        {MemoryCategory::kActivations, true, [this] { return smaller_passes(); }},
        {MemoryCategory::kCommunicationBuffers, true, [this] { return smaller_buffers(); }},
        {MemoryCategory::kWeights, true, [this] { return experts_for_data(); }},
        {MemoryCategory::kKvCache, false, [this] { return fewer_requests(); }},
        {MemoryCategory::kWeights, false, [this] { return more_gpus(); }}};
    std::stable_sort(terms.begin(), terms.end(), [this](const Term& a, const Term& b) {
      if (a.same_service != b.same_service) return a.same_service;
      return bytes_of(a.category) > bytes_of(b.category);
    });
    for (const Term& term : terms) {
      if (plan_.batch.lengths.given) break;
      if (const std::optional<Change> change = term.least_change()) {
        return fmt::format("{}: {} would make it {}", term_text(term.category), change->text,
                           to_text(change->need));
      }
    }
    return in_words();
  }

 private:
  double bytes_of(MemoryCategory category) const {
    return memory_.bytes[static_cast<int>(category)];
  }

  std::string term_text(MemoryCategory category) const {
    return fmt::format("{} {}", to_text(category), to_text(Bytes{bytes_of(category)}));
  }

  int requests() const {
    return share_of(plan_.batch.sequences, plan_.layout.dense_data(), 0).count;
  }

  // The first stage has the embedding and no fewer layers than any other, the last one the head.
  Bytes need_of(const Model& model, const Plan& plan) const {
    const int sequences = share_of(plan.batch.sequences, plan.layout.dense_data(), 0).count;
    const Bytes first = highest_need(model, plan, 0, sequences).sum();
    if (plan.layout.pipeline == 1) return first;
    return std::max(first, highest_need(model, plan, plan.layout.pipeline - 1, sequences).sum());
  }

  bool holds(Bytes need) const { return fits(need.value / memory_.capacity_bytes, plan_); }

  std::optional<Change> if_it_holds(const Model& model, const Plan& plan, std::string text) const {
    const Bytes need = need_of(model, plan);
    if (!holds(need)) return std::nullopt;
    return Change{std::move(text), need};
  }

  // The least number in [from, to] that `holds`, which all larger ones do, too; nothing where `to`
  // does not.
  static std::optional<int> least_that(int from, int to, const std::function<bool(int)>& holds) {
    if (from > to || !holds(to)) return std::nullopt;
    while (from < to) {
      const int middle = from + (to - from) / 2;
      if (holds(middle)) {
        to = middle;
      } else {
        from = middle + 1;
      }
    }
    return to;
  }

  Plan with_passes(int micro_batches) const {
    Plan plan = plan_;
    plan.batch.micro_batches = micro_batches;
    return plan;
  }

  std::optional<Change> smaller_passes() const {
    const std::optional<int> least =
        least_that(plan_.batch.micro_batches + 1, requests(),
                   [this](int passes) { return holds(need_of(model_, with_passes(passes))); });
    if (!least) return std::nullopt;
    return if_it_holds(model_, with_passes(*least), fmt::format("batch.micro_batches={}", *least));
  }

  std::optional<Change> smaller_buffers() const {
    const double excess = memory_.peak_bytes - memory_.usable_bytes;
    const double left = std::floor((plan_.communication_buffers.value - excess) / 1e6) * 1e6;
    if (left < 0) return std::nullopt;
    return Change{fmt::format("communication_buffers={:.0f}MB", left / 1e6),
                  Bytes{memory_.peak_bytes - plan_.communication_buffers.value + left}};
  }

  Plan with_layout(const Layout& layout) const {
    Plan plan = plan_;
    plan.layout = layout;
    plan.layout.layers_per_stage.clear();
    choose_prefill_passes(plan);
    return plan;
  }

  bool is_legal(const Plan& plan) const {
    return layout_refusal(plan, model_, std::numeric_limits<int>::max(), "").empty();
  }

  // The same replicas of the dense part, whose GPUs share more experts.
  std::optional<Change> experts_for_data() const {
    Layout layout = plan_.layout;
    for (; model_.moe && layout.data % 2 == 0;) {
      layout.data /= 2;
      layout.expert *= 2;
      const Plan plan = with_layout(layout);
      if (!is_legal(plan)) return std::nullopt;
      if (std::optional<Change> change = if_it_holds(
              model_, plan,
              fmt::format("layout.expert={} with layout.data={}", layout.expert, layout.data))) {
        return change;
      }
    }
    return std::nullopt;
  }

  Plan with_requests(int of_replica) const {
    Plan plan = plan_;
    plan.batch.sequences = of_replica * plan.layout.dense_data();
    plan.batch.micro_batches = std::min(plan.batch.micro_batches, of_replica);
    plan.batch.decode_micro_batches = std::min(plan.batch.decode_micro_batches, of_replica);
    choose_prefill_passes(plan);
    return plan;
  }

  std::optional<Change> fewer_requests() const {
    const int most = requests() - 1;
    // Counted down, so that larger steps hold.
    const std::optional<int> steps = least_that(1, most, [&](int less) {
      return holds(need_of(model_, with_requests(requests() - less)));
    });
    if (!steps) return std::nullopt;
    const Plan plan = with_requests(requests() - *steps);
    std::optional<Change> change =
        if_it_holds(model_, plan, fmt::format("batch.sequences={}", plan.batch.sequences));
    Model fp8 = model_;
    fp8.kv_dtype = Dtype::kFp8;
    const bool smaller = bytes_per_element(model_.kv_dtype) > bytes_per_element(fp8.kv_dtype);
    if (change && smaller && holds(need_of(fp8, plan_))) {
      change->text = "model.kv_dtype=fp8, or " + change->text;
      change->need = std::max(change->need, need_of(fp8, plan_));
    }
    return change;
  }

  // The fewest GPUs that a doubled degree makes do.
  std::optional<Change> more_gpus() const {
    constexpr int kMostGpus = 1 << 20;
    for (int times = 2; plan_.layout.gpus() <= kMostGpus / times; times *= 2) {
      for (const auto& [degree, name] :
           {std::pair{&Layout::tensor, "tensor"}, std::pair{&Layout::pipeline, "pipeline"},
            std::pair{&Layout::expert, "expert"}}) {
        Layout layout = plan_.layout;
        layout.*degree *= times;
        const Plan plan = with_layout(layout);
        if (!is_legal(plan)) continue;
        if (std::optional<Change> change = if_it_holds(
                model_, plan,
                fmt::format("layout.{}={} ({} GPUs)", name, layout.*degree, layout.gpus()))) {
          return change;
        }
      }
    }
    return std::nullopt;
  }

  std::string in_words() const {
    const auto most = std::max_element(memory_.bytes.begin(), memory_.bytes.end());
    auto category = static_cast<MemoryCategory>(most - memory_.bytes.begin());
    const double excess = memory_.peak_bytes - memory_.usable_bytes;
    const bool could_be_cut = plan_.batch.micro_batches < requests();
    if (could_be_cut && bytes_of(MemoryCategory::kActivations) > excess) {
      category = MemoryCategory::kActivations;
    }
    return fmt::format("{}: {}", term_text(category), what_lessens(category));
  }

  static const char* what_lessens(MemoryCategory category) {
    switch (category) {
      case MemoryCategory::kActivations:
        return "a larger batch.micro_batches makes passes smaller";
      case MemoryCategory::kKvCache:
        return "fewer batch.sequences, a smaller model.kv_dtype or more layout.tensor and "
               "layout.pipeline lessen it";
      case MemoryCategory::kCommunicationBuffers:
        return "a smaller communication_buffers lessens it";
      case MemoryCategory::kWeights:
      case MemoryCategory::kCount:
        break;
    }
    return "more layout.tensor, layout.pipeline or layout.expert lessen it";
  }

  const Model& model_;
  const Plan& plan_;
  const MemoryPeak& memory_;
};

}  // namespace

std::string memory_advice(const Model& model, const Plan& plan, const MemoryPeak& memory) {
  if (plan.serve) {
    return "a smaller serve.engine.max_sequences, or more layout.tensor, layout.pipeline or "
           "layout.expert lessen it";
  }
  return Adviser(model, plan, memory).advice();
}

}  // namespace rehearse
