#include "input/plan_fields.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "input/bounds.hpp"
#include "input/field_checks.hpp"
#include "input/serve_fields.hpp"
#include "input/textproto.hpp"
#include "input/written_layout.hpp"

namespace rehearse {
namespace {

PromptLengths lengths_of(const proto::Batch& batch, const FieldLocations& where) {
  PromptLengths lengths;
  if (!batch.has_lengths()) return lengths;
  const proto::Lengths& written = batch.lengths();
  lengths.given = true;
  if (written.has_variation() == written.has_file()) {
    throw InputError(where.at("batch.lengths"),
                     "batch.lengths needs either variation or file: where lengths come from");
  }
  if (written.has_variation()) {
    lengths.variation = above_zero(written.variation(), "batch.lengths.variation", where);
  }
  lengths.file = written.file();
  lengths.order = static_cast<RequestOrder>(written.order());
  lengths.padded = written.padded();
  return lengths;
}

Batch batch_of(const proto::Batch& written, const FieldLocations& where) {
  for (const char* field : {"sequences", "prompt_tokens", "output_tokens"}) {
    require_field(written, "batch", field, where);
  }
  Batch batch;
  batch.sequences = written.sequences();
  batch.prompt_tokens = written.prompt_tokens();
  batch.output_tokens = written.output_tokens();
  Layout unused;
  JobParts parts;
  take_layout_fields(written, "batch.", unused, parts);
  batch.micro_batches = parts.micro_batches;
  batch.decode_micro_batches = parts.decode_micro_batches;
  batch.default_passes = !written.has_micro_batches();
  batch.lengths = lengths_of(written, where);
  return batch;
}

// Exactly one job.
void take_job(const proto::Plan& written, FieldLocations& where, Plan& plan) {
  if (written.has_batch() == written.has_serve()) {
    const char* const wrong =
        written.has_serve() ? "serve: there is a batch, too" : "batch is missing";
    throw InputError(where.at(written.has_serve() ? "serve" : "batch"),
                     fmt::format("{}: a plan has either batch or serve", wrong));
  }
  if (written.has_serve()) {
    take_serve(written, where, plan);
  } else {
    plan.batch = batch_of(written.batch(), where);
  }
}

Bytes bytes_of(const std::string& text, const std::string& field, const FieldLocations& where) {
  try {
    return parse_bytes(text);
  } catch (const std::invalid_argument& error) {
    throw InputError(where.at(field), fmt::format("{} = {}", field, error.what()));
  }
}

std::map<std::string, std::string> collectives_of(const proto::Collectives& written) {
  std::map<std::string, std::string> chosen = {{"all_reduce", written.all_reduce()},
                                               {"all_gather", written.all_gather()},
                                               {"reduce_scatter", written.reduce_scatter()},
                                               {"all_to_all", written.all_to_all()}};
  std::erase_if(chosen,
                [](const auto& entry) { return entry.second.empty() || entry.second == "auto"; });
  return chosen;
}

LibraryChoice library_of(const proto::Collectives& written) {
  return {written.library(), written.protocol(), written.channels(), written.launch()};
}

Routing routing_of(const proto::Routing& written) {
  Routing routing;
  const auto take = [&](bool has, const char* name, auto value, auto& into) {
    if (!has) return;
    routing.given.emplace_back(name);
    into = value;
  };
  if (written.has_model()) routing.model = written.model();
  take(written.has_exponent(), "exponent", written.exponent(), routing.exponent);
  take(written.has_range(), "range", written.range(), routing.range);
  take(written.has_concentration(), "concentration", written.concentration(),
       routing.concentration);
  take(written.has_gini(), "gini", written.gini(), routing.gini);
  take(written.has_table(), "table", written.table(), routing.table_path);
  if (written.has_drift_iterations()) {
    routing.drift_iterations = written.drift_iterations();
  }
  return routing;
}

Capacity capacity_of(const proto::Plan& plan, const FieldLocations& where) {
  Capacity capacity;
  capacity.limited = plan.has_capacity();
  const proto::Capacity& written = plan.capacity();
  const auto take = [&](bool has, const char* field, double value, double& into) {
    if (has) into = above_zero(value, field, where);
  };
  capacity.policy = static_cast<CapacityPolicy>(written.policy());
  take(written.has_factor(), "capacity.factor", written.factor(), capacity.factor);
  take(written.has_threshold(), "capacity.threshold", written.threshold(), capacity.threshold);
  take(written.has_min_factor(), "capacity.min_factor", written.min_factor(), capacity.min_factor);
  take(written.has_max_factor(), "capacity.max_factor", written.max_factor(), capacity.max_factor);
  capacity.adaptive = written.adaptive();
  if (written.has_adapt_every()) {
    capacity.adapt_every = written.adapt_every();
  }
  if (capacity.threshold > 1) {
    throw InputError(where.at("capacity.threshold"),
                     fmt::format("capacity.threshold = {}: must be at most 1", capacity.threshold));
  }
  if (capacity.min_factor > capacity.max_factor) {
    throw InputError(where.at("capacity.min_factor"),
                     fmt::format("capacity.min_factor = {} is above capacity.max_factor = {}",
                                 capacity.min_factor, capacity.max_factor));
  }
  return capacity;
}

ExpertPlacementChoice placement_of(const proto::Placement& written) {
  ExpertPlacementChoice placement;
  placement.policy = static_cast<PlacementPolicy>(written.policy());
  placement.redundant_experts = written.redundant_experts();
  placement.rebalance_every = written.rebalance_every();
  return placement;
}

// The schema's numbers are those of the enums.
static_assert(proto::Capacity::pad == static_cast<int>(CapacityPolicy::kPad));
static_assert(proto::Capacity::reroute == static_cast<int>(CapacityPolicy::kReroute));
static_assert(proto::Placement::round_robin == static_cast<int>(PlacementPolicy::kRoundRobin));
static_assert(proto::Placement::greedy == static_cast<int>(PlacementPolicy::kGreedy));
static_assert(proto::Lengths::bucketed == static_cast<int>(RequestOrder::kBucketed));
static_assert(proto::Placement::hierarchical == static_cast<int>(PlacementPolicy::kHierarchical));

// The fields that are written, by name; all are strings.
std::map<std::string, std::vector<std::string>> search_of(const proto::Search& written) {
  std::map<std::string, std::vector<std::string>> fields;
  const google::protobuf::Reflection& reflection = *written.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> present;
  reflection.ListFields(written, &present);
  for (const google::protobuf::FieldDescriptor* field : present) {
    std::vector<std::string>& values = fields[field->name()];
    if (!field->is_repeated()) values.push_back(reflection.GetString(written, field));
    for (int at = 0; field->is_repeated() && at < reflection.FieldSize(written, field); ++at) {
      values.push_back(reflection.GetRepeatedString(written, field, at));
    }
  }
  return fields;
}

NetworkLevelName network_of(proto::Plan::NetworkLevel written) {
  switch (written) {
    case proto::Plan::fluid:
      return NetworkLevelName::kFluid;
    case proto::Plan::exact:
      return NetworkLevelName::kExact;
    case proto::Plan::simgrid:
      return NetworkLevelName::kSimgrid;
    case proto::Plan::analytic:
      return NetworkLevelName::kAnalytic;
  }
  throw InternalError("a network level of the schema has no NetworkLevelName");
}

}  // namespace

Plan plan_of(const proto::Plan& written, FieldLocations where) {
  check_bounds(written, plan_bounds(), where);
  for (const char* field : {"model", "platform"}) require_field(written, "", field, where);
  Plan plan;
  plan.model_path = written.model();
  plan.platform_path = written.platform();
  plan.layout = layout_of(written.layout(), "layout", where);
  take_job(written, where, plan);
  if (written.has_communication_buffers()) {
    plan.default_communication_buffers = false;
    plan.communication_buffers =
        bytes_of(written.communication_buffers(), "communication_buffers", where);
  }
  plan.engine.name = written.engine();
  if (written.has_engine() && plan.engine.name.empty()) {
    throw InputError(where.at("engine"), "engine is empty: leave it out, or name one");
  }
  if (written.has_memory_fraction()) {
    plan.default_memory_fraction = false;
    plan.memory_fraction = above_zero(written.memory_fraction(), "memory_fraction", where);
    if (plan.memory_fraction > 1) {
      throw InputError(
          where.at("memory_fraction"),
          fmt::format("memory_fraction = {}: must be at most 1", plan.memory_fraction));
    }
  }
  plan.search = search_of(written.search());
  plan.collectives = collectives_of(written.collectives());
  plan.library = library_of(written.collectives());
  plan.routing = routing_of(written.routing());
  plan.capacity = capacity_of(written, where);
  plan.placement = placement_of(written.placement());
  plan.network = network_of(written.network());
  plan.seed = written.seed();
  plan.claims_path = written.claims();
  plan.where = std::move(where);
  return plan;
}

}  // namespace rehearse
