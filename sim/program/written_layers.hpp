// Which layers of a chunk have to be written down so that all others are repetitions of them.
#pragma once

#include <vector>

#include "model/model.hpp"

namespace rehearse {

// By layer of the model, those of predictions behind them: equal numbers, alike layers.
std::vector<int> layer_kinds(const Model& model);

struct WrittenLayers {
  // Of the model, in the order in which they follow each other; the last is of the kind of the
  // chunk's last, so that what comes behind the layers finds what that one leaves.
  std::vector<int> layers;
  std::vector<int> following;  // all of them, of the model
  std::vector<int> stands;     // by index in `following`: which of `layers` stands for it
};
// A layer is a repetition of one that is alike and follows an alike one: what it waits for depends
// on the layer before, too. `following`: layers of the model in their order, of which `kinds` are
// the kinds.
WrittenLayers written_layers(const std::vector<int>& kinds, std::vector<int> following);

}  // namespace rehearse
