#include "program/written_layers.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "model/weights.hpp"

namespace rehearse {

namespace {

// What a layer is made of, and how each part of it is stored.
struct StoredLayer {
  LayerKind kind;
  std::vector<Storage> parts;
  bool operator==(const StoredLayer&) const = default;
};

StoredLayer stored_layer(const Model& model, int layer) {
  StoredLayer stored{model.kind_of(layer), {}};
  for_each_part(model, layer, [&](WeightPart part, double /*times*/) {
    stored.parts.push_back(storage_of(model, part, layer));
  });
  return stored;
}

}  // namespace

std::vector<int> layer_kinds(const Model& model) {
  std::vector<int> kinds(model.stored_layers());
  std::vector<StoredLayer> known;
  for (int layer = 0; layer < model.stored_layers(); ++layer) {
    StoredLayer stored = stored_layer(model, layer);
    const auto at = std::find(known.begin(), known.end(), stored);
    kinds[layer] = static_cast<int>(at - known.begin());
    if (at == known.end()) known.push_back(std::move(stored));
  }
  return kinds;
}

WrittenLayers written_layers(const std::vector<int>& kinds, std::vector<int> following) {
  WrittenLayers written;
  std::map<std::pair<int, int>, int> known;  // the kinds of a layer and of the one before
  int before = -1;
  int written_before = -1;  // the kind of the last layer that was written down
  for (std::size_t at = 0; at < kinds.size(); ++at) {
    const auto [entry, is_new] = known.try_emplace({before, kinds[at]});
    if (is_new) {
      if (written_before != before) written.layers.push_back(following[at - 1]);
      entry->second = static_cast<int>(written.layers.size());
      written.layers.push_back(following[at]);
      written_before = kinds[at];
    }
    written.stands.push_back(entry->second);
    before = kinds[at];
  }
  if (written_before != before) written.layers.push_back(following.back());
  written.following = std::move(following);
  return written;
}

}  // namespace rehearse
