#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/nearest_name.hpp"
#include "claims/expected.hpp"
#include "input/input.hpp"
#include "input/json_document.hpp"
#include "input/source_text.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

std::optional<Verdict> verdict_named(const std::string& name) {
  for (const Verdict verdict :
       {Verdict::kHolds, Verdict::kRefuted, Verdict::kInconsistent, Verdict::kNotModelled}) {
    if (name == to_text(verdict)) return verdict;
  }
  return std::nullopt;
}

class Reader {
 public:
  Reader(const SourceText& source, const JsonDocument& document)
      : source_(source), document_(document) {}

  Expected run() const {
    Expected expected;
    expected.path = source_.path;
    const json& root = document_.root;
    if (!root.is_object() || !root.contains("judgements") || !root["judgements"].is_object()) {
      fail({"judgements"}, "the file has no object \"judgements\": expected what --record writes");
    }
    refuse_others(root, {"judgements", "tolerance"}, {});
    // From 1 on every value of the same sign would be near.
    if (!root.contains("tolerance") || !root["tolerance"].is_number() || root["tolerance"] < 0 ||
        root["tolerance"] >= 1) {
      fail({"tolerance"},
           "tolerance must be a number from 0 to below 1, relative to what was found");
    }
    expected.tolerance = root["tolerance"];
    for (const auto& [claim, scenarios] : root["judgements"].items()) {
      if (!scenarios.is_object()) fail({"judgements", claim}, "expected an object of scenarios");
      for (const auto& [scenario, recorded] : scenarios.items()) {
        expected.judgements[claim][scenario] = judgement(recorded, {"judgements", claim, scenario});
      }
    }
    return expected;
  }

 private:
  using Path = std::vector<std::string>;

  [[noreturn]] void fail(const Path& path, const std::string& message) const {
    throw InputError(document_.keys.find(path).value_or(source_.at(0)), message);
  }

  // What is written but not understood would guard nothing.
  void refuse_others(const json& object, const std::vector<std::string>& known, Path path) const {
    for (const auto& [name, value] : object.items()) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      path.push_back(name);
      fail(path, fmt::format("unknown field \"{}\": {}", name, suggestion(name, known)));
    }
  }

  ExpectedJudgement judgement(const json& recorded, Path path) const {
    if (!recorded.is_object() || !recorded.contains("verdict") ||
        !recorded["verdict"].is_string() || !recorded.contains("found")) {
      fail(path, "expected an object with a text \"verdict\" and a value \"found\"");
    }
    refuse_others(recorded, {"verdict", "found"}, path);
    const std::string name = recorded["verdict"];
    const std::optional<Verdict> verdict = verdict_named(name);
    if (!verdict) {
      path.emplace_back("verdict");
      fail(path,
           fmt::format("verdict = \"{}\": must be holds, refuted, inconsistent or not modelled",
                       name));
    }
    return {*verdict, recorded["found"]};
  }

  const SourceText& source_;
  const JsonDocument& document_;
};

}  // namespace

Expected parse_expected(const SourceText& source) {
  const JsonDocument document = parse_json(source);
  return Reader(source, document).run();
}

Expected read_expected(const std::string& path) {
  return parse_expected(read_source(path, "recorded verdicts"));
}

}  // namespace rehearse
