// Gaps of a Poisson process are exponential; those of a gamma process have shape 1 / variation^2
// and the same mean 1 / rate, as vLLM's load generator draws them (benchmarks/serve.py: burstiness
// is the shape). That generator also stretches the gaps so that the last request comes at N / rate
// exactly; here they are as they were drawn.
#include "traffic/generate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/limits.hpp"
#include "base/random_stream.hpp"

namespace rehearse {
namespace {

// Of the streams, beside the seed.
enum class Drawn : std::uint64_t { kGaps = 0x67617073, kPrompts, kOutputs };

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

}  // namespace

const char* to_text(ArrivalProcess process) {
  constexpr const char* kNames[] = {"poisson", "gamma", "constant"};
  return kNames[static_cast<int>(process)];
}

std::vector<Request> generate_requests(const TrafficLaw& law, std::uint64_t seed,
                                       const SourceLocation& where) {
  RandomStream gaps = stream_of(seed, Drawn::kGaps);
  RandomStream prompts = stream_of(seed, Drawn::kPrompts);
  RandomStream outputs = stream_of(seed, Drawn::kOutputs);
  std::vector<Request> requests;
  double date = 0;
  double first = 0;
  const auto enough = [&] {
    if (law.duration) return date > law.duration->value;
    return static_cast<int>(requests.size()) == law.requests;
  };
  const auto refuse_so_many = [&] {
    throw InputError(where, fmt::format("serve.traffic.duration = {}: at {} per second more than "
                                        "{} requests come, which is the most",
                                        to_text(*law.duration), law.rate, kMostGenerated));
  };
  if (law.duration && law.rate * law.duration->value > kMostGenerated) refuse_so_many();
  for (date = gap(law, gaps); !enough(); date += gap(law, gaps)) {
    if (static_cast<int>(requests.size()) == kMostGenerated) refuse_so_many();
    if (requests.empty()) first = date;
    Request request;
    request.arrival = Seconds{date - first};
    request.in_trace = Seconds{date};
    request.prompt_tokens = length(law.prompt, prompts);
    request.output_tokens = length(law.output, outputs);
    requests.push_back(std::move(request));
  }
  if (requests.empty()) {
    throw InputError(where, fmt::format("serve.traffic.duration = {}: no request comes within it "
                                        "at {} per second",
                                        to_text(*law.duration), law.rate));
  }
  return requests;
}

}  // namespace rehearse
