#include "report/show.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "cost/cost_model.hpp"
#include "graph/workload_graph.hpp"
#include "layout/prefill_passes.hpp"
#include "layout/request_lengths.hpp"
#include "model/attention_kind.hpp"
#include "model/weights.hpp"
#include "plan/layout_fields.hpp"
#include "platform/gpu_kinds.hpp"
#include "program/micro_batches.hpp"
#include "program/pass_library.hpp"
#include "program/program_memory.hpp"
#include "report/show_large.hpp"
#include "report/show_model.hpp"
#include "report/show_work.hpp"

namespace rehearse {
namespace {

std::string layout_part(const Plan& plan, const Platform& platform) {
  const Layout& layout = plan.layout;
  std::string text = fmt::format(
      "Layout\n"
      "  tensor {} x pipeline {} x data {} x expert {} = {} of {} GPUs; rank order {}\n"
      "  the same, counted as Megatron does: tensor {}, pipeline {}, data {} (data x expert here), "
      "expert {}, expert tensor {}\n"
      "  attention and other dense weights have {} replicas, each expert has {}\n"
      "  sequence parallelism {}\n",
      layout.tensor, layout.pipeline, layout.data, layout.expert, layout.gpus(),
      platform.gpus.size(), layout.order, layout.tensor, layout.pipeline, layout.dense_data(),
      expert_group_size(layout), expert_tensor_degree(layout), layout.dense_data(), layout.data,
      layout.sequence_parallel ? "on" : "off");
  for (const LayoutField& each : kLayoutFields) {
    const int value = value_of(each, layout, parts_of(plan));
    if (each.path.starts_with("layout.") && each.late && value != default_of(each)) {
      text += fmt::format("  {} {}\n", each.heading, value);
    }
  }
  return text;
}

std::string batch_part(const Plan& plan) {
  const Batch& batch = plan.batch;
  const std::string prompt =
      batch.lengths.given
          ? fmt::format("{:.0f} prompt on average", prompt_tokens(plan) / batch.sequences)
          : fmt::format("{} prompt", batch.prompt_tokens);
  const std::string decoded =
      batch.output_tokens > 1 ? fmt::format(", decoded in {}", decode_micro_batches(plan)) : "";
  const int replicas = plan.layout.dense_data();
  const int most = share_of(batch.sequences, replicas, 0).count;
  const int least = share_of(batch.sequences, replicas, replicas - 1).count;
  return fmt::format(
      "Batch\n"
      "  {} requests x ({} + {} output tokens); a replica serves {}{}, prefilled in "
      "{}{}\n",
      batch.sequences, prompt, batch.output_tokens,
      least == most ? "" : fmt::format("{} or ", least), most, prefill_text(batch), decoded);
}

// Replicas follow each other on the platform's GPUs.
std::string replicas_line(const char* name, int replicas, int gpus, int first) {
  const int last = first + replicas * gpus - 1;
  return fmt::format("  {}{} replica{} of {} GPU{}{}, on GPUs {}\n", name, replicas,
                     replicas == 1 ? "" : "s", gpus, gpus == 1 ? "" : "s",
                     replicas == 1 ? "" : ", all alike",
                     first == last ? std::to_string(first) : fmt::format("{}-{}", first, last));
}

std::string replicas_text(const Plan& plan) {
  const Serve& serve = *plan.serve;
  if (!serve.pools) {
    if (serve.replicas == 1) return {};
    return replicas_line("", serve.replicas, plan.layout.gpus(), 0);
  }
  const ServingPool& prefill = serve.pools->prefill;
  const ServingPool& decode = serve.pools->decode;
  return replicas_line("prefill: ", prefill.replicas, prefill.layout.gpus(), 0) +
         replicas_line("decode: ", decode.replicas, decode.layout.gpus(),
                       prefill.replicas * prefill.layout.gpus());
}

// Of the traffic; how engines serve it is what they say themselves (service/engine_text.hpp).
std::string serve_part(const Plan& plan) {
  const Serve& serve = *plan.serve;
  const auto requests = static_cast<double>(serve.requests.size());
  return fmt::format(
             "Serve\n"
             "  {} requests x ({:.0f} prompt + {:.0f} output tokens on average), {}\n",
             serve.requests.size(), prompt_tokens(plan) / requests, output_tokens(plan) / requests,
             serve.concurrency > 0
                 ? fmt::format("{} at a time", serve.concurrency)
                 : fmt::format("the last arrives at {}", to_text(serve.requests.back().arrival))) +
         replicas_text(plan);
}

std::string engine_part(const Plan& plan) {
  return plan.engine.name.empty() ? "" : fmt::format("Engine\n  {}\n", plan.engine.assumption);
}

std::string instruction_line(const Programs& programs, const PassProgram& pass,
                             const Instruction& at, int layer, const DeviceRates& device) {
  const std::string name = programs.name_in_layer(at, layer);
  if (at.kind != Instruction::Kind::kCompute) {
    return fmt::format("    {:<22} {:>13} {:>13} {:>10}  {}\n", name, "",
                       to_text(Bytes{at.bytes.base}), "", to_text(at.axis));
  }
  const KernelTime cost = cost_model(device).time(
      {pass.work_of(at), 0, Flops{at.flops.base}, Bytes{at.bytes.base}}, device);
  return fmt::format("    {:<22} {:>13} {:>13} {:>10}  {}\n", name, to_text(Flops{at.flops.base}),
                     to_text(Bytes{at.bytes.base}), to_text(cost.total), bound_of(cost));
}

// The first pass of the phase in a program: where its instructions are, and how long they take on
// the GPU of its first rank.
std::string pass_part(const Programs& programs, const Program& program, Phase phase,
                      const Platform& platform, const Device& device) {
  const auto is_wanted = [&](const Action& action) {
    const PassProgram& pass = programs.pass_of(action);
    return pass.is_pass && action.phase == phase;
  };
  const auto action = std::find_if(program.actions.begin(), program.actions.end(), is_wanted);
  if (action == program.actions.end()) return {};
  const PassProgram& pass = programs.pass_of(*action);
  const DeviceRates rates(platform, device, programs.engine);
  std::string text = fmt::format(
      "  {} of a micro-batch of {} sequences ({:.0f} tokens); one layer, {}\n", to_text(phase),
      action->sequences.count, pass.tokens, "then what is outside layers:");
  text += fmt::format("    {:<22} {:>13} {:>13} {:>10}  {}\n", "operator", "FLOPs", "bytes", "time",
                      "bound by");
  bool layer_shown = false;
  for (const Place& place : pass.places) {
    const bool in_layer = place.layer != Place::kOutside;
    if (in_layer && std::exchange(layer_shown, true)) continue;
    for (int at = place.begin; at < place.end; ++at) {
      text += instruction_line(programs, pass, pass.instructions[at], action->layer(place.layer),
                               rates);
    }
  }
  for (auto next = std::next(action); next != program.actions.end(); ++next) {
    const PassProgram& message = programs.pass_of(*next);
    if (message.is_pass) break;
    text += instruction_line(programs, message, message.instructions[0], Place::kOutside, rates);
  }
  return text;
}

// Of `part` of the memory: "64.0 GB", or "64.0 GB to 80.0 GB" where the GPUs of the ranks are of
// several kinds.
std::string capacity_text(const Platform& platform, const Programs& programs,
                          const std::vector<Rank>& ranks, double part) {
  Bytes least{INFINITY};
  Bytes most;
  for (const Rank rank : ranks) {
    const Bytes memory = platform.device_of(programs.ranks[rank].gpu).memory * part;
    least = std::min(least, memory);
    most = std::max(most, memory);
  }
  return least == most ? to_text(most) : to_text(least) + " to " + to_text(most);
}

std::string memory_line(const Programs& programs, const Program& program, const std::string& usable,
                        const std::string& capacity, const Plan& plan) {
  const ProgramMemory memory = memory_of(programs, program);
  return fmt::format(
      "    weights {}, KV cache at {} {}, activations at most {}, communication buffers {}: "
      "at most {} of {} usable ({:.2f} of {})\n",
      to_text(memory.weights), plan.serve ? "its fullest" : "the end", to_text(memory.kv_cache),
      to_text(memory.activations), to_text(memory.communication_buffers), to_text(memory.sum()),
      usable, plan.memory_fraction, capacity);
}

// Of unequal GPUs: what each kind is.
std::string kinds_part(const Platform& platform, const Programs& programs) {
  const std::vector<GpuKind> kinds = gpu_kinds(platform, static_cast<int>(programs.ranks.size()));
  if (kinds.size() == 1) return {};
  std::string text = "GPUs, of several kinds\n";
  for (const GpuKind& kind : kinds) {
    text += fmt::format("  {} of {} used, from {} on: {}, {}\n", kind.used, kind.gpus,
                        kind.first_host, to_text(kind.device.peak), to_text(kind.device.memory));
  }
  return text;
}

// "experts 0,3-5 in layer 8": where they are placed by load they differ from layer to layer.
std::string experts_placed(const Model& model, const Programs& programs, Rank rank) {
  int layer = -1;  // the first that has experts
  for (const Share& chunk : programs.of(rank).layers) {
    for (int at = chunk.first; layer < 0 && at < chunk.first + chunk.count; ++at) {
      if (model.is_moe_layer(at)) layer = at;
    }
  }
  if (layer < 0) return {};
  const std::vector<Rank>& members = programs.groups.of(rank, Axis::kExpert).ranks;
  const auto member = std::find(members.begin(), members.end(), rank) - members.begin();
  const ExpertPlacement placement =
      programs.routing->placement(programs.ranks[rank].at.data, layer, 0);
  return fmt::format(", experts {} in layer {}", ranges(placement.held[member]), layer);
}

std::string holds(const Model& model, const Layout& layout, const Programs& programs, Rank rank) {
  const Coordinates& at = programs.ranks[rank].at;
  std::string text = "layers " + layers_text(programs.of(rank).layers);
  const Share heads = share_of(attention_heads(model).query, layout.tensor, at.tensor);
  text += fmt::format(", heads {}-{}", heads.first, heads.first + heads.count - 1);
  if (model.moe && programs.routing != nullptr) {
    text += experts_placed(model, programs, rank);
  } else if (model.moe) {
    const int degree = expert_tensor_degree(layout);
    const int place = degree == 1 ? at.expert * layout.tensor + at.tensor : at.expert;
    const Share experts = share_of(model.moe->experts, expert_group_size(layout), place);
    text += fmt::format(", experts {}-{}", experts.first, experts.first + experts.count - 1);
    if (degree > 1) text += fmt::format(" (column shard {} of {})", at.tensor, degree);
  }
  return text;
}

std::string requests_text(const Plan& plan, const Share& requests) {
  if (requests.count == 0) return "no requests";
  if (plan.serve) return fmt::format("{} requests", requests.count);
  return fmt::format("requests {}-{}", requests.first, requests.first + requests.count - 1);
}

std::string ranks_part(const Model& model, const Plan& plan, const Programs& programs,
                       const Platform& platform) {
  std::string text = "Ranks\n";
  for (Rank rank = 0; rank < static_cast<int>(programs.ranks.size()); ++rank) {
    const RankEntry& entry = programs.ranks[rank];
    const Share& requests = entry.sequences;
    text += fmt::format("  {:>4} {:<10} tp {} ep {} dp {} pp {}: {}, {}\n", rank,
                        platform.gpus[entry.gpu].host, entry.at.tensor, entry.at.expert,
                        entry.at.data, entry.at.pipeline, holds(model, plan.layout, programs, rank),
                        requests_text(plan, requests));
  }
  return text;
}

std::string stage_part(const Programs& programs, int stage, const Platform& platform) {
  for (const RankEntry& entry : programs.ranks) {
    const Program& program = programs.programs[entry.program];
    if (program.stage != stage) continue;
    const Device& device = platform.device_of(entry.gpu);
    const std::string on = platform.devices.size() > 1
                               ? fmt::format(", on {}", platform.gpus[entry.gpu].host)
                               : std::string();
    std::string text;
    for (const Phase phase : kPhases) {
      const std::string pass = pass_part(programs, program, phase, platform, device);
      text += fmt::format("  {}{}\n", program.role, on) + pass;
    }
    return text;
  }
  return {};
}

std::string groups_part(const ProcessGroups& groups) {
  std::string text = "Process groups\n";
  for (int axis = 0; axis < kAxes; ++axis) {
    text += fmt::format("  {:<4}", to_text(static_cast<Axis>(axis)));
    for (const ProcessGroup& group : groups.groups) {
      if (group.axis == static_cast<Axis>(axis)) text += fmt::format(" ({})", ranges(group.ranks));
    }
    text += "\n";
  }
  return text;
}

}  // namespace

bool is_large(const Plan& plan) {
  const int gpus = plan.serve ? plan.serve->gpus(plan.layout) : plan.layout.gpus();
  return static_cast<std::size_t>(std::max(gpus, plan.layout.gpus())) > kMostListed;
}

std::string show(const Model& model, const Plan& plan, const Platform& platform,
                 const Programs& programs, bool every_rank) {
  std::string text = fmt::format("Plan {}{}\n", plan.name,
                                 plan.variant.empty() ? "" : ", variant " + plan.variant);
  text += model_text(model) + layout_part(plan, platform) + kinds_part(platform, programs) +
          (plan.serve ? serve_part(plan) : batch_part(plan)) + engine_part(plan);
  if (!every_rank && is_large(plan)) {
    return show_large(model, plan, platform, programs, text);
  }
  text += "Roles (ranks of one role run the same program)\n";
  for (std::size_t index = 0; index < programs.programs.size(); ++index) {
    const Program& program = programs.programs[index];
    std::vector<Rank> ranks;
    for (Rank rank = 0; rank < static_cast<int>(programs.ranks.size()); ++rank) {
      if (programs.ranks[rank].program == static_cast<int>(index)) ranks.push_back(rank);
    }
    text += fmt::format("  {}: ranks {}\n", program.role, ranges(ranks));
    text += memory_line(programs, program,
                        capacity_text(platform, programs, ranks, plan.memory_fraction),
                        capacity_text(platform, programs, ranks, 1), plan);
  }
  text += "Operators on one rank of the first and of the last stage\n";
  const int last_stage = plan.layout.pipeline - 1;
  for (const int stage : last_stage == 0 ? std::vector<int>{0} : std::vector<int>{0, last_stage}) {
    text += stage_part(programs, stage, platform);
  }
  text += show_work(model, plan, programs);
  return text + ranks_part(model, plan, programs, platform) + groups_part(programs.groups);
}

std::string show_graphs(const Model& model, const Plan& plan) {
  std::string text;
  const std::vector<Share> stages = stage_layers(plan.layout, model.layers);
  const MicroBatches batches(plan);
  const Share largest = share_of(plan.batch.sequences, plan.layout.dense_data(), 0);
  for (int stage = 0; stage < plan.layout.stages(); ++stage) {
    for (const Phase phase : kPhases) {
      PassShape shape;
      shape.slices = batches.slices(phase, largest, 0);
      shape.grows = phase == Phase::kDecode;
      if (shape.grows) shape.steps = decode_steps(plan.batch.output_tokens);
      shape.layers = stages[stage];
      shape.stage = stage;
      shape.host = host_before(plan, stage);
      shape.group_tokens = shape.tokens() * plan.layout.expert;
      text += fmt::format("stage {} {}, {} sequences\n", stage, to_text(phase), shape.sequences());
      text += build_pass(model, plan.layout, shape).dump();
    }
  }
  return text;
}

}  // namespace rehearse
