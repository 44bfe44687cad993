#include <fmt/format.h>

#include <optional>

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
    if (!root.contains("tolerance") || !root["tolerance"].is_number() || root["tolerance"] < 0) {
      fail({"tolerance"}, "tolerance must be a number that is not negative");
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

  ExpectedJudgement judgement(const json& recorded, Path path) const {
    if (!recorded.is_object() || !recorded.contains("verdict") ||
        !recorded["verdict"].is_string() || !recorded.contains("found")) {
      fail(path, "expected an object with a text \"verdict\" and a value \"found\"");
    }
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
