#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/nearest_name.hpp"
#include "claims/evaluate.hpp"
#include "input/field_set.hpp"
#include "input/input.hpp"
#include "input/source_text.hpp"
#include "input/textproto.hpp"
#include "proto/claims.pb.h"
#include "proto/model.pb.h"
#include "proto/plan.pb.h"

namespace rehearse {
namespace {

class Reader {
 public:
  explicit Reader(SourceText source) : source_(std::move(source)), where_(source_.path) {
    parse_textproto(source_, written_, where_);
  }

  Claims run() {
    Claims claims;
    claims.path = source_.path;
    claims.platforms = platforms(written_.platform(), "");
    for (const ClaimPlatform& each : claims.platforms) platforms_.insert(each.name);
    for (int i = 0; i < written_.alternative_size(); ++i) {
      claims.alternatives.push_back(alternative(i));
      require_unique("alternative", i, claims.alternatives.back().name, "name", alternatives_);
    }
    if (written_.claim_size() == 0) {
      throw InputError(where_.at(""), "the file has no claim: at least one");
    }
    std::set<std::string> ids;
    for (int i = 0; i < written_.claim_size(); ++i) {
      claims.claims.push_back(claim(i));
      require_unique("claim", i, claims.claims.back().id, "id", ids);
    }
    return claims;
  }

  // The files that the claims name.
  void check_files(Claims& claims) const {
    check_readable_platforms(claims.platforms, "");
    for (std::size_t i = 0; i < claims.alternatives.size(); ++i) {
      check_readable_platforms(claims.alternatives[i].platforms,
                               fmt::format("alternative[{}].", i));
    }
    if (written_.has_document()) check_document(claims);
  }

 private:
  std::string resolved(const std::string& path) const {
    const auto folder = std::filesystem::path(source_.path).parent_path();
    return (folder / path).lexically_normal().string();
  }

  // Of a text in the file: its first character behind the quote, where it stands there as it is.
  SourceLocation text_place(const std::string& field, const std::string& text) const {
    return source_.quoted_behind(where_.at(field), text);
  }

  // Of the element `index` of a list; `names`: those before.
  void require_unique(const std::string& list, int index, const std::string& name,
                      const std::string& field, std::set<std::string>& names) const {
    if (names.insert(name).second) return;
    throw InputError(where_.at(fmt::format("{}[{}].{}", list, index, field)),
                     fmt::format("{} \"{}\" is given twice: {}s are unique", list, name, field));
  }

  template <class List>
  std::vector<ClaimPlatform> platforms(const List& list, const std::string& prefix) const {
    std::vector<ClaimPlatform> result;
    std::set<std::string> names;
    for (int i = 0; i < list.size(); ++i) {
      const std::string path = fmt::format("{}platform[{}]", prefix, i);
      require_field(list[i], path, "name", where_);
      require_field(list[i], path, "file", where_);
      result.push_back({list[i].name(), resolved(list[i].file())});
      require_unique(prefix + "platform", i, result.back().name, "name", names);
    }
    return result;
  }

  void check_readable_platforms(const std::vector<ClaimPlatform>& platforms,
                                const std::string& prefix) const {
    for (std::size_t i = 0; i < platforms.size(); ++i) {
      check_readable(platforms[i].file, "platform",
                     where_.at(fmt::format("{}platform[{}].file", prefix, i)));
    }
  }

  Alternative alternative(int index) const {
    const proto::Alternative& written = written_.alternative(index);
    const std::string path = fmt::format("alternative[{}]", index);
    require_field(written, path, "name", where_);
    Alternative result;
    result.name = written.name();
    result.platforms = platforms(written.platform(), path + ".");
    for (int i = 0; i < written.set_size(); ++i) {
      const std::string& set = written.set(i);
      check_set({set, text_place(fmt::format("{}.set[{}]", path, i), set)});
      result.sets.push_back(set);
    }
    return result;
  }

  static void check_set(const FieldSet& set) {
    FieldLocations unused;
    if (const auto model_set = set_of_model(set)) {
      proto::Model scratch;
      return set_field(*model_set, scratch, unused);
    }
    for (const char* const field : {"model=", "platform=", "claims=", "default_variant="}) {
      if (!set.text.starts_with(field)) continue;
      throw InputError(set.begins,
                       "an alternative cannot set the model, the platform (it has a field "
                       "platform), the claims or the default variant");
    }
    proto::Plan scratch;
    set_field(set, scratch, unused);
  }

  Claim claim(int index) const {
    const proto::Claim& written = written_.claim(index);
    const std::string path = fmt::format("claim[{}]", index);
    for (const char* const field : {"id", "line", "quote"}) {
      require_field(written, path, field, where_);
    }
    Claim result;
    result.id = written.id();
    result.line = written.line();
    result.quote = written.quote();
    result.not_modelled = written.not_modelled();
    result.note = written.note();
    result.where = where_.at(path);
    check_id(result.id, path + ".id");
    if (written.has_expect() == written.has_not_modelled()) {
      throw InputError(where_.at(path),
                       fmt::format("claim \"{}\" needs one of expect and not_modelled, not {}",
                                   result.id, written.has_expect() ? "both" : "neither"));
    }
    if (written.has_not_modelled() && written.not_modelled().empty()) {
      throw InputError(where_.at(path + ".not_modelled"),
                       "not_modelled is empty: say what is missing");
    }
    if (written.has_expect()) {
      const SourceLocation begin = text_place(path + ".expect", written.expect());
      result.expect = parse_comparison(written.expect(), begin);
      check_possible(*result.expect);
    }
    if (written.has_given()) result.given = condition(written, path);
    if (written.has_read_as() && written.read_as().empty()) {
      throw InputError(where_.at(path + ".read_as"), "read_as is empty: say how it is read");
    }
    result.read_as = written.read_as();
    const bool bound = written.evidence() == proto::Claim::upper_bound;
    result.evidence = bound ? Evidence::kUpperBound : Evidence::kMeasured;
    choose(written, path, result);
    return result;
  }

  Comparison condition(const proto::Claim& written, const std::string& path) const {
    const SourceLocation begin = text_place(path + ".given", written.given());
    if (!written.has_expect()) throw InputError(begin, "given is of a claim with expect");
    Comparison given = parse_comparison(written.given(), begin);
    check_possible(given);
    if (paths_in(given).empty()) {
      throw InputError(begin, "given names no quantity: nothing would depend on it");
    }
    return given;
  }

  void check_id(const std::string& id, const std::string& field) const {
    constexpr const char* kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    if (!id.empty() && id.find_first_not_of(kAllowed) == std::string::npos) return;
    throw InputError(where_.at(field),
                     fmt::format("id = \"{}\": lower-case letters, digits, \"-\" and \".\"", id));
  }

  // Readings are the plan's: whether they exist is known there.
  void choose(const proto::Claim& written, const std::string& path, Claim& result) const {
    result.under.assign(written.under().begin(), written.under().end());
    result.on.assign(written.on().begin(), written.on().end());
    result.with.assign(written.with().begin(), written.with().end());
    for (int i = 0; i < written.on_size(); ++i) {
      require_known("platform", written.on(i), platforms_, fmt::format("{}.on[{}]", path, i));
    }
    std::set<std::string> seen;
    for (int i = 0; i < written.with_size(); ++i) {
      const std::string field = fmt::format("{}.with[{}]", path, i);
      require_known("alternative", written.with(i), alternatives_, field);
      if (seen.insert(written.with(i)).second) continue;
      throw InputError(where_.at(field),
                       fmt::format("alternative \"{}\" is given twice", written.with(i)));
    }
  }

  void require_known(const char* what, const std::string& name, const std::set<std::string>& known,
                     const std::string& field) const {
    if (known.contains(name)) return;
    throw InputError(where_.at(field),
                     fmt::format("unknown {} \"{}\": {}", what, name,
                                 known.empty() ? "the file defines none"
                                               : suggestion(name, {known.begin(), known.end()})));
  }

  void check_document(Claims& claims) const {
    claims.document = resolved(written_.document());
    check_readable(claims.document, "document", where_.at("document"));
    const SourceText document = read_source(claims.document, "the document of the claims");
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin <= document.text.size();) {
      const std::size_t end = std::min(document.text.find('\n', begin), document.text.size());
      lines.push_back(document.text.substr(begin, end - begin));
      begin = end + 1;
    }
    for (std::size_t i = 0; i < claims.claims.size(); ++i) {
      const Claim& each = claims.claims[i];
      const bool exists = each.line >= 1 && each.line <= static_cast<int>(lines.size());
      if (exists && lines[each.line - 1].find(each.quote) != std::string::npos) continue;
      throw InputError(where_.at(fmt::format("claim[{}].quote", i)),
                       fmt::format("\"{}\" does not stand in line {} of {}", each.quote, each.line,
                                   claims.document));
    }
  }

  SourceText source_;
  proto::Claims written_;
  FieldLocations where_;
  std::set<std::string> platforms_;
  std::set<std::string> alternatives_;
};

}  // namespace

Claims parse_claims(const SourceText& source) { return Reader(source).run(); }

Claims read_claims(const std::string& path) {
  Reader reader(read_source(path, "claims"));
  Claims claims = reader.run();
  reader.check_files(claims);
  return claims;
}

}  // namespace rehearse
