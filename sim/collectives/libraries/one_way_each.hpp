// A communicator that has one way for each operation, so that there is nothing to choose.
#pragma once

#include <string>
#include <string_view>

#include "collectives/library.hpp"

namespace rehearse {

class OneWayEach : public Communicator {
 public:
  struct Way {
    std::string_view algorithm;
    int channels = 0;
  };
  using Rule = Way (*)(CollectiveOp op, const GroupMachine& machine);

  // `row`: of the costs of all its ways and messages.
  OneWayEach(const GroupMachine& machine, std::string row, Rule rule);

  std::vector<CollectiveWay> ways(CollectiveOp op) const override;
  std::optional<std::size_t> choose(CollectiveOp op, std::span<const CollectiveWay> ways,
                                    Bytes bytes, const FanOut& fan_out) const override;
  ProtocolCosts message() const override;

 private:
  const GroupMachine& machine_;
  std::string row_;
  Rule rule_;
};

}  // namespace rehearse
