#include "input/bounds.hpp"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/limits.hpp"

namespace rehearse {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr double kAnySeed = 18446744073709551615.0;  // of 64 bits

constexpr Bound kPlan[] = {
    {"layout.tensor", 1, kLargestDegree},
    {"layout.pipeline", 1, kLargestDegree},
    {"layout.data", 1, kLargestDegree},
    {"layout.expert", 1, kLargestDegree},
    {"layout.context", 1, kLargestDegree},
    {"layout.expert_tensor", 0, kLargestDegree},
    {"layout.layers_per_stage", 1, kMostLayers},
    {"layout.dense_data", 1, kMostGpus},
    {"batch.sequences", 1, kMostSequences},
    {"batch.prompt_tokens", 1, kMostTokens},
    {"batch.output_tokens", 1, kMostTokens},
    {"batch.micro_batches", 1, kMostSequences},
    {"batch.decode_micro_batches", 0, kMostSequences},
    {"routing.drift_iterations", 0, kMostIterations},
    {"capacity.adapt_every", 1, kMostIterations},
    {"placement.redundant_experts", 0, kLargestWidth},  // up to experts x (ranks - 1)
    {"placement.rebalance_every", 0, kMostIterations},
    {"seed", 0, kAnySeed},
};

constexpr Bound kModel[] = {
    {"layers", 1, kMostLayers},
    {"hidden", 1, kLargestWidth},
    {"vocab", 1, kLargestWidth},
    {"attention.heads", 1, kMostHeads},
    {"attention.kv_heads", 1, kMostHeads},
    {"attention.head_dim", 1, kMostHeads},
    {"dense.width", 1, kLargestWidth},
    {"moe.experts", 1, kMostExperts},
    {"moe.top_k", 1, kMostExperts},
    {"moe.expert.width", 1, kLargestWidth},
    {"moe.shared_experts", 0, kMostExperts},
    {"moe.shared.width", 1, kLargestWidth},
    {"moe.first_dense_layers", 0, kMostLayers},
    {"storage.first_layer", 0, kMostLayers},
    {"storage.last_layer", 0, kMostLayers},
    {"storage.block_outputs", 1, kLargestWidth},
    {"storage.block_inputs", 1, kLargestWidth},
};

bool is_integer(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return true;
    default:
      return false;
  }
}

double value_of(const Message& message, const FieldDescriptor* field, int index) {
  const auto& reflection = *message.GetReflection();
  const bool repeated = field->is_repeated();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return repeated ? reflection.GetRepeatedInt32(message, field, index)
                      : reflection.GetInt32(message, field);
    case FieldDescriptor::CPPTYPE_INT64:
      return static_cast<double>(repeated ? reflection.GetRepeatedInt64(message, field, index)
                                          : reflection.GetInt64(message, field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return repeated ? reflection.GetRepeatedUInt32(message, field, index)
                      : reflection.GetUInt32(message, field);
    default:
      return static_cast<double>(repeated ? reflection.GetRepeatedUInt64(message, field, index)
                                          : reflection.GetUInt64(message, field));
  }
}

class Check {
 public:
  Check(std::span<const Bound> bounds, const FieldLocations& where)
      : bounds_(bounds), where_(where) {}

  // `prefix`: of the fields' paths; `where`: with the numbers of repeated messages.
  void run(const Message& message, const std::string& prefix, const std::string& where) const {
    const auto& reflection = *message.GetReflection();
    std::vector<const FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      const std::string path = prefix + field->name();
      const bool repeated = field->is_repeated();
      const int count = repeated ? reflection.FieldSize(message, field) : 1;
      for (int i = 0; i < count; ++i) {
        const std::string shown =
            where + field->name() + (repeated ? fmt::format("[{}]", i) : std::string());
        if (field->message_type() != nullptr) {
          run(repeated ? reflection.GetRepeatedMessage(message, field, i)
                       : reflection.GetMessage(message, field),
              path + ".", shown + ".");
        } else if (is_integer(*field)) {
          check(value_of(message, field, i), path, shown);
        }
      }
    }
  }

 private:
  void check(double value, const std::string& path, const std::string& shown) const {
    const auto bound = std::find_if(bounds_.begin(), bounds_.end(),
                                    [&](const Bound& each) { return each.path == path; });
    SIM_CHECK(bound != bounds_.end(), "sim/input/bounds.cpp has no bounds of " + path);
    if (value >= bound->least && value <= bound->most) return;
    const bool low = value < bound->least;
    throw InputError(where_.at(shown),
                     fmt::format("{} = {:.0f}: must be at {} {:.0f}", shown, value,
                                 low ? "least" : "most", low ? bound->least : bound->most));
  }

  std::span<const Bound> bounds_;
  const FieldLocations& where_;
};

}  // namespace

std::span<const Bound> plan_bounds() { return kPlan; }
std::span<const Bound> model_bounds() { return kModel; }

void check_bounds(const Message& message, std::span<const Bound> bounds,
                  const FieldLocations& where) {
  Check(bounds, where).run(message, "", "");
}

}  // namespace rehearse
