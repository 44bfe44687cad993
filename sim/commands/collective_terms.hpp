// What the time of a collective is made of before any constant: for tools/fit, which finds those.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "network/paths.hpp"

namespace rehearse {

// The columns that --terms adds. Times in seconds: of the routes' latencies over all rounds, of the
// fullest link in a domain and across them at its own rate, of the copied bytes at the memory's.
constexpr std::array<std::string_view, 10> kTermColumns = {
    "algorithm",     "protocol",      "channels", "row",      "latency_s",
    "rounds_inside", "rounds_across", "inside_s", "across_s", "copy_s"};

// As many values, separated by commas.
std::string terms_of(const TransferPath& path, Bytes buffer);

}  // namespace rehearse
