// What a step of an engine takes: the longest path of its pass through each stage of the pipeline,
// by the same programs, costs and network tables as the replay. Where nothing else shares its links
// that is the time of the replay.
//
// Where experts are not loaded evenly, a step's loads are those of the law of the shares
// (routing/expected_loads.hpp) times its tokens: a pass of each member of the expert group, in
// which each layer with experts takes its own time.
//
// Not modelled: collectives that share links, with those of other engines or (where a layer has
// experts beside a dense FFN) with each other, and operators that lose compute units to collectives
// beside them.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "cluster/cluster.hpp"
#include "estimate/transfer_times.hpp"
#include "layout/layout.hpp"
#include "network/lone_transfers.hpp"
#include "service/compiled_pass.hpp"
#include "service/step_pass.hpp"
#include "service/step_terms.hpp"
#include "service/uneven_experts.hpp"
#include "serving/step_price.hpp"

namespace rehearse {

class PassPrice : public serving::StepPrice {
 public:
  // Where the plan's engine drafts by the model's own prediction, its drafts are part of the step
  // in the last stage, one pass of the prediction's layers for each (a prediction of several blocks
  // is alike in all): the first of the step's tokens, whose keys and values those layers keep too;
  // each further one of one token for each sequence, behind all that the step computed
  // (vllm/v1/spec_decode/eagle.py, propose). Not modelled: that rejected drafts leave shorter
  // contexts, and that these passes are padded to sizes of graphs.
  //
  // For the plan's layout on the GPUs from each of `first_gpus` on, one for each copy of it: a
  // collective takes what it takes in the slowest of them. Plan, model and cluster outlive it.
  PassPrice(const Plan& plan, const Model& model, Cluster& cluster, std::vector<int> first_gpus);

  serving::Picoseconds of(std::span<const serving::StepShape> ranks, int stage) override;
  serving::Picoseconds message(std::span<const serving::StepShape> ranks, int stage) override;
  serving::StepParts parts() const override { return parts_; }
  // What a step of these ranks is made of: all stages one behind the other, with their messages
  // where there are several. The sum is that of what they take, before picoseconds are counted.
  StepTerms terms(std::span<const serving::StepShape> ranks);

 private:
  // What attention has different operators for.
  enum class Kind { kGrowing, kDecode, kPrefill, kMixed };
  // Where a pass is asked for: its stage, the tokens of all ranks that share experts, and where
  // these are not loaded evenly, of which member of their group.
  struct Asked {
    int stage = 0;
    double group_tokens = 0;
    int member = 0;
  };
  // Stage; executed tokens, scored sequences, tokens of all ranks that share experts, member.
  using Key = std::tuple<int, Kind, double, double, double, int>;

  // Of a pass, on the rank that computes longest, and until the last rank is through.
  struct Taken {
    Seconds computing;  // of all ranks
    Seconds longest;
    Seconds whole;

    Taken& operator+=(const Taken& other);
  };
  // Behind the stages of the pipeline: that of the drafts, on the last one.
  int drafting() const { return plan_.layout.pipeline; }
  // The stage whose ranks it is on.
  int held_by(int stage) const { return std::min(stage, plan_.layout.pipeline - 1); }

  Taken pass(std::span<const serving::StepShape> ranks, int stage);
  Taken even_pass(std::span<const serving::StepShape> ranks, int stage);
  Taken uneven_pass(std::span<const serving::StepShape> ranks, int stage);
  Taken drafts(std::span<const serving::StepShape> ranks);
  // Keeps the terms of a pass that computes no less than the longest so far, while somebody asks.
  void explain(const CompiledPass& pass, Seconds longest);
  PassShape pass_shape(const Asked& asked) const;
  CompiledPass& pass_of(const Asked& asked, const serving::StepShape& shape);
  CompiledPass* known(const Key& key);  // nullptr: it has not been compiled
  CompiledPass& compile(const Asked& asked, const Key& key, const PassShape& shape);
  void forget();
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
  const int drafts_;           // behind each step
  std::vector<Share> layers_;  // by stage
  std::vector<int> kinds_;
  std::optional<UnevenExperts> uneven_;  // nothing: experts are loaded evenly
  const bool limited_;                   // some layer's queries do not see all keys
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
  bool explains_ = false;
  StepTerms longest_;  // of the rank that computes longest
};

}  // namespace rehearse
