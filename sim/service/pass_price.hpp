// What a step of an engine takes: the longest path of its pass through each stage of the pipeline,
// by the same programs, costs and network tables as the replay. Where nothing else shares its links
// that is the time of the replay.
//
// Not modelled: collectives that share links, with those of other engines or (where a layer has
// experts beside a dense FFN) with each other, and operators that lose compute units to collectives
// beside them.
#pragma once

#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "cluster/cluster.hpp"
#include "estimate/transfer_times.hpp"
#include "layout/layout.hpp"
#include "network/lone_transfers.hpp"
#include "service/compiled_pass.hpp"
#include "service/step_pass.hpp"
#include "serving/step_price.hpp"

namespace rehearse {

class PassPrice : public serving::StepPrice {
 public:
  // For the plan's layout on the GPUs from each of `first_gpus` on, one for each copy of it: a
  // collective takes what it takes in the slowest of them. Plan, model and cluster outlive it.
  PassPrice(const Plan& plan, const Model& model, Cluster& cluster, std::vector<int> first_gpus);

  serving::Picoseconds of(std::span<const serving::StepShape> ranks, int stage) override;
  serving::Picoseconds message(std::span<const serving::StepShape> ranks, int stage) override;
  serving::StepParts parts() const override { return parts_; }

 private:
  // What attention has different operators for.
  enum class Kind { kGrowing, kDecode, kPrefill, kMixed };
  // Stage; executed tokens, scored sequences, tokens of all ranks that share experts.
  using Key = std::tuple<int, Kind, double, double, double>;

  PassShape pass_shape(int stage, double group_tokens) const;
  CompiledPass& pass_of(int stage, const serving::StepShape& shape, double group_tokens);
  CompiledPass* known(const Key& key);  // nullptr: it has not been compiled
  void make_room(std::size_t passes);
  CompiledPass& compile(int stage, const Key& key, const PassShape& shape);
  static Kind kind_of(const std::vector<Slice>& slices);
  std::vector<int> group(Axis axis, int first_gpu, const Coordinates& rank, int stage) const;
  std::vector<const DeviceRates*> devices_of(int stage, const Platform& platform) const;
  template <class Visit>
  void for_each_rank(Visit visit) const;
  Rank rank_at(int tensor, int expert, int data, int stage) const;
  // Alike ones once.
  using AllEnds = std::vector<const Endpoints*>;
  const AllEnds& ends_of(int stage, const Instruction& collective);
  const AllEnds& messages_from(int stage);
  Seconds slowest(const AllEnds& transfers, Bytes bytes, const FanOut& fan_out = {});
  Seconds host_time(std::span<const serving::StepShape> ranks) const;

  const Model& model_;
  const Plan& plan_;
  const std::vector<int> first_gpus_;
  const RankGrid grid_;
  const std::vector<Share> layers_;
  const std::vector<int> kinds_;
  const bool limited_;  // some layer's queries do not see all keys
  const CollectiveUse use_;
  TransferTimes kinds_of_transfers_;  // which groups are alike
  LoneTransfers transfers_;
  const std::vector<DeviceRates> rates_;
  std::vector<std::vector<const DeviceRates*>> devices_;  // by stage
  std::map<Key, std::unique_ptr<CompiledPass>> passes_;
  Key last_key_ = {};
  CompiledPass* last_ = nullptr;  // the pass of that
  std::map<std::tuple<int, Axis, CollectiveOp, bool>, AllEnds> known_ends_;
  std::map<int, AllEnds> known_messages_;  // by stage
  serving::StepParts parts_;               // of what was asked for last
};

}  // namespace rehearse
