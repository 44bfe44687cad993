#include "facts/facts.hpp"

#include <optional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "cost/device_rates.hpp"
#include "graph/model_flops.hpp"
#include "layout/memory_rule.hpp"
#include "layout/request_lengths.hpp"
#include "model/attention_kind.hpp"
#include "model/weights.hpp"
#include "plan/layout_fields.hpp"
#include "platform/gpu_kinds.hpp"
#include "program/program_memory.hpp"
#include "program/rank_copies.hpp"
#include "proto/facts.pb.h"
#include "proto/named_numbers.hpp"
#include "proto/proto_json.hpp"

namespace rehearse {
namespace {

void fill(const Model& model, proto::Parameters& to) {
  const ParameterCount count = count_parameters(model);
  to.set_total(count.total);
  to.set_active(count.active);
  to.set_embedding(count.embedding);
  if (count.lm_head > 0) to.set_lm_head(count.lm_head);
  to.set_attention(count.attention);
  if (model.moe) {
    to.set_router(count.router);
    to.set_experts(count.experts);
  }
  if (count.shared_experts > 0) to.set_shared_experts(count.shared_experts);
  if (count.dense_ffn > 0) to.set_dense_ffn(count.dense_ffn);
  to.set_norms(count.norms);
  to.set_stored_bytes(stored_bytes(model).value);
  to.set_bytes_each(to.stored_bytes() / (count.total + count.mtp));
  if (count.mtp > 0) to.set_mtp(count.mtp);
  if (count.towers > 0) to.set_towers(count.towers);
  if (count.extra > 0) to.set_extra(count.extra);
}

void fill(const Model& model, proto::Dimensions& to) {
  to.set_layers(model.layers);
  to.set_hidden(model.hidden);
  const AttentionHeads heads = attention_heads(model);
  to.set_attention_heads(heads.query);
  to.set_kv_heads(heads.key_value);
  to.set_head_dim(heads.dimensions);
  to.set_vocab(model.vocab);
  if (!model.moe) return;
  to.set_experts(model.moe->experts);
  to.set_top_k(model.moe->top_k);
  to.set_expert_width(model.moe->expert.width);
}

void fill_cache(const SequenceCache& cache, proto::PerToken& to) {
  to.set_kv_bytes(cache.of_token().value);
  if (!cache.windows.empty()) to.set_kv_bytes_without_windows(cache.token.value);
  if (cache.index.value > 0) to.set_index_bytes(cache.index.value);
}

void fill(const SequenceCache& cache, int context, proto::PerSequence& to) {
  to.set_context(context);
  to.set_kv_bytes(cache.keys_and_values(1, context).value);
  to.set_state_bytes(cache.state.value);
  if (cache.index.value > 0) to.set_index_bytes(cache.index.value * context);
}

void fill(const Model& model, const Plan& plan, proto::PerToken& to) {
  const ModelFlops flops = model_flops(model, plan);
  to.set_prefill_flops(flops.prefill.value / prompt_tokens(plan));
  if (flops.decoding > 0) to.set_decode_flops(flops.first_decode_step.value / flops.decoding);
  fill_cache(sequence_cache(model, 0, model.layers, 1), to);
}

void fill(const Layout& layout, proto::PlanLayout& to) {
  // Those that the schema has.
  for (const LayoutField& each : kLayoutFields) {
    if (each.path.starts_with("layout.")) set_number(to, each.name(), value_of(each, layout, {}));
  }
  to.set_dense_data(layout.dense_data());
  to.set_gpus(layout.gpus());
}

void fill(const Plan& plan, proto::PlanBatch& to) {
  to.set_sequences(plan.batch.sequences);
  if (!plan.batch.lengths.given) to.set_prompt_tokens(plan.batch.prompt_tokens);
  to.set_mean_prompt_tokens(prompt_tokens(plan) / plan.batch.sequences);
  to.set_output_tokens(plan.batch.output_tokens);
  to.set_micro_batches(plan.batch.micro_batches);
  to.set_micro_batches_by_default(plan.batch.default_passes);
  if (plan.batch.output_tokens > 1) to.set_decode_micro_batches(decode_micro_batches(plan));
}

void fill(const Serve& serve, const Plan& plan, proto::PlanServe& to) {
  const auto requests = static_cast<double>(serve.requests.size());
  to.set_requests(static_cast<int>(serve.requests.size()));
  to.set_mean_prompt_tokens(prompt_tokens(plan) / requests);
  to.set_mean_output_tokens(output_tokens(plan) / requests);
  to.set_last_arrival_s(serve.requests.back().arrival.value);
  to.set_engine(serve.engine.name);
  to.set_engines(serve.pools ? serve.pools->prefill.replicas * serve.pools->prefill.layout.data +
                                   serve.pools->decode.replicas * serve.pools->decode.layout.data
                             : serve.replicas * plan.layout.data);
  if (serve.engine.max_sequences) to.set_max_sequences(*serve.engine.max_sequences);
}

// A figure of a device by its field; nothing: the kind has no such peak.
using Figure = std::pair<int, std::optional<double>>;

std::vector<Figure> figures_of(const Platform& platform, const GpuKind& kind, const Plan& plan,
                               Dtype dtype) {
  const Device& device = kind.device;
  using Fact = proto::PlatformDevice;
  std::optional<double> usable;
  std::optional<double> peak;
  // A GPU that computes needs one: usable_peak says so where it has none.
  if (kind.used > 0 || dtype != Dtype::kFp32 || device.peak_fp32.value > 0) {
    usable = usable_peak(platform, device, dtype).value;
    peak = *usable / device.compute_efficiency;
  }
  return {{Fact::kPeakFlopsPerSFieldNumber, peak},
          {Fact::kUsableFlopsPerSFieldNumber, usable},
          {Fact::kMemoryBytesFieldNumber, device.memory.value},
          {Fact::kUsableMemoryBytesFieldNumber, usable_memory(device.memory, plan).value},
          {Fact::kMemoryBandwidthBytesPerSFieldNumber, device.memory_bandwidth.value},
          {Fact::kUsableMemoryBandwidthBytesPerSFieldNumber, usable_bandwidth(device).value},
          {Fact::kKernelLaunchSFieldNumber, device.kernel_launch.value},
          {Fact::kCollectiveLaunchSFieldNumber, device.collective_launch.value}};
}

void fill(const std::vector<Figure>& figures, proto::PlatformDevice& to) {
  for (const auto& [field, value] : figures) {
    if (!value) continue;
    to.GetReflection()->SetDouble(&to, to.GetDescriptor()->FindFieldByNumber(field), *value);
  }
}

// The first ranks' GPUs of the platform are those of the layout.
void fill(const Platform& platform, const Plan& plan, const Programs& programs, proto::Facts& to) {
  const int used = programs.all_ranks();
  std::vector<Figure> common;
  bool first = true;
  for (const GpuKind& kind : gpu_kinds(platform, used)) {
    std::vector<Figure> figures = figures_of(platform, kind, plan, programs.compute_dtype);
    proto::PlatformDevice& device = *to.add_devices();
    device.set_gpus(kind.gpus);
    device.set_used_gpus(kind.used);
    device.set_first_host(kind.first_host);
    fill(figures, device);
    if (kind.used == 0) continue;
    if (std::exchange(first, false)) common = figures;
    for (std::size_t at = 0; at < common.size(); ++at) {
      if (common[at].second != figures[at].second) common[at].second.reset();
    }
  }
  to.mutable_device()->set_gpus(static_cast<int>(platform.gpus.size()));
  fill(common, *to.mutable_device());
}

void fill(const Model& model, const Plan& plan, const Programs& programs, const RankEntry& entry,
          proto::RankFacts& to) {
  const Layout& layout = plan.layout;
  to.set_tensor(entry.at.tensor);
  to.set_pipeline(entry.at.pipeline);
  to.set_data(entry.at.data);
  to.set_expert(entry.at.expert);
  const Program& program = programs.programs[entry.program];
  int layers = 0;
  for (const Share& chunk : program.layers) layers += chunk.count;
  to.set_layers(layers);
  to.set_attention_heads(
      share_of(attention_heads(model).query, layout.tensor, entry.at.tensor).count);
  if (model.moe) {
    to.set_expert_tensor(expert_tensor_degree(layout));
    const bool spread = expert_tensor_degree(layout) == 1;
    const int copies = plan.placement.redundant_experts;
    const int place = spread ? entry.at.expert * layout.tensor + entry.at.tensor : entry.at.expert;
    to.set_expert_shards(
        share_of(model.moe->experts + copies, expert_group_size(layout), place).count);
  }
  to.set_modules(to.layers() * (1 + to.attention_heads() + to.expert_shards()));
  to.set_requests(entry.sequences.count);
  const ProgramMemory memory = memory_of(programs, program);
  to.set_weight_bytes(memory.weights.value);
  to.set_kv_cache_bytes(memory.kv_cache.value);
  to.set_activation_bytes(memory.activations.value);
  to.set_communication_buffer_bytes(memory.communication_buffers.value);
}

void fill(const ProcessGroups& groups, proto::Groups& to) {
  for (const ProcessGroup& group : groups.groups) {
    proto::Group* added = nullptr;
    switch (group.axis) {
      case Axis::kTensor:
        added = to.add_tp();
        break;
      case Axis::kExpert:
        added = to.add_ep();
        break;
      case Axis::kPipeline:
        added = to.add_pp();
        break;
      case Axis::kData:
        added = to.add_dp();
        break;
      case Axis::kExpertData:
        added = to.add_edp();
        break;
      case Axis::kCount:
        break;
    }
    SIM_CHECK(added != nullptr, "an axis has no groups among the facts");
    for (const Rank rank : group.ranks) added->add_ranks(rank);
  }
}

}  // namespace

std::string model_facts_json(const Model& model, int context) {
  proto::ModelFacts facts;
  facts.set_name(model.name);
  fill(model, *facts.mutable_parameters());
  // Of a model by itself they are always told.
  const ParameterCount count = count_parameters(model);
  facts.mutable_parameters()->set_mtp(count.mtp);
  facts.mutable_parameters()->set_towers(count.towers);
  fill(model, *facts.mutable_dimensions());
  facts.set_layers(layers_text(model));
  for (int at = 0; at < static_cast<int>(model.attention.size()); ++at) {
    proto::AttentionFacts& added = *facts.add_attention();
    added.set_name(name_of(model.attention[at]));
    added.set_layers(layers_with_attention(model, at));
    added.set_parameters(attention_parameters(model, at));
  }
  const TokenFlops flops = token_flops(model, context);
  const SequenceCache cache = sequence_cache(model, 0, model.layers, 1);
  facts.mutable_per_token()->set_prefill_flops(flops.prefill.value);
  facts.mutable_per_token()->set_decode_flops(flops.decode.value);
  fill_cache(cache, *facts.mutable_per_token());
  fill(cache, context, *facts.mutable_per_sequence());
  for (const std::string& note : model.notes) facts.add_model_notes(note);
  return to_json(facts);
}

std::string facts_json(const Model& model, const Plan& plan, const Platform& platform,
                       const Programs& programs) {
  proto::Facts facts;
  fill(model, *facts.mutable_parameters());
  fill(model, *facts.mutable_dimensions());
  fill(model, plan, *facts.mutable_per_token());
  fill(plan.layout, *facts.mutable_layout());
  if (plan.serve) {
    fill(*plan.serve, plan, *facts.mutable_serve());
  } else {
    fill(plan, *facts.mutable_batch());
  }
  fill(platform, plan, programs, facts);
  const RankCopies copies(programs);
  for (Rank rank = 0; rank < copies.size(); ++rank) {
    const RankEntry entry = copies.entry(rank);
    fill(model, plan, programs, entry, *facts.add_ranks());
  }
  fill(copies.groups(), *facts.mutable_groups());
  for (const std::string& note : notes_of(model, platform)) facts.add_model_notes(note);
  return to_json(facts);
}

std::string facts_skeleton() { return skeleton_json(*proto::Facts::descriptor()); }

}  // namespace rehearse
