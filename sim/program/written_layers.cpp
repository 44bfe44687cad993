#include "program/written_layers.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "model/weights.hpp"

namespace rehearse {

std::vector<int> layer_kinds(const Model& model) {
  std::vector<int> kinds(model.layers);
  std::vector<LayerKind> known;
  const bool differ = layers_differ(model);
  for (int layer = 0; layer < model.layers; ++layer) {
    const LayerKind kind = model.kind_of(layer);
    const auto at = std::find(known.begin(), known.end(), kind);
    kinds[layer] = differ ? layer : static_cast<int>(at - known.begin());
    if (at == known.end()) known.push_back(kind);
  }
  return kinds;
}

WrittenLayers written_layers(const std::vector<int>& kinds, int first) {
  WrittenLayers written;
  std::map<std::pair<int, int>, int> known;  // the kinds of a layer and of the one before
  int before = -1;
  int written_before = -1;  // the kind of the last layer that was written down
  for (std::size_t at = 0; at < kinds.size(); ++at) {
    const auto [entry, is_new] = known.try_emplace({before, kinds[at]});
    if (is_new) {
      if (written_before != before) written.layers.push_back(first + static_cast<int>(at) - 1);
      entry->second = static_cast<int>(written.layers.size());
      written.layers.push_back(first + static_cast<int>(at));
      written_before = kinds[at];
    }
    written.stands.push_back(entry->second);
    before = kinds[at];
  }
  const int last = first + static_cast<int>(kinds.size()) - 1;
  if (written_before != before) written.layers.push_back(last);
  return written;
}

}  // namespace rehearse
