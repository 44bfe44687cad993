#include "facts/facts.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "cost/operator_cost.hpp"
#include "model/weights.hpp"
#include "proto/facts.pb.h"
#include "proto/proto_json.hpp"

namespace rehearse {
namespace {

void fill(const Model& model, proto::Parameters& to) {
  const ParameterCount count = count_parameters(model);
  to.set_total(count.total);
  to.set_active(count.active);
  to.set_embedding(count.embedding);
  to.set_lm_head(count.lm_head);
  to.set_attention(count.attention);
  to.set_router(count.router);
  to.set_experts(count.experts);
  to.set_shared_experts(count.shared_experts);
  to.set_dense_ffn(count.dense_ffn);
  to.set_norms(count.norms);
  to.set_stored_bytes(stored_bytes(model).value);
  to.set_bytes_each(to.stored_bytes() / count.total);
}

void fill(const Model& model, proto::Dimensions& to) {
  to.set_layers(model.layers);
  to.set_hidden(model.hidden);
  to.set_attention_heads(model.attention.heads);
  to.set_kv_heads(model.attention.kv_heads);
  to.set_head_dim(model.attention.head_dim);
  to.set_vocab(model.vocab);
  if (!model.moe) return;
  to.set_experts(model.moe->experts);
  to.set_top_k(model.moe->top_k);
  to.set_expert_width(model.moe->expert.width);
}

// Useful FLOPs of the phase's passes, over all ranks; of decode, those of its first step.
double flops_of(const Programs& programs, Phase phase) {
  double sum = 0;
  for (const RankEntry& entry : programs.ranks) {
    const Program& program = programs.programs[entry.program];
    bool decoded = false;
    for (const Block& block : program.blocks) {
      const bool first_decode = phase == Phase::kDecode && !decoded;
      for (int at = block.begin; at < block.end; ++at) {
        const Instruction& instruction = program.instructions[at];
        if (instruction.kind != Instruction::Kind::kCompute || instruction.pass < 0) continue;
        if (program.passes[instruction.pass].phase != phase) continue;
        if (phase == Phase::kDecode && !first_decode) continue;
        decoded = true;
        sum += instruction.flops.at(block.first_step) * instruction.useful_flops_share;
      }
    }
  }
  return sum;
}

void fill(const Model& model, const Plan& plan, const Programs& programs, proto::PerToken& to) {
  const double sequences = plan.batch.sequences;
  to.set_prefill_flops(flops_of(programs, Phase::kPrefill) /
                       (sequences * plan.batch.prompt_tokens));
  to.set_decode_flops(flops_of(programs, Phase::kDecode) / sequences);
  to.set_kv_bytes(kv_bytes_per_token(model).value);
}

void fill(const Layout& layout, proto::PlanLayout& to) {
  to.set_tensor(layout.tensor);
  to.set_pipeline(layout.pipeline);
  to.set_data(layout.data);
  to.set_expert(layout.expert);
  to.set_context(layout.context);
  to.set_dense_data(layout.dense_data());
  to.set_gpus(layout.gpus());
}

void fill(const Plan& plan, proto::PlanBatch& to) {
  to.set_sequences(plan.batch.sequences);
  to.set_prompt_tokens(plan.batch.prompt_tokens);
  to.set_output_tokens(plan.batch.output_tokens);
  to.set_micro_batches(plan.batch.micro_batches);
  to.set_decode_micro_batches(decode_micro_batches(plan));
}

void fill(const Platform& platform, Dtype dtype, proto::PlatformDevice& to) {
  const Device& device = platform.devices.front();
  const FlopsPerSecond usable = usable_peak(platform, device, dtype);
  to.set_gpus(static_cast<int>(platform.gpus.size()));
  to.set_peak_flops_per_s(usable.value / device.compute_efficiency);
  to.set_usable_flops_per_s(usable.value);
  to.set_memory_bytes(device.memory.value);
  to.set_memory_bandwidth_bytes_per_s(device.memory_bandwidth.value);
  to.set_usable_memory_bandwidth_bytes_per_s(usable_bandwidth(device).value);
  to.set_kernel_launch_s(device.kernel_launch.value);
  to.set_collective_launch_s(device.collective_launch.value);
}

void fill(const Model& model, const Layout& layout, const RankEntry& entry, const Program& program,
          proto::RankFacts& to) {
  to.set_tensor(entry.at.tensor);
  to.set_pipeline(entry.at.pipeline);
  to.set_data(entry.at.data);
  to.set_expert(entry.at.expert);
  to.set_layers(stage_layers(layout, model.layers)[entry.at.pipeline].count);
  to.set_attention_heads(share_of(model.attention.heads, layout.tensor, entry.at.tensor).count);
  to.set_expert_tensor(expert_tensor_degree(layout));
  if (model.moe) {
    const bool spread = expert_tensor_degree(layout) == 1;
    const int place = spread ? entry.at.expert * layout.tensor + entry.at.tensor : entry.at.expert;
    to.set_expert_shards(share_of(model.moe->experts, expert_group_size(layout), place).count);
  }
  to.set_modules(to.layers() * (1 + to.attention_heads() + to.expert_shards()));
  to.set_requests(entry.sequences.count);
  double kv = 0;
  double activations = 0;
  for (const Block& block : program.blocks) {
    for (int at = block.begin; at < block.end; ++at) {
      if (program.instructions[at].kind != Instruction::Kind::kPassBegin) continue;
      const Pass& pass = program.passes[program.instructions[at].pass];
      kv += pass.kv_appended.value * block.repeat;
      activations = std::max(activations, pass.activation_peak.value);
    }
  }
  to.set_weight_bytes(program.weights.value);
  to.set_kv_cache_bytes(kv);
  to.set_activation_bytes(activations);
  to.set_communication_buffer_bytes(program.communication_buffers.value);
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

std::string facts_json(const Model& model, const Plan& plan, const Platform& platform,
                       const Programs& programs) {
  proto::Facts facts;
  fill(model, *facts.mutable_parameters());
  fill(model, *facts.mutable_dimensions());
  fill(model, plan, programs, *facts.mutable_per_token());
  fill(plan.layout, *facts.mutable_layout());
  fill(plan, *facts.mutable_batch());
  fill(platform, programs.compute_dtype, *facts.mutable_device());
  for (const RankEntry& entry : programs.ranks) {
    fill(model, plan.layout, entry, programs.programs[entry.program], *facts.add_ranks());
  }
  fill(programs.groups, *facts.mutable_groups());
  for (const std::string& note : notes_of(model, platform)) facts.add_model_notes(note);
  return to_json(facts);
}

std::string facts_skeleton() { return skeleton_json(*proto::Facts::descriptor()); }

}  // namespace rehearse
