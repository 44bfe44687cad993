// Heads are cut into parts so small that each rank of either layout has whole ones, numbered from
// the first head on; a rank's are then a range, and what one sends another is where theirs overlap.
#include "service/kv_shares.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "layout/layout.hpp"
#include "model/attention_kind.hpp"

namespace rehearse {
namespace {

// Of a layer's heads, in parts so small that every rank has whole ones.
struct Held {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  int copies = 1;  // ranks that hold the same, one behind the other

  std::int64_t length() const { return end - begin; }
};

Held held_by(int rank, int ranks, int heads, std::int64_t parts) {
  if (ranks <= heads) return {rank * parts / ranks, (rank + 1) * parts / ranks, 1};
  const int copies = ranks / heads;
  const std::int64_t head = rank / copies;
  return {head * parts / heads, (head + 1) * parts / heads, copies};
}

// What every rank keeps whole, however many there are, is kept by as many ranks as there can be.
bool splits(const Model& model, const Attention& attention) {
  const AttentionKind& kind = kind_of(attention);
  const auto kept = [&](int tensor) { return kind.cache(model, attention, tensor).kept(1, 1); };
  return kept(kind.heads(attention).query).value < kept(1).value;
}

// Heads of keys and values; a state is split as finely as queries are.
int heads_of(const Model& model, const Attention& attention) {
  const AttentionKind& kind = kind_of(attention);
  const AttentionHeads heads = kind.heads(attention);
  return kind.cache(model, attention, 1).state.value > 0 ? heads.query : heads.key_value;
}

class Shares {
 public:
  Shares(const Model& model, const Layout& prefill, const Layout& decode)
      : model_(model), senders_(prefill.tensor), receivers_(decode.tensor) {}

  // These layers, which both stages have.
  void add(int from_stage, int to_stage, const LayerRun& layers) {
    if (layers.kind.attention == LayerKind::kNone) return;
    const Attention& attention = model_.attention[layers.kind.attention];
    const SequenceCache kept = kind_of(attention).cache(model_, attention, receivers_);
    if (kept.kept(1, 1).value <= 0) return;  // it reads those of another layer
    const bool split = splits(model_, attention);
    const int heads = heads_of(model_, attention);
    const std::int64_t parts = std::int64_t{heads} * senders_ * receivers_;
    for (int to = 0; to < receivers_; ++to) {
      const auto send = [&](int from, double share) {
        shares_[{{to_stage, to}, {from_stage, from}}].add(kept, layers.count * share);
      };
      if (!split) {
        send(to % senders_, 1);
        continue;
      }
      const Held wanted = held_by(to, receivers_, heads, parts);
      for (int from = 0; from < senders_; ++from) {
        const Held there = held_by(from, senders_, heads, parts);
        if (from % there.copies != to % there.copies) continue;
        const std::int64_t both =
            std::min(wanted.end, there.end) - std::max(wanted.begin, there.begin);
        if (both > 0) send(from, static_cast<double>(both) / static_cast<double>(wanted.length()));
      }
    }
  }

  std::vector<KvShare> take() const {
    std::vector<KvShare> all;
    for (const auto& [ends, cache] : shares_) all.push_back({ends.second, ends.first, cache});
    return all;
  }

 private:
  const Model& model_;
  const int senders_;
  const int receivers_;
  std::map<std::pair<KvRank, KvRank>, SequenceCache> shares_;  // by receiver and sender
};

}  // namespace

std::vector<KvShare> kv_shares(const Model& model, const Layout& prefill, const Layout& decode,
                               bool of_prediction) {
  const std::vector<Share> at_prefill = stage_layers(prefill, model.layers);
  const std::vector<Share> at_decode = stage_layers(decode, model.layers);
  Shares shares(model, prefill, decode);
  for (int to = 0; to < decode.pipeline; ++to) {
    for (int from = 0; from < prefill.pipeline; ++from) {
      const Share& mine = at_decode[to];
      const Share& theirs = at_prefill[from];
      const int first = std::max(mine.first, theirs.first);
      const int end = std::min(mine.first + mine.count, theirs.first + theirs.count);
      if (first >= end) continue;
      for (const LayerRun& run : layer_runs(model, first, end - first)) shares.add(from, to, run);
    }
  }
  if (of_prediction) {
    for (const LayerRun& run : layer_runs(model, model.layers, model.prediction_layers())) {
      shares.add(prefill.pipeline - 1, decode.pipeline - 1, run);
    }
  }
  return shares.take();
}

}  // namespace rehearse
