#include "replay/rendezvous.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"

namespace rehearse {

std::vector<int> gpus_of(const Programs& programs, const std::vector<Rank>& ranks) {
  std::vector<int> gpus;
  gpus.reserve(ranks.size());
  for (const Rank rank : ranks) gpus.push_back(programs.ranks[rank].gpu);
  return gpus;
}

GroupShape shape_of(const std::vector<int>& gpus, const Platform& platform) {
  GroupShape shape;
  shape.domain.reserve(gpus.size());
  for (const int gpu : gpus) shape.domain.push_back(platform.gpus[gpu].domain);
  return shape;
}

Rendezvous::Rendezvous(const Programs& programs, const Platform& platform)
    : programs_(programs),
      groups_(programs.groups),
      platform_(platform),
      member_of_rank_(groups_.of_rank.size()),
      of_group_(groups_.groups.size()),
      channels_(groups_.of_rank.size()) {
  for (const ProcessGroup& group : groups_.groups) {
    for (std::size_t member = 0; member < group.ranks.size(); ++member) {
      member_of_rank_[group.ranks[member]][static_cast<int>(group.axis)] =
          static_cast<std::int32_t>(member);
    }
  }
  for (auto& of_operation : of_group_) of_operation.fill(-1);
}

Transfer& Rendezvous::next_collective(Rank rank, const Instruction& instruction, int about,
                                      int& member) {
  const int at = static_cast<int>(instruction.axis);
  member = member_of_rank_[rank][at];
  const int endpoints =
      collective_endpoints(groups_.of_rank[rank][at], instruction.op, instruction.stream);
  Transfer& transfer = transfer_at(endpoints, endpoints_[endpoints].posted[member]++);
  if (transfer.arrived == 0) transfer.about = about;
  SIM_CHECK(
      transfer.about == about,
      fmt::format("{} over {}: rank {} is at {}, another member at {}", to_text(instruction.op),
                  to_text(instruction.axis), rank, about, transfer.about));
  return transfer;
}

int Rendezvous::collective_endpoints(int group, CollectiveOp op, Stream stream) {
  int& index = of_group_[group][static_cast<int>(op)];
  if (index < 0) {
    index = static_cast<int>(endpoints_.size());
    Endpoints added;
    added.members = groups_.groups[group].ranks;
    added.op = op;
    added.named = programs_.algorithms[static_cast<int>(op)];
    added.gpus = gpus_of(programs_, added.members);
    added.shape = shape_of(added.gpus, platform_);
    added.stream = stream;
    added.posted.resize(added.members.size());
    endpoints_.push_back(std::move(added));
  }
  SIM_CHECK(endpoints_[index].stream == stream,
            "one group runs one operation on different streams");
  return index;
}

int Rendezvous::channel(Rank from, Rank to, int lane) {
  std::vector<Channel>& channels = channels_[from];
  const auto known = std::find_if(channels.begin(), channels.end(), [&](const Channel& channel) {
    return channel.to == to && channel.lane == lane;
  });
  if (known != channels.end()) return known->endpoints;
  const int index = static_cast<int>(endpoints_.size());
  channels.push_back({to, lane, index});
  Endpoints added;
  added.is_message = true;
  added.members = {from, to};
  added.gpus = gpus_of(programs_, added.members);
  added.stream = Stream::kPipelineSend;
  added.posted.resize(2);
  endpoints_.push_back(std::move(added));
  return index;
}

Transfer& Rendezvous::next_send(Rank rank, const Action& action, const Instruction& instruction) {
  const int endpoints =
      channel(rank, programs_.peer_of(rank, instruction), programs_.lane_of(action, instruction));
  Transfer& transfer = transfer_at(endpoints, endpoints_[endpoints].posted[0]++);
  transfer.about = action.about;
  return transfer;
}

void Rendezvous::check_received(const Transfer& message, const Posted& posted) const {
  const Bytes expected{posted.instruction->bytes.at(posted.step)};
  const Bytes sent = message.bytes[0];
  const std::vector<Rank>& ends = endpoints_[message.endpoints].members;
  SIM_CHECK(
      message.about == posted.action->about && sent == expected,
      fmt::format("rank {} receives {} about {} from rank {} where it expects {} about {}", ends[1],
                  to_text(sent), message.about, ends[0], to_text(expected), posted.action->about));
}

Transfer* Rendezvous::next_receive(Rank rank, const Posted& posted) {
  const Rank from = programs_.peer_of(rank, *posted.instruction);
  const int lane = programs_.lane_of(*posted.action, *posted.instruction);
  Endpoints& ends = endpoints_[channel(from, rank, lane)];
  const std::int64_t sequence = ends.posted[1]++;
  const std::int64_t place = sequence - ends.first_open;
  SIM_CHECK(place >= 0, "a message was released before its receive was posted");
  if (place < static_cast<std::int64_t>(ends.open.size()) && ends.open[place]->complete) {
    return ends.open[place];
  }
  ends.receives.push_back(posted);
  return nullptr;
}

bool Rendezvous::take_receive(const Transfer& message, Posted& posted) {
  Endpoints& ends = endpoints_[message.endpoints];
  if (ends.receives.empty()) return false;
  posted = ends.receives.front();
  ends.receives.pop_front();
  return true;
}

Transfer& Rendezvous::transfer_at(int endpoints, std::int64_t sequence) {
  Endpoints& ends = endpoints_[endpoints];
  const auto place = static_cast<std::size_t>(sequence - ends.first_open);
  if (place < ends.open.size()) return *ends.open[place];
  SIM_CHECK(place == ends.open.size(), "transfers of one group begin in order");
  if (free_.empty()) {
    free_.push_back(static_cast<int>(pool_.size()));
    pool_.push_back(std::make_unique<Transfer>());
  }
  Transfer& transfer = *pool_[free_.back()];
  transfer.index = free_.back();
  free_.pop_back();
  const std::size_t senders = ends.is_message ? 1 : ends.members.size();
  transfer.endpoints = endpoints;
  transfer.arrived = 0;
  transfer.left = static_cast<int>(senders);
  transfer.complete = false;
  transfer.bytes.assign(senders, Bytes{});
  transfer.splits.clear();
  ends.open.push_back(&transfer);
  return transfer;
}

void Rendezvous::release(Transfer& transfer) {
  Endpoints& ends = endpoints_[transfer.endpoints];
  for (Transfer*& open : ends.open) {
    if (open == &transfer) open = nullptr;
  }
  while (!ends.open.empty() && ends.open.front() == nullptr) {
    ends.open.pop_front();
    ++ends.first_open;
  }
  free_.push_back(transfer.index);
}

}  // namespace rehearse
