// Which layers of a chunk have to be written down so that all others are repetitions of them.
#pragma once

#include <vector>

#include "model/model.hpp"

namespace rehearse {

// By layer of the model: equal numbers, alike layers.
std::vector<int> layer_kinds(const Model& model);

struct WrittenLayers {
  // Of the model, in the order in which they follow each other; the last is of the kind of the
  // chunk's last, so that what comes behind the layers finds what that one leaves.
  std::vector<int> layers;
  std::vector<int> stands;  // by layer of the chunk: which of `layers` stands for it
  std::vector<int> places;  // by layer of the chunk: where it is, counted from the chunk's first
};
// A layer is a repetition of one that is alike and follows an alike one: what it waits for depends
// on the layer before, too. `kinds` are those of the chunk's layers, `first` its first.
WrittenLayers written_layers(const std::vector<int>& kinds, int first);

}  // namespace rehearse
