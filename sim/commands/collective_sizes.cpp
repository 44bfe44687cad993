// Two ways to say sizes, each with the units of its world: --bytes has this program's (KB is 1,000
// bytes, a missing unit is an error), -b -e -i -f have those of nccl-tests (common.cu of NVIDIA's
// nccl-tests, parsesize and TimeTest: K, M, G are powers of 1,024, no unit is bytes; defaults 32M,
// 32M, 1M, no factor).
#include "commands/collective_sizes.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <stdexcept>
#include <string_view>

#include "base/error.hpp"
#include "base/option_place.hpp"

namespace rehearse {
namespace {

constexpr double kMost = 1125899906842624;  // a PiB
constexpr double kMostSizes = 10000;

[[noreturn]] void refuse(const char* option, const std::string& text, const std::string& rule) {
  throw InputError(option_place(option, text), fmt::format("\"{}\": {}", text, rule));
}

// One end of --bytes, its mistakes located in the option as typed.
Bytes end_of(const std::string& text, std::size_t at, const std::string& part) {
  try {
    return parse_bytes(part);
  } catch (const std::invalid_argument& error) {
    SourceLocation where = option_place("--bytes", text);
    where.column += static_cast<int>(at);
    throw InputError(where, error.what());
  }
}

std::vector<Bytes> doubling_sizes(const std::string& text) {
  const std::size_t dots = text.find("..");
  const Bytes first = end_of(text, 0, text.substr(0, dots));
  const Bytes last =
      dots == std::string::npos ? first : end_of(text, dots + 2, text.substr(dots + 2));
  if (first.value < 1 || last < first || last.value > kMost) {
    refuse("--bytes", text,
           "must be a size of at least 1B and at most 1024TiB, or FIRST..LAST with FIRST <= LAST");
  }
  std::vector<Bytes> sizes;
  for (Bytes size = first; size <= last; size *= 2) sizes.push_back(size);
  return sizes;
}

// What a unit stands for; 0: nccl-tests has none of that name. It looks at the first letter only.
double nccl_tests_unit(std::string_view unit) {
  constexpr double kKibi = 1024;
  if (unit.empty()) return 1;
  const std::string_view behind = unit.substr(1);
  if (!behind.empty() && behind != "B" && behind != "iB") return 0;
  switch (unit.front()) {
    case 'K':
    case 'k':
      return kKibi;
    case 'M':
    case 'm':
      return kKibi * kKibi;
    case 'G':
    case 'g':
      return kKibi * kKibi * kKibi;
    default:
      return 0;
  }
}

// "8", "128M", "1.5k", "4GB".
double nccl_tests_size(const char* option, const std::string& text) {
  double size = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, size);
  if (failure == std::errc{}) {
    const auto read = static_cast<std::size_t>(rest - text.data());
    const double bytes = std::floor(size * nccl_tests_unit(std::string_view(text).substr(read)));
    if (bytes >= 1 && bytes <= kMost) return bytes;
  }
  refuse(option, text,
         "must be a number of bytes as nccl-tests reads it, from 1 to 1048576G: 8, 64K, 128M, 1G "
         "(powers of 1,024)");
}

// 1: steps are added.
double factor_of(const NcclTestsSizes& typed) {
  if (!typed.factor) return 1;
  const std::string& text = *typed.factor;
  int factor = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, factor);
  if (failure != std::errc{} || rest != end || factor < 1) {
    refuse("-f", text, "must be a whole number from 2: each size is so many times the last");
  }
  if (factor > 1 && typed.step) {
    refuse("-i", *typed.step, "sizes are multiplied (-f) or a step is added (-i): give one");
  }
  return factor;
}

std::vector<Bytes> stepped_sizes(const NcclTestsSizes& typed) {
  const double first = nccl_tests_size("-b", typed.first.value_or("32M"));
  const double last = nccl_tests_size("-e", typed.last.value_or("32M"));
  const double step = nccl_tests_size("-i", typed.step.value_or("1M"));
  const double factor = factor_of(typed);
  if (first > last) {
    const char* const rule = "-b must be at most -e; each is 32M where it is not given";
    if (typed.first) refuse("-b", *typed.first, rule);
    refuse("-e", *typed.last, rule);
  }
  if (factor == 1 && (last - first) / step >= kMostSizes) {
    refuse("-i", typed.step.value_or("1M"),
           fmt::format("makes more than {:.0f} sizes: take larger steps, or -f 2", kMostSizes));
  }
  std::vector<Bytes> sizes;
  for (double size = first; size <= last; size = factor > 1 ? size * factor : size + step) {
    sizes.push_back(Bytes{size});
  }
  return sizes;
}

std::vector<Bytes> no_size(const std::optional<std::string>& bytes,
                           const NcclTestsSizes& nccl_tests) {
  const auto not_given = [](const char* option, const std::optional<std::string>& text) {
    if (!text) return;
    refuse(option, *text, fmt::format("a barrier carries no bytes: leave {} out", option));
  };
  not_given("--bytes", bytes);
  not_given("-b", nccl_tests.first);
  not_given("-e", nccl_tests.last);
  not_given("-i", nccl_tests.step);
  not_given("-f", nccl_tests.factor);
  return {Bytes{0}};
}

}  // namespace

std::vector<Bytes> collective_sizes(const std::optional<std::string>& bytes,
                                    const NcclTestsSizes& nccl_tests, CollectiveOp op) {
  if (op == CollectiveOp::kBarrier) return no_size(bytes, nccl_tests);
  if (!nccl_tests.given()) return doubling_sizes(bytes.value_or("8KB..1GB"));
  if (bytes) {
    refuse("--bytes", *bytes, "sizes are said by --bytes or by -b -e -f -i: leave one out");
  }
  return stepped_sizes(nccl_tests);
}

}  // namespace rehearse
