#include "routing/token_spread.hpp"

#include <numeric>

namespace rehearse {

TokenSpread spread_tokens(const Accepted& accepted, const std::vector<int>& routed,
                          const ExpertPlacement& placement) {
  const TokenCounts& counts = accepted.counts;
  const int members = static_cast<int>(placement.held.size());
  TokenSpread spread;
  spread.members = members;
  spread.copies.assign(static_cast<std::size_t>(counts.sources) * members, 0);
  spread.sent.assign(counts.sources, 0);
  spread.computed.assign(members, 0);
  spread.touched.assign(members, 0);
  spread.refused.assign(members, 0);
  spread.routed = routed;
  spread.dropped = accepted.dropped;
  spread.padding = accepted.padding;
  std::vector<int> arrived;  // by holder
  for (int expert = 0; expert < counts.experts; ++expert) {
    const std::vector<int>& holders = placement.holders[expert];
    const int copies = static_cast<int>(holders.size());
    spread.refused[holders.front()] += accepted.dropped[expert];
    arrived.assign(copies, 0);
    int turn = 0;  // the holder that gets the next odd copy
    for (int source = 0; source < counts.sources; ++source) {
      const int count = counts.row(source)[expert];
      if (count == 0) continue;
      for (int place = 0; place < copies; ++place) {
        const int holder = (turn + place) % copies;
        const int part = count / copies + (place < count % copies ? 1 : 0);
        spread.copies[static_cast<std::size_t>(source) * members + holders[holder]] += part;
        arrived[holder] += part;
      }
      turn = (turn + count) % copies;
      spread.sent[source] += count;
    }
    for (int holder = 0; holder < copies; ++holder) {
      spread.computed[holders[holder]] += arrived[holder];
      if (arrived[holder] > 0) ++spread.touched[holders[holder]];
    }
  }
  return spread;
}

}  // namespace rehearse
