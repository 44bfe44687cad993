// Degrees of parallelism to ranks: the grid, the process groups of every axis, which layers a stage
// holds, which requests a replica serves. Pure arithmetic on the plan; no hardware.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "plan/plan.hpp"

namespace rehearse {

using Rank = int;

// Axes along which ranks communicate. kData joins the ranks that hold the same dense weights (data
// x expert of them), kExpertData those that hold the same experts (data of them).
enum class Axis : std::uint8_t { kTensor, kExpert, kPipeline, kData, kExpertData, kCount };
constexpr int kAxes = static_cast<int>(Axis::kCount);
const char* to_text(Axis axis);  // "tp", "ep", "pp", "dp", "edp"

struct Coordinates {
  int tensor = 0;
  int context = 0;
  int expert = 0;
  int data = 0;
  int pipeline = 0;

  bool operator==(const Coordinates&) const = default;
};

// "tp-cp-ep-dp-pp" and its permutations as indices into Coordinates, leftmost (fastest) first;
// empty for anything else.
std::vector<int> rank_order(const std::string& order);

// The grid of ranks in the plan's order ("tp-cp-ep-dp-pp": leftmost fastest, as Megatron counts).
class RankGrid {
 public:
  explicit RankGrid(const Layout& layout);  // REQUIRES: check_layout passed
  int size() const { return size_; }
  Coordinates coordinates(Rank rank) const;
  Rank rank(const Coordinates& at) const;

 private:
  // In the order of Coordinates' members.
  std::array<int, 5> degree_{};
  std::array<int, 5> stride_{};
  int size_ = 1;
};

// Ranks that communicate along one axis, ascending, which is also their ring order.
struct ProcessGroup {
  Axis axis = Axis::kTensor;
  std::vector<Rank> ranks;

  // So many places on from a member, round and round.
  Rank on_from(Rank member, int places) const;
};

// Every group of every axis (groups of one included), and each rank's group on each axis.
// With expert_tensor = 1 the experts of a layer spread over tensor x expert ranks: that is then the
// kExpert group.
struct ProcessGroups {
  std::vector<ProcessGroup> groups;
  std::vector<std::array<std::int32_t, kAxes>> of_rank;  // index in groups

  const ProcessGroup& of(Rank rank, Axis axis) const {
    return groups[of_rank[rank][static_cast<int>(axis)]];
  }
};
ProcessGroups build_groups(const Layout& layout);

// A run of consecutive items: layers of a stage, requests of a replica, requests of a micro-batch.
struct Share {
  int first = 0;
  int count = 0;
};
// The index-th of `parts` shares of `total` items, as even as possible, the first shares one
// larger.
Share share_of(int total, int parts, int index);

// Layers of each pipeline stage. Rank r of the pipeline has the stages r, r + pipeline, ...
std::vector<Share> stage_layers(const Layout& layout, int layers);

// Layers of the chunks of a rank of the pipeline, in order.
std::vector<Share> chunks_of_rank(const Layout& layout, int layers, int rank);

// Tensor-parallel degree inside an expert, and the number of ranks that the experts of a layer are
// spread over.
int expert_tensor_degree(const Layout& layout);
int expert_group_size(const Layout& layout);

// Micro-batches in which a replica decodes: the plan's, or the pipeline degree (as far as there are
// sequences).
int decode_micro_batches(const Plan& plan);

// Throws InputError, located in the plan, when the layout does not fit the model or needs more than
// `gpus` GPUs.
void check_layout(const Plan& plan, const Model& model, int gpus, const std::string& platform);

// The message of that error, without its place; empty: the layout is legal.
std::string layout_refusal(const Plan& plan, const Model& model, int gpus,
                           const std::string& platform);

}  // namespace rehearse
