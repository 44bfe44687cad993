// How long keys and values are on their way from prefill replicas to decode replicas. Transfers
// that overlap share links, so none has an end before those that come meanwhile are known.
#pragma once

#include <cstdint>
#include <vector>

#include "base/units.hpp"
#include "serving/request.hpp"

namespace rehearse::serving {

// Keys and values of a sequence that go together.
struct KvPart {
  std::int64_t tokens = 0;
  // Of the whole sequence, where this is its last part: what is kept of it once, however long it
  // is, goes with that. 0: others follow.
  std::int64_t sequence = 0;
};

class KvLinks {
 public:
  virtual ~KvLinks() = default;
  // Transfer number `transfer` begins now, which is no earlier than any date before. Transfers and,
  // in each pool, replicas are counted from 0.
  virtual void start(Picoseconds now, int transfer, int from, int to, const KvPart& part) = 0;
  // The next date at which one may end, if none begins before; kNever: none is on its way.
  virtual Picoseconds next_end() const = 0;
  // At next_end(): appends those that end then.
  virtual void end(std::vector<int>& done) = 0;
};

struct FairLinkSettings {
  BytesPerSecond send;     // of a prefill replica
  BytesPerSecond receive;  // of a decode replica
  Picoseconds latency = 0;
  Bytes per_token;
};

// Each replica has one link. Transfers share them max-min fairly: all get more at once until a link
// is full; its transfers stay there, the others get more (progressive filling; Bertsekas and
// Gallager, Data Networks, 6.5.2). What has been sent arrives `latency` later.
class FairLinks : public KvLinks {
 public:
  explicit FairLinks(const FairLinkSettings& settings) : settings_(settings) {}

  void start(Picoseconds now, int transfer, int from, int to, const KvPart& part) override;
  Picoseconds next_end() const override;
  void end(std::vector<int>& done) override;

 private:
  struct Flow {
    int transfer = 0;
    int from = 0;
    int to = 0;
    double left = 0;  // bytes
    double rate = 0;  // bytes/s
    Picoseconds sent = 0;
  };
  struct Arrival {
    int transfer = 0;
    Picoseconds when = 0;
  };

  Picoseconds next_sent() const;
  void advance(Picoseconds now);
  void carry(Picoseconds until);
  void share();

  const FairLinkSettings settings_;
  Picoseconds now_ = 0;
  std::vector<Flow> flows_;        // in the order of their starts
  std::vector<Arrival> arrivals_;  // sent, in the order in which they arrive
};

}  // namespace rehearse::serving
