#include "commands/seeds.hpp"

#include <fmt/format.h>

#include <charconv>

#include "base/error.hpp"
#include "base/option_place.hpp"
#include "routing/token_routing.hpp"

namespace rehearse {
namespace {

constexpr int kMostSeeds = 1000;

bool draws(const PreparedPlan& prepared) {
  const Plan& plan = prepared.plan();
  const Serve& serve = *plan.serve;
  const bool drafts = serve.pools ? serve.pools->decode.engine.speculative.has_value()
                                  : serve.engine.speculative.has_value();
  return serve.law || drafts || plan.routing.model != "uniform";
}

}  // namespace

int seeds_of(const std::string& typed, const PreparedPlan& prepared) {
  int seeds = 0;
  const char* const end = typed.data() + typed.size();
  const auto [rest, failure] = std::from_chars(typed.data(), end, seeds);
  if (failure != std::errc{} || rest != end || seeds < 1 || seeds > kMostSeeds) {
    throw InputError(option_place("--seeds", typed),
                     fmt::format("\"{}\": must be a whole number from 1 to {}", typed, kMostSeeds));
  }
  if (seeds == 1) return seeds;
  if (!prepared.plan().serve) {
    throw InputError(option_place("--seeds", typed),
                     "--seeds is of a plan that serves; another seed of a batch is --seed");
  }
  if (!draws(prepared)) {
    throw InputError(option_place("--seeds", typed),
                     "the requests of a trace are the same whatever the seed");
  }
  return seeds;
}

}  // namespace rehearse
