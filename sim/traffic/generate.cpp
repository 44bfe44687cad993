// Gaps of a Poisson process are exponential; those of a gamma process have shape 1 / variation^2
// and the same mean 1 / rate, as vLLM's load generator draws them (benchmarks/serve.py: burstiness
// is the shape). That generator also stretches the gaps so that the last request comes at N / rate
// exactly; here they are as they were drawn. Its random dataset puts a shared prefix before each
// prompt's own tokens (benchmarks/datasets.py: RandomDataset), as here.
//
// A session is a row of blocks that grows turn by turn: those of its group, then its own. Each turn
// has the whole ones of its prompt and output, so that the next begins with them.
#include "traffic/generate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/limits.hpp"
#include "base/random_stream.hpp"

namespace rehearse {
namespace {

// Of the streams, beside the seed.
enum class Drawn : std::uint64_t { kGaps = 0x67617073, kPrompts, kOutputs, kGroups };

RandomStream stream_of(std::uint64_t seed, Drawn what) {
  return RandomStream({seed, static_cast<std::uint64_t>(what)});
}

int whole(double tokens) {
  return static_cast<int>(std::clamp(tokens, 1.0, static_cast<double>(kMostTokens)));
}

int between(double least, double most, RandomStream& random) {
  const int first = whole(least);
  return first + random.below(whole(most) - first + 1);
}

int length(const LengthLaw& law, RandomStream& random) {
  const double mean = law.tokens;
  if (!law.of_file.empty()) {
    return law.of_file[random.below(static_cast<int>(law.of_file.size()))];
  }
  if (law.range) {
    return between(std::floor(mean * (1 - *law.range)), std::ceil(mean * (1 + *law.range)), random);
  }
  if (law.least) return between(std::floor(mean * *law.least), mean, random);
  if (law.variation) {
    const double square = std::log(1 + *law.variation * *law.variation);
    return whole(std::round(mean * std::exp(std::sqrt(square) * random.normal() - square / 2)));
  }
  return law.tokens;
}

double gap(const TrafficLaw& law, RandomStream& random) {
  const double mean = 1 / law.rate;
  switch (law.process) {
    case ArrivalProcess::kConstant:
      return mean;
    case ArrivalProcess::kPoisson:
      return -std::log(random.uniform()) * mean;
    case ArrivalProcess::kGamma: {
      const double shape = 1 / (law.variation * law.variation);
      return random.gamma(shape) / shape * mean;
    }
  }
  return mean;
}

// The requests, as they are drawn one after the other.
class Drawing {
 public:
  Drawing(const TrafficLaw& law, std::uint64_t seed, const TrafficPlaces& where)
      : law_(law),
        where_(where),
        prompts_(stream_of(seed, Drawn::kPrompts)),
        outputs_(stream_of(seed, Drawn::kOutputs)),
        groups_(stream_of(seed, Drawn::kGroups)) {
    if (!law.prefix) return;
    shared_blocks_ = law.prefix->tokens / kDrawnBlockTokens;
    next_block_ = static_cast<std::int64_t>(shared_blocks_) * law.prefix->groups;
  }

  int count() const { return static_cast<int>(requests_.size()); }
  std::vector<Request> take() { return std::move(requests_); }

  // A session that begins at `arrival`, `date` of the traffic: so many turns, one behind the other.
  void add_session(double arrival, double date, int turns) {
    std::vector<std::int64_t> blocks = shared_blocks();
    int before = law_.prefix ? law_.prefix->tokens : 0;  // tokens that the next turn begins with
    for (int turn = 0; turn < turns; ++turn) {
      Request request;
      request.arrival = Seconds{arrival};
      request.in_trace = Seconds{date};
      request.prompt_tokens = prompt_after(before, turn);
      request.output_tokens = length(law_.output, outputs_);
      if (turn > 0) {
        request.after = count() - 1;
        request.think = law_.think;
      }
      before = request.prompt_tokens + request.output_tokens;
      if (law_.turns > 1) {
        grow(blocks, before / kDrawnBlockTokens);
        request.blocks_of_output = true;
      }
      request.blocks = blocks;
      count_blocks(blocks.size());
      requests_.push_back(std::move(request));
    }
  }

 private:
  std::vector<std::int64_t> shared_blocks() {
    std::vector<std::int64_t> blocks;
    if (!law_.prefix) return blocks;
    const int group = groups_.below(law_.prefix->groups);
    for (int at = 0; at < shared_blocks_; ++at) {
      blocks.push_back(static_cast<std::int64_t>(group) * shared_blocks_ + at);
    }
    return blocks;
  }

  void grow(std::vector<std::int64_t>& blocks, int count) {
    while (static_cast<int>(blocks.size()) < count) blocks.push_back(next_block_++);
  }

  int prompt_after(int before, int turn) {
    const int own = length(law_.prompt, prompts_);
    if (own <= kMostTokens - before) return before + own;
    const SourceLocation place = turn > 0 ? where_.turns : where_.prefix;
    throw InputError(
        place, turn > 0
                   ? fmt::format("serve.traffic.turns = {}: turn {} of a session has a prompt of "
                                 "more than {} tokens, which is the most",
                                 law_.turns, turn + 1, kMostTokens)
                   : fmt::format("serve.traffic.prefix.tokens = {}: a prompt has more than {} "
                                 "tokens with it, which is the most",
                                 law_.prefix->tokens, kMostTokens));
  }

  void count_blocks(std::size_t more) {
    blocks_ += static_cast<long>(more);
    if (blocks_ <= kMostDrawnBlocks) return;
    throw InputError(
        law_.turns > 1 ? where_.turns : where_.prefix,
        fmt::format("serve.traffic.{}: the requests have more than {} blocks of {} "
                    "tokens, which is the most",
                    law_.turns > 1 ? "turns" : "prefix", kMostDrawnBlocks, kDrawnBlockTokens));
  }

  const TrafficLaw& law_;
  const TrafficPlaces& where_;
  RandomStream prompts_;
  RandomStream outputs_;
  RandomStream groups_;
  int shared_blocks_ = 0;
  std::int64_t next_block_ = 0;  // that is nobody's yet
  long blocks_ = 0;
  std::vector<Request> requests_;
};

}  // namespace

const char* to_text(ArrivalProcess process) {
  constexpr const char* kNames[] = {"poisson", "gamma", "constant"};
  return kNames[static_cast<int>(process)];
}

bool describes_blocks(const TrafficLaw& law) { return law.prefix || law.turns > 1; }

std::vector<Request> generate_requests(const TrafficLaw& law, std::uint64_t seed,
                                       const TrafficPlaces& where) {
  RandomStream gaps = stream_of(seed, Drawn::kGaps);
  Drawing drawing(law, seed, where);
  double date = 0;
  double first = 0;
  const auto enough = [&] {
    return law.duration ? date > law.duration->value : drawing.count() == law.requests;
  };
  const auto next_gap = [&] { return law.rate > 0 ? gap(law, gaps) : 0; };
  const auto refuse_so_many = [&] {
    throw InputError(where.duration,
                     fmt::format("serve.traffic.duration = {}: at {} per second more than {} "
                                 "requests come, which is the most",
                                 to_text(*law.duration), law.rate, kMostGenerated));
  };
  if (law.duration && law.rate * law.duration->value * law.turns > kMostGenerated) {
    refuse_so_many();
  }
  for (date = next_gap(); !enough(); date += next_gap()) {
    const int left = (law.duration ? kMostGenerated : law.requests) - drawing.count();
    if (law.duration && left < law.turns) refuse_so_many();
    if (drawing.count() == 0) first = date;
    drawing.add_session(date - first, date, std::min(law.turns, left));
  }
  if (drawing.count() == 0) {
    throw InputError(where.duration,
                     fmt::format("serve.traffic.duration = {}: no request comes within it at {} "
                                 "per second",
                                 to_text(*law.duration), law.rate));
  }
  return drawing.take();
}

}  // namespace rehearse
