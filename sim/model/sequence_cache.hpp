// What is kept of a sequence between passes, in some layers on one rank.
#pragma once

#include <algorithm>
#include <vector>

#include "base/units.hpp"

namespace rehearse {

struct SequenceCache {
  // Keys and values of the last `tokens` tokens only.
  struct Window {
    double tokens = 0;
    Bytes each;
  };

  Bytes token;                  // keys and values of every token
  Bytes index;                  // of every token, beside them: what an indexer scores
  Bytes state;                  // of the sequence, however long
  std::vector<Window> windows;  // each length once

  // That of so many more layers.
  void add(const SequenceCache& layer, double times) {
    token += layer.token * times;
    index += layer.index * times;
    state += layer.state * times;
    for (const Window& window : layer.windows) {
      const auto same = std::find_if(windows.begin(), windows.end(), [&](const Window& each) {
        return each.tokens == window.tokens;
      });
      if (same == windows.end()) {
        windows.push_back({window.tokens, window.each * times});
      } else {
        same->each += window.each * times;
      }
    }
  }

  // Keys and values of a token that every window still holds.
  Bytes of_token() const {
    Bytes sum = token;
    for (const Window& window : windows) sum += window.each;
    return sum;
  }
  // Keys and values of sequences that have so many tokens together (of unlike ones, at most).
  Bytes keys_and_values(double sequences, double tokens) const {
    Bytes sum = token * tokens;
    for (const Window& window : windows) {
      sum += window.each * std::min(tokens, window.tokens * sequences);
    }
    return sum;
  }
  // All that is kept of them.
  Bytes kept(double sequences, double tokens) const {
    if (tokens == 0) return {};
    return keys_and_values(sequences, tokens) + index * tokens + state * sequences;
  }
};

}  // namespace rehearse
