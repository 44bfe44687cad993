// Claims x quantities of the runs that they are about -> verdicts. Pure; who simulates is not its
// business.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "claims/claims.hpp"
#include "claims/error_band.hpp"
#include "claims/evaluate.hpp"

namespace rehearse {

// What a claim is judged in: a reading (variant) of the plan on a platform, as it is or with an
// alternative. Names; empty where there is none.
struct Scenario {
  std::string reading;
  std::string platform;
  std::string alternative;

  // clang-tidy 14 takes the 0 that <=> is compared with for a null pointer.
  auto operator<=>(const Scenario&) const = default;  // NOLINT(modernize-use-nullptr)
};

// "declared-dense, assumed, with pp-4"
std::string to_text(const Scenario& scenario);

// What the quantities of a scenario come from; each has those before it, too.
enum class Source { kFacts, kRun, kSearch };

struct Skeletons;  // claims/skeletons.hpp

// From good to bad.
enum class Verdict { kHolds, kNotModelled, kRefuted, kInconsistent };
const char* to_text(Verdict verdict);  // "holds", "refuted", "inconsistent", "not modelled"

struct Judgement {
  const Claim* claim = nullptr;
  std::optional<Scenario> scenario;  // absent: the document alone decides
  Verdict verdict = Verdict::kHolds;
  std::optional<Value> found;
  Unit unit = Unit::kNone;
  std::string claimed;            // "<= 6s"
  std::string reason;             // one sentence
  std::optional<ErrorBand> band;  // where it hangs on times whose error is known
};

class Audit {
 public:
  // Throws InputError where a claim names no quantity of the skeletons, an unknown reading,
  // platform or alternative. `readings`: the plan's variants, one empty name where it has none.
  Audit(const Claims& claims, std::vector<std::string> readings, std::vector<std::string> platforms,
        const Skeletons& skeletons);

  // Every scenario that some claim is judged in, once.
  const std::map<Scenario, Source>& scenarios() const { return scenarios_; }

  // In the order of the claims, then of the scenarios. `quantities`: of every scenario, or a text
  // that says why it cannot be simulated. A claim on a quantity that a scenario lacks is not
  // modelled there. Throws InputError at an element of a list that every scenario lacks.
  std::vector<Judgement> judge(const std::map<Scenario, nlohmann::json>& quantities) const;

 private:
  std::vector<Scenario> scenarios_of(const Claim& claim) const;
  std::vector<Judgement> judge_in_scenarios(
      const Claim& claim, const std::map<Scenario, nlohmann::json>& quantities) const;

  const Claims& claims_;
  std::vector<std::string> readings_;
  std::vector<std::string> platforms_;
  std::map<Scenario, Source> scenarios_;
};

}  // namespace rehearse
