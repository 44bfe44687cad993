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
      memberships_(groups_.of_rank.size()),
      of_group_(groups_.groups.size()),
      channels_(groups_.of_rank.size()) {
  for (std::size_t at = 0; at < groups_.groups.size(); ++at) {
    const ProcessGroup& group = groups_.groups[at];
    for (std::size_t member = 0; member < group.ranks.size(); ++member) {
      memberships_[group.ranks[member]][static_cast<int>(group.axis)] = {
          static_cast<std::int32_t>(at), static_cast<std::int32_t>(member)};
    }
  }
  for (auto& of_operation : of_group_) of_operation.fill(nullptr);
}

Transfer& Rendezvous::next_collective(Rank rank, const Instruction& instruction, int about,
                                      int& member) {
  const Membership& own = memberships_[rank][static_cast<int>(instruction.axis)];
  member = own.member;
  Endpoints& ends = collective_endpoints(own.group, instruction.op, instruction.stream);
  Transfer& transfer = transfer_at(ends, ends.posted[member]++);
  if (transfer.arrived == 0) transfer.about = about;
  SIM_CHECK(
      transfer.about == about,
      fmt::format("{} over {}: rank {} is at {}, another member at {}", to_text(instruction.op),
                  to_text(instruction.axis), rank, about, transfer.about));
  return transfer;
}

Endpoints& Rendezvous::add_endpoints() {
  Endpoints& added = endpoints_.emplace_back();
  added.number = static_cast<int>(endpoints_.size()) - 1;
  return added;
}

Endpoints& Rendezvous::collective_endpoints(int group, CollectiveOp op, Stream stream) {
  Endpoints*& ends = of_group_[group][static_cast<int>(op)];
  if (ends == nullptr) {
    Endpoints& added = add_endpoints();
    ends = &added;
    added.members = groups_.groups[group].ranks;
    added.op = op;
    added.use = &programs_.collectives;
    added.gpus = gpus_of(programs_, added.members);
    added.shape = shape_of(added.gpus, platform_);
    added.stream = stream;
    added.posted.resize(added.members.size());
  }
  SIM_CHECK(ends->stream == stream, "one group runs one operation on different streams");
  return *ends;
}

Endpoints& Rendezvous::channel(Rank from, Rank to, int lane) {
  std::vector<Channel>& channels = channels_[from];
  const auto known = std::find_if(channels.begin(), channels.end(), [&](const Channel& channel) {
    return channel.to == to && channel.lane == lane;
  });
  if (known != channels.end()) return *known->endpoints;
  Endpoints& added = add_endpoints();
  channels.push_back({to, lane, &added});
  added.is_message = true;
  added.use = &programs_.collectives;
  added.members = {from, to};
  added.gpus = gpus_of(programs_, added.members);
  added.stream = Stream::kPipelineSend;
  added.posted.resize(2);
  return added;
}

Transfer& Rendezvous::next_send(Rank rank, const Action& action, const Instruction& instruction) {
  Endpoints& ends =
      channel(rank, programs_.peer_of(rank, instruction), programs_.lane_of(action, instruction));
  Transfer& transfer = transfer_at(ends, ends.posted[0]++);
  transfer.about = action.about;
  return transfer;
}

void Rendezvous::check_received(const Transfer& message, const Posted& posted) const {
  const Bytes expected{posted.instruction->bytes.at(posted.step)};
  const Bytes sent = message.bytes[0];
  const std::vector<Rank>& ends = message.ends->members;
  SIM_CHECK(
      message.about == posted.action->about && sent == expected,
      fmt::format("rank {} receives {} about {} from rank {} where it expects {} about {}", ends[1],
                  to_text(sent), message.about, ends[0], to_text(expected), posted.action->about));
}

Transfer* Rendezvous::next_receive(Rank rank, const Posted& posted) {
  const Rank from = programs_.peer_of(rank, *posted.instruction);
  const int lane = programs_.lane_of(*posted.action, *posted.instruction);
  Endpoints& ends = channel(from, rank, lane);
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
  Endpoints& ends = *message.ends;
  if (ends.receives.empty()) return false;
  posted = ends.receives.front();
  ends.receives.pop_front();
  return true;
}

Transfer& Rendezvous::transfer_at(Endpoints& ends, std::int64_t sequence) {
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
  transfer.ends = &ends;
  transfer.arrived = 0;
  transfer.left = static_cast<int>(senders);
  transfer.complete = false;
  transfer.bytes.assign(senders, Bytes{});
  transfer.splits.clear();
  ends.open.push_back(&transfer);
  return transfer;
}

void Rendezvous::release(Transfer& transfer) {
  Endpoints& ends = *transfer.ends;
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
