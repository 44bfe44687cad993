// What a document claims about a plan, as workloads/schema/claims.proto has it. Plain data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "claims/expression.hpp"

namespace rehearse {

struct ClaimPlatform {
  std::string name;
  std::string file;  // resolved: openable from the working directory
};

// Fields of the plan set to something else, and platforms that take the place of others.
struct Alternative {
  std::string name;
  std::vector<std::string> sets;
  std::vector<ClaimPlatform> platforms;
};

// What a comparison that holds is worth: of an upper bound, nothing.
enum class Evidence { kMeasured, kUpperBound };

struct Claim {
  std::string id;
  int line = 0;
  std::string quote;
  std::optional<Comparison> expect;  // or not_modelled
  std::string not_modelled;          // what is missing
  std::string note;
  std::vector<std::string> under;   // readings; empty: all
  std::vector<std::string> on;      // platforms; empty: all
  std::vector<std::string> with;    // alternatives; empty: the plan as it is
  std::optional<Comparison> given;  // judged where it holds
  std::string read_as;              // "of generated tokens"; empty: there is one way
  Evidence evidence = Evidence::kMeasured;
  SourceLocation where;
};

// What is compared, and how it is read: "throughput.tokens_per_s >= 35 [of generated tokens]"; for
// a claim that is not modelled what is missing.
std::string claim_text(const Claim& claim);

struct Claims {
  std::string path;
  std::string document;                  // empty: the file names none
  std::vector<ClaimPlatform> platforms;  // empty: the plan's alone
  std::vector<Alternative> alternatives;
  std::vector<Claim> claims;  // in the file's order
};

}  // namespace rehearse
