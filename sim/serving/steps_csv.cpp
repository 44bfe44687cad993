#include <fmt/format.h>

#include <iterator>

#include "serving/service.hpp"

namespace rehearse::serving {
namespace {

std::string seconds(Picoseconds date) {
  constexpr Picoseconds kSecond = 1'000'000'000'000;
  return fmt::format("{}.{:012}", date / kSecond, date % kSecond);
}

}  // namespace

std::string steps_csv(const ServiceResult& result) {
  std::string text = "start_s,end_s,request,tokens,context\n";
  for (const LoggedStep& logged : result.steps) {
    for (const Slice& slice : logged.step.batch) {
      fmt::format_to(std::back_inserter(text), "{},{},{},{},{}\n", seconds(logged.step.start),
                     seconds(logged.step.end), slice.request, slice.tokens, slice.context);
    }
  }
  return text;
}

}  // namespace rehearse::serving
