#include "collectives/steps.hpp"

namespace rehearse {
std::vector<int> path_through(const std::vector<int>& members, int number, bool mesh) {
  const int m = static_cast<int>(members.size());
  std::vector<int> path;
  path.reserve(members.size());
  for (int i = 0; i < m; ++i) {
    const int zigzag = i % 2 == 1 ? (i + 1) / 2 : m - i / 2;
    path.push_back(members[(number + (mesh && m % 2 == 0 ? zigzag : i)) % m]);
  }
  return path;
}

Schedule all_pairs(int members, Bytes bytes) {
  Schedule schedule(1);
  std::vector<MemberMessage>& messages = schedule.front().messages;
  messages.reserve(static_cast<std::size_t>(members) * (members - 1));
  for (int from = 0; from < members; ++from) {
    for (int shift = 1; shift < members; ++shift) {
      messages.push_back({from, (from + shift) % members, bytes});
    }
  }
  return schedule;
}

}  // namespace rehearse
