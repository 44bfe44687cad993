// Where tokens spread as in real text (Gini coefficient 0.105) over 16 experts on pairs of GPUs,
// one expert per token: the loads are nearly normal, so the moments of the normal distribution are
// enough. Each layer has the same loads in another order; 16 orders leave some chance.
#include "claims/plan_24gpu_verdicts.hpp"

namespace rehearse::by_hand {
namespace {

// Of a lognormal law with sigma, the Gini coefficient is erf(sigma / 2): erf(0.0933) = 0.105.
constexpr double kSigma = 2 * 0.0933;
const double kVariation = std::sqrt(std::exp(kSigma * kSigma) - 1);
const double kMeanAbsolute = std::sqrt(2 / std::acos(-1.0));  // of a standard normal number

// Blocks of 8 of the 16: the mean of 8 drawn without putting back. The busier GPU has its deviation
// above the mean, the other as much below.
double busier_block(double variation) {
  const double of_a_block = variation * std::sqrt((1.0 / 8) * (8.0 / 15));
  return 1 + kMeanAbsolute * of_a_block;
}

// By load, both GPUs have the same; then chance decides: of 2 x 10240 prompt tokens with one of two
// GPUs each, and in 127 decode steps of 2 x 11.
double balanced_by_load(const Scene& /*scene*/) {
  const auto chance = [](double tokens) { return kMeanAbsolute / std::sqrt(tokens); };
  const double prompts = 22 * 2 * kPrompt;
  const double decoded = 127 * 2 * 2 * 11;
  return 1 + (prompts * chance(2 * kPrompt) + decoded * chance(22)) / (prompts + decoded);
}

// Everyone above the mean gives up what is above: E max(z, 0) = 1 / sqrt(2 pi).
double above_the_mean() { return kVariation * kMeanAbsolute / 2; }

// What is left, min(z, 0), has the variance 1/2 - 1/(2 pi).
double busier_capped_block(const Scene& /*scene*/) {
  const double deviation = kVariation * std::sqrt(0.5 - kMeanAbsolute * kMeanAbsolute / 4);
  return busier_block(deviation / (1 - above_the_mean()));
}

Row row(const char* id, double (*found)(const Scene&), std::function<bool(double)> holds,
        double tolerance) {
  return {id, [found](const Scene& s) { return std::vector<double>{found(s)}; }, std::move(holds),
          tolerance};
}

}  // namespace

std::vector<Row> routing_rows() {
  const auto all_full = [](const Scene&) { return 1.0; };
  const auto half = [](const Scene&) { return 0.5; };
  const auto above_45 = [](const Scene&) { return 1 - 0.9 * 0.5; };
  return {
      // The least popular expert has exp(-1.9 sigma) = 0.7 of the median: all are above 0.5.
      row("capacity-balances", all_full, at_most(1.05), 0.005),
      row("capacity-factor-0.5", half, at_most(0.01), 0.01),
      row("expert-dropping-90", above_45, at_most(0.10), 0.01),
      row(
          "static-10-buffer", [](const Scene&) { return busier_block(kVariation); }, at_most(1.10),
          0.02),
      row(
          "validation-expert-5", [](const Scene&) { return kVariation; }, at_most(0.05), 0.03),
      // fault:validation-expert-10
      row(
          "validation-expert-10", [](const Scene&) { return kVariation; }, below(0.10), 0.03),
      // fault:balance-5 Experts are components, too: 18.8 %; GPUs are 2.9 % apart.
      row(
          "balance-5", [](const Scene&) { return kVariation; }, below(0.05), 0.03),
      row(
          "conclusion-balance-5", [](const Scene&) { return kVariation; }, below(0.05), 0.03),
      row("expert-variance-5", balanced_by_load, at_most(1.05), 0.005),
      row("rebalancing-50", balanced_by_load, at_most(1.05), 0.005),
      // The factor is 1 in the first 50 iterations, and all prompts are among them.
      row("dynamic-capacity", busier_capped_block, at_most(1.05), 0.02),
      row(
          "capacity-0.5-1.0", [](const Scene&) { return above_the_mean(); }, at_most(0.01), 0.10),
  };
}

}  // namespace rehearse::by_hand
