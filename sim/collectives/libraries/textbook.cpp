// No library that exists: every algorithm as it was published, at the links' own rates, and of
// those that serve a group the fastest. What the others are compared with.
#include "collectives/libraries/libraries.hpp"

namespace rehearse {
namespace {

class Textbook : public Communicator {
 public:
  explicit Textbook(const GroupMachine& machine) : machine_(machine) {}

  std::vector<CollectiveWay> ways(CollectiveOp op) const override {
    std::vector<CollectiveWay> all;
    for (const CollectiveAlgorithm* algorithm : candidates_for(op, machine_.shape)) {
      all.push_back({algorithm, {}, {}, 0, {}});
    }
    return all;
  }
  std::optional<std::size_t> choose(CollectiveOp /*op*/, std::span<const CollectiveWay> /*ways*/,
                                    Bytes /*bytes*/, const FanOut& /*fan_out*/) const override {
    return std::nullopt;
  }
  ProtocolCosts message() const override { return {}; }

 private:
  const GroupMachine& machine_;
};

}  // namespace

const CollectiveLibrary kTextbook = {
    "textbook", "algorithms as published, at the links' own rates; the fastest is taken",
    [](const GroupMachine& /*machine*/) { return std::string(); },
    [](const GroupMachine& machine) -> std::unique_ptr<Communicator> {
      return std::make_unique<Textbook>(machine);
    }};

}  // namespace rehearse
