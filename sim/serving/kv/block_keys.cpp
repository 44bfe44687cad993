#include "serving/kv/block_keys.hpp"

namespace rehearse::serving {

void add_block_keys(RequestState& state, int request, int block, int block_tokens) {
  std::vector<std::uint64_t>& keys = state.keys;
  const Offered& offered = *state.offered;
  const std::int64_t identified = offered.identified();
  while (static_cast<int>(keys.size()) <= block) {
    const std::int64_t at = static_cast<std::int64_t>(keys.size());
    // The id of the last token stands for all before it, too.
    const std::int64_t last = (at + 1) * block_tokens - 1;
    const std::uint64_t content =
        last < identified ? offered.prefix_ids[last / offered.id_tokens] : own_content(request);
    keys.push_back(mixed((keys.empty() ? 0 : keys.back()) ^ mixed(content + 31 * at)));
  }
}

}  // namespace rehearse::serving
