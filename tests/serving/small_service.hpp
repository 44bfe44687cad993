// Engines of a few tokens, whose steps take 10 ms and 1 ms per token.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "serving/service.hpp"

namespace rehearse::serving {

constexpr Picoseconds kMs = 1'000'000'000;

inline Offered asks(int prompt, int output, Picoseconds arrival = 0) {
  Offered offered;
  offered.prompt = prompt;
  offered.output = output;
  offered.arrival = arrival;
  return offered;
}

inline ServiceSettings small_engine(std::string_view scheduler) {
  ServiceSettings settings;
  settings.engine.scheduler = scheduler;
  settings.engine.max_tokens = 64;
  settings.engine.max_sequences = 8;
  settings.engine.block_tokens = 4;
  settings.engine.kv_blocks = 100;
  settings.engine.prefix_cache = false;
  settings.logged = kWholeRun;
  return settings;
}

inline ServiceResult serve_small(const std::vector<Offered>& offered,
                                 const ServiceSettings& settings) {
  LinearPrice price(10 * kMs, 1 * kMs);
  return serve(offered, settings, price);
}

// "{a5,b3}@0-18 {a1}@18-29": requests by letter, start and end in ms.
inline std::string steps_of(const ServiceResult& result) {
  std::string text;
  for (const LoggedStep& logged : result.steps) {
    if (!text.empty()) text += " ";
    text += "{";
    for (const Slice& slice : logged.step.batch) {
      if (text.back() != '{') text += ",";
      text += static_cast<char>('a' + slice.request) + std::to_string(slice.tokens);
    }
    text += "}@" + std::to_string(logged.step.start / kMs) + "-" +
            std::to_string(logged.step.end / kMs);
  }
  return text;
}

inline std::vector<Picoseconds> ms(std::initializer_list<int> dates) {
  std::vector<Picoseconds> times;
  for (const int date : dates) times.push_back(date * kMs);
  return times;
}

}  // namespace rehearse::serving
