// What the fuzz targets share. A target gives bytes that a fuzzer chose to one reader; the only
// thing that may happen to them is to be understood or to be refused with an InputError. Everything
// else (another exception, a sanitizer's finding, a hang) is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace rehearse::fuzz {

inline std::string text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// Calls `read`; a refusal says something.
template <typename Read>
void understood_or_refused(Read read) {
  try {
    read();
  } catch (const InputError& refusal) {
    SIM_CHECK(*refusal.what() != 0, "a refusal without a text");
  }
}

}  // namespace rehearse::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);
