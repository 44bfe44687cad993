// A candidate's numbers are drawn from its key: the same in every worker and in every order, so
// that what a search does with them shows. Bounds are looser than the truth by another such draw.
#include "search/made_up_search.hpp"

#include <unistd.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "search/search_job.hpp"
#include "search/search_json.hpp"
#include "search/search_text.hpp"

namespace rehearse {
namespace {

// A drawn number from 0 to 1 that belongs to the candidate.
double share_of_key(const std::string& key, unsigned seed) {
  return static_cast<double>(std::hash<std::string>{}(key + std::to_string(seed)) % 1000) / 1000;
}

}  // namespace

std::size_t at_name(const char* quantity) {
  return static_cast<std::size_t>(quantity_named(quantity, {}));
}

bool Fate::hits(const std::string& key, double part, unsigned salt) const {
  return share_of_key(key, seed * 31 + salt) < part;
}

std::vector<double> Fate::truth(const std::string& key) const {
  std::vector<double> values(search_quantities().size(), 1);
  values[at_name("throughput.tokens_per_s")] = 100 + std::floor(20 * share_of_key(key, seed));
  values[at_name("ttft_s.p99")] = 1 + std::floor(5 * share_of_key(key, seed + 1));
  values[at_name("memory.peak_fraction")] =
      hits(key, overflows, 1) || hits(key, bursts, 2) ? 1.5 : 0.5;
  return values;
}

std::vector<double> Fate::bound(const std::string& key) const {
  std::vector<double> values = truth(key);
  const double off = 1 + looseness * share_of_key(key, seed + 2);
  for (std::size_t at = 0; at < values.size(); ++at) {
    values[at] = search_quantities()[at].more_is_better ? values[at] * off : values[at] / off;
  }
  values[at_name("memory.peak_fraction")] = hits(key, overflows, 1) ? 1.5 : 0.5;
  return values;
}

std::string Fate::answer(const std::string& request) const {
  usleep(static_cast<useconds_t>(getpid() % 5 * 200));
  if (request.front() == 'S' || request.front() == 'K') {
    const std::string key = request.substr(1);
    if (request.front() == 'K') {
      std::vector<double> values = truth(key);
      values[at_name("throughput.tokens_per_s")] *= -1;
      return outcome_text(SearchOutcome{values, "weights"});
    }
    if (hits(key, crashes, 3)) throw std::runtime_error("made to crash");
    return outcome_text(SearchOutcome{truth(key), "weights"});
  }
  std::string text;
  std::size_t from = 1;
  for (std::size_t end = 0; (end = request.find('|', from)) != std::string::npos; from = end + 1) {
    const std::string key = request.substr(from, end - from);
    text +=
        (hits(key, refused, 4) ? "!no such" : outcome_text(SearchOutcome{bound(key), "weights"})) +
        "|";
  }
  return text;
}

Searched::Searched() {
  model.layers = 4;
  model.hidden = 64;
  model.attention = {{4, 4, 16, false}};
  model.dense = {FeedForward{64, false, false}};
  plan.name = "made up";
  plan.batch = {16, 8, 2, 4, 0};
  goals.objectives = {read_objective("throughput", {}), read_objective("ttft", {})};
  set_gpus("8");
}

void Searched::set_gpus(const std::string& gpus) {
  space = read_space({{"gpus", {{gpus}, {}}}}, plan, {{"p.xml", "0123456789ab", 12, {}, {}}});
}

SearchResult Searched::search(int workers) const {
  Workers made(
      workers, [this](const std::string& request) { return fate.answer(request); }, Seconds{20});
  const SearchInputs inputs{plan, model, space, goals};
  return rehearse::search(inputs, enumerate(space, plan, model), made, nullptr,
                          [](const SearchProgress&) { return true; });
}

std::string Searched::json(const SearchResult& result) const {
  return search_json({plan, model, space, goals}, result, {});
}

std::string Searched::table(const SearchResult& result) const {
  return search_table({plan, model, space, goals}, result);
}

long sum_of(const Exclusions& excluded) {
  return std::accumulate(excluded.begin(), excluded.end(), 0L,
                         [](long sum, const auto& each) { return sum + each.second; });
}

std::vector<std::string> keys_of(const std::vector<SearchRow>& rows) {
  std::vector<std::string> keys;
  keys.reserve(rows.size());
  for (const SearchRow& row : rows) keys.push_back(row.key);
  return keys;
}

}  // namespace rehearse
