#include "input/plan_fields.hpp"

#include <fmt/format.h>

#include <limits>
#include <stdexcept>

#include "input/textproto.hpp"

namespace rehearse {
namespace {

int at_least(int least, int value, const std::string& field, const FieldLocations& where) {
  if (value >= least) return value;
  throw InputError(where.at(field),
                   fmt::format("{} = {}: must be at least {}", field, value, least));
}

// A degree that is not written is 1.
int degree(bool written, int value, const std::string& field, const FieldLocations& where) {
  return written ? at_least(1, value, field, where) : 1;
}

// `data`, from it or from dense_data = data x expert.
int data_degree(const proto::Layout& written, int expert, FieldLocations& where) {
  const int data = degree(written.has_data(), written.data(), "layout.data", where);
  if (!written.has_dense_data()) return data;
  const int dense = at_least(1, written.dense_data(), "layout.dense_data", where);
  const SourceLocation place = where.at("layout.dense_data");
  if (dense % expert != 0) {
    throw InputError(place,
                     fmt::format("layout.dense_data = {} is not a multiple of layout.expert = {}: "
                                 "dense_data = data x expert",
                                 dense, expert));
  }
  if (written.has_data() && dense / expert != data) {
    throw InputError(place, fmt::format("layout.dense_data = {} disagrees with layout.data = {} x "
                                        "layout.expert = {}: dense_data = data x expert",
                                        dense, data, expert));
  }
  if (!written.has_data()) where.place("layout.data", place);
  return dense / expert;
}

void check_gpus(const Layout& layout, const FieldLocations& where) {
  double gpus = 1;  // the product may not fit an int
  for (const int each :
       {layout.tensor, layout.pipeline, layout.data, layout.expert, layout.context}) {
    gpus *= each;
  }
  if (gpus > std::numeric_limits<int>::max()) {
    throw InputError(where.at("layout"), fmt::format("layout has {:.3g} GPUs: must be at most {}",
                                                     gpus, std::numeric_limits<int>::max()));
  }
}

Layout layout_of(const proto::Layout& written, FieldLocations& where) {
  Layout layout;
  layout.tensor = degree(written.has_tensor(), written.tensor(), "layout.tensor", where);
  layout.pipeline = degree(written.has_pipeline(), written.pipeline(), "layout.pipeline", where);
  layout.expert = degree(written.has_expert(), written.expert(), "layout.expert", where);
  layout.context = degree(written.has_context(), written.context(), "layout.context", where);
  layout.data = data_degree(written, layout.expert, where);
  layout.expert_tensor = at_least(0, written.expert_tensor(), "layout.expert_tensor", where);
  layout.sequence_parallel = written.sequence_parallel();
  for (int i = 0; i < written.layers_per_stage_size(); ++i) {
    layout.layers_per_stage.push_back(at_least(
        1, written.layers_per_stage(i), fmt::format("layout.layers_per_stage[{}]", i), where));
  }
  if (written.has_order()) layout.order = written.order();
  check_gpus(layout, where);
  return layout;
}

Batch batch_of(const proto::Batch& written, const FieldLocations& where) {
  for (const char* field : {"sequences", "prompt_tokens", "output_tokens"}) {
    require_field(written, "batch", field, where);
  }
  Batch batch;
  batch.sequences = at_least(1, written.sequences(), "batch.sequences", where);
  batch.prompt_tokens = at_least(1, written.prompt_tokens(), "batch.prompt_tokens", where);
  batch.output_tokens = at_least(1, written.output_tokens(), "batch.output_tokens", where);
  batch.micro_batches =
      degree(written.has_micro_batches(), written.micro_batches(), "batch.micro_batches", where);
  batch.decode_micro_batches =
      at_least(0, written.decode_micro_batches(), "batch.decode_micro_batches", where);
  return batch;
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

NetworkLevelName network_of(proto::Plan::NetworkLevel written) {
  switch (written) {
    case proto::Plan::fluid:
      return NetworkLevelName::kFluid;
    case proto::Plan::exact:
      return NetworkLevelName::kExact;
    case proto::Plan::analytic:
      return NetworkLevelName::kAnalytic;
  }
  throw InternalError("a network level of the schema has no NetworkLevelName");
}

}  // namespace

Plan plan_of(const proto::Plan& written, FieldLocations where) {
  for (const char* field : {"model", "platform", "batch"}) require_field(written, "", field, where);
  Plan plan;
  plan.model_path = written.model();
  plan.platform_path = written.platform();
  plan.layout = layout_of(written.layout(), where);
  plan.batch = batch_of(written.batch(), where);
  if (written.has_communication_buffers()) {
    plan.communication_buffers =
        bytes_of(written.communication_buffers(), "communication_buffers", where);
  }
  plan.collectives = collectives_of(written.collectives());
  plan.network = network_of(written.network());
  plan.seed = written.seed();
  plan.where = std::move(where);
  return plan;
}

}  // namespace rehearse
