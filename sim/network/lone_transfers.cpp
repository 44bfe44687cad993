#include "network/lone_transfers.hpp"

#include <algorithm>

namespace rehearse {

Endpoints& LoneTransfers::between(CollectiveOp op, const CollectiveUse& use,
                                  const std::vector<int>& gpus) {
  const auto [at, is_new] = known_.try_emplace({op, use, gpus});
  Endpoints& ends = at->second;
  if (!is_new) return ends;
  ends.number = endpoints_++;
  ends.op = op;
  ends.gpus = gpus;
  ends.use = &std::get<CollectiveUse>(at->first);
  return ends;
}

Endpoints& LoneTransfers::message(int from, int to, const CollectiveUse& use) {
  const auto [at, is_new] = messages_.try_emplace({from, to, use});
  Endpoints& ends = at->second;
  if (!is_new) return ends;
  ends.number = endpoints_++;
  ends.gpus = {from, to};
  ends.is_message = true;
  ends.use = &std::get<CollectiveUse>(at->first);
  return ends;
}

std::string LoneTransfers::refusal(const Endpoints& ends) {
  const GroupMachine& machine = paths_.machine(ends);
  return library_of(*ends.use, *machine.device).refusal(machine);
}

bool LoneTransfers::lacks_protocol(const Endpoints& ends) {
  if (ends.use->protocol.empty()) return false;
  const std::vector<CollectiveWay>& ways = paths_.ways(ends);
  return std::none_of(ways.begin(), ways.end(),
                      [&](const CollectiveWay& way) { return way.protocol == ends.use->protocol; });
}

Transfer LoneTransfers::transfer(const Endpoints& ends, Bytes buffer, const FanOut& fan_out) {
  Transfer transfer;
  transfer.bytes.assign(ends.is_message ? 1 : ends.gpus.size(), buffer);
  transfer.fan_out = fan_out;
  return transfer;
}

const TransferPath& LoneTransfers::path(const Endpoints& ends, Bytes buffer,
                                        const FanOut& fan_out) {
  Transfer each = transfer(ends, buffer, fan_out);
  return paths_.of(each, ends);
}

}  // namespace rehearse
