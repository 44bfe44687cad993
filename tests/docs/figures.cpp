// An entry is found in its document by its words alone, whatever the figures between them are; so a
// figure that is no longer right is reported with both values, and can be written anew.
#include "docs/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>
#include <set>

#include "base/units.hpp"
#include "claims/evaluate.hpp"
#include "claims/expression.hpp"
#include "claims/quantities.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestFigure = 120;  // "206 claims: 100 hold, ..." is one

bool is_space(char c) { return c == ' ' || c == '\n'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// Past `words` where they stand at `at`.
std::optional<std::size_t> match_words(const std::string& words, const std::string& document,
                                       std::size_t at) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (!is_space(words[i])) {
      if (at >= document.size() || document[at++] != words[i]) return std::nullopt;
      continue;
    }
    if (at >= document.size() || !is_space(document[at])) return std::nullopt;
    while (at < document.size() && is_space(document[at])) ++at;
    while (i + 1 < words.size() && is_space(words[i + 1])) ++i;
  }
  return at;
}

// A number is not cut: not within its digits, nor before its decimals.
bool cuts_number(const std::string& document, std::size_t at) {
  if (at == 0 || at >= document.size() || !is_digit(document[at - 1])) return false;
  if (is_digit(document[at])) return true;
  return (document[at] == '.' || document[at] == ',') && at + 1 < document.size() &&
         is_digit(document[at + 1]);
}

// The shortest figure that starts at `begin` and has the next words behind it.
std::optional<std::size_t> match_figure(const std::string& next_words, const std::string& document,
                                        std::size_t begin) {
  const std::size_t last = std::min(document.size(), begin + kLongestFigure);
  for (std::size_t end = begin + 1; end <= last; ++end) {
    if (document[end - 1] == '|') return std::nullopt;
    if (cuts_number(document, end)) continue;
    if (match_words(next_words, document, end)) return end;
  }
  return std::nullopt;
}

std::optional<Match> match_at(const Entry& entry, const std::string& document, std::size_t begin) {
  std::optional<std::size_t> at = match_words(entry.literals.front(), document, begin);
  Match match;
  for (std::size_t i = 0; at && i < entry.holes.size(); ++i) {
    const std::size_t from = *at;
    const std::string& next_words = entry.literals[i + 1];
    const std::optional<std::size_t> end = match_figure(next_words, document, from);
    if (!end) return std::nullopt;
    match.figures.push_back({from, *end});
    at = match_words(next_words, document, *end);
  }
  if (!at) return std::nullopt;
  match.words = {begin, *at};
  return match;
}

std::string with_thousands(std::string digits) {
  const auto point = std::min(digits.find('.'), digits.size());
  const std::size_t first = digits.starts_with("-") || digits.starts_with("+") ? 1 : 0;
  for (std::size_t at = point; at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

// Three significant digits: "215", "9.79", "0.302".
std::string three_digits(double value) {
  const double size = std::abs(value);
  const int whole = size > 0 ? static_cast<int>(std::floor(std::log10(size))) : 0;
  const int decimals = std::max(0, 2 - whole);
  const double step = std::pow(10.0, -decimals);
  // What rounds up to the next power of ten has a decimal less.
  const bool next = std::round(size / step) * step >= std::pow(10.0, whole + 1);
  return with_thousands(fmt::format("{:.{}f}", value, next ? std::max(0, decimals - 1) : decimals));
}

// "9.20 M", "422 k".
std::string with_prefix(double value) {
  const double size = std::abs(value);
  if (size >= 1e9) return three_digits(value / 1e9) + " G";
  if (size >= 1e6) return three_digits(value / 1e6) + " M";
  return size >= 1e3 ? three_digits(value / 1e3) + " k" : three_digits(value);
}

// "%" "%2" "+%": percent, decimals (1), sign. ".2": decimals.
std::string fixed(const Hole& hole, double value) {
  std::string format = hole.format;
  const bool sign = format.starts_with("+");
  if (sign) format.erase(0, 1);
  const bool percent = format.starts_with("%");
  const bool has_decimals = format.size() == 2 && is_digit(format[1]);
  if (!(percent && (format.size() == 1 || has_decimals)) && !(format[0] == '.' && has_decimals)) {
    throw InputError(hole.where, fmt::format("unknown format {}: expected s B B/s FLOP FLOP/s k n "
                                             "% %2 +% .2 or text",
                                             hole.format));
  }
  const int decimals = has_decimals ? format[1] - '0' : 1;
  const double shown = percent ? value * 100 : value;
  const std::string digits =
      sign ? fmt::format("{:+.{}f}", shown, decimals) : fmt::format("{:.{}f}", shown, decimals);
  return with_thousands(digits) + (percent ? " %" : "");
}

std::string formatted(const Hole& hole, double value) {
  const std::string& format = hole.format;
  if (format.empty()) return three_digits(value);
  if (format == "s") return to_text(Seconds{value});
  if (format == "B") return to_text(Bytes{value});
  if (format == "B/s") return to_text(BytesPerSecond{value});
  if (format == "FLOP") return to_text(Flops{value});
  if (format == "FLOP/s") return to_text(FlopsPerSecond{value});
  if (format == "k") return with_prefix(value);
  if (format == "n") return with_thousands(fmt::format("{:.0f}", value));
  return fixed(hole, value);
}

std::string numbers_only(const std::string& text) {
  std::string digits;
  for (const char c : text) {
    if (c != ',') digits += c;
  }
  return digits;
}

void add_numbers(const std::string& text, std::set<std::string>& numbers) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    while (at < text.size() &&
           (is_digit(text[at]) ||
            (at > begin && text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1])))) {
      ++at;
    }
    if (at > begin) {
      numbers.insert(text.substr(begin, at - begin));
    } else {
      ++at;
    }
  }
}

// The numbers that an entry asks with: of its command lines and of its expressions.
std::set<std::string> asked_numbers(const Entry& entry, const Entries& entries) {
  std::set<std::string> numbers;
  for (const Hole& hole : entry.holes) {
    add_numbers(hole.expression, numbers);
    for (const std::string& name : commands_of(hole)) {
      const auto command = entries.commands.find(name);
      if (command != entries.commands.end()) add_numbers(command->second.line, numbers);
    }
  }
  return numbers;
}

std::vector<Span> covered_by(const Entry& entry, const Entries& entries,
                             const std::string& document, const std::vector<Span>& figures) {
  std::vector<Span> covered;
  const std::set<std::string> asked = asked_numbers(entry, entries);
  for (const Match& match : find_entry(entry, document)) {
    covered.insert(covered.end(), match.figures.begin(), match.figures.end());
    for (const Span& figure : figures) {
      const std::string text = document.substr(figure.begin, figure.end - figure.begin);
      if (match.words.contains(figure) && asked.contains(numbers_only(text))) {
        covered.push_back(figure);
      }
    }
  }
  return covered;
}

// The numbers that the document's commands have and print, as its code blocks show them.
std::set<std::string> shown_numbers(const Markdown& markdown) {
  std::set<std::string> numbers;
  for (const CodeBlock& block : markdown.code) add_numbers(numbers_only(block.text), numbers);
  return numbers;
}

// Past the closing mark of a "quote" that opens at `at` and stands in the source.
std::optional<std::size_t> match_quote(const std::string& source, const std::string& document,
                                       std::size_t at) {
  if (document[at] != '"') return std::nullopt;
  const auto close = document.find_first_of("\"\n", at + 1);
  if (close == std::string::npos || document[close] != '"' || close == at + 1) return std::nullopt;
  if (source.find(document.substr(at + 1, close - at - 1)) == std::string::npos) {
    return std::nullopt;
  }
  return close + 1;
}

std::vector<Span> covered_by(const Exemption& exemption, const std::string& document,
                             const Markdown& markdown) {
  std::vector<Span> covered;
  if (exemption.kind == Exemption::Kind::kSection) {
    for (const Section& section : markdown.sections) {
      if (section.title == exemption.text) covered.push_back(section.span);
    }
    return covered;
  }
  for (std::size_t at = 0; at < document.size(); ++at) {
    if (exemption.kind == Exemption::Kind::kQuotes) {
      if (const auto end = match_quote(exemption.source, document, at)) {
        covered.push_back({at, *end});
        at = *end;
      }
    } else if (const auto end = match_words(exemption.text, document, at)) {
      covered.push_back({at, *end});
    }
  }
  return covered;
}

bool is_in(const Span& figure, const std::vector<Span>& spans) {
  return std::any_of(spans.begin(), spans.end(),
                     [&](const Span& span) { return span.contains(figure); });
}

std::string line_at(const std::string& document, std::size_t offset) {
  const auto begin = document.rfind('\n', offset);
  const std::size_t first = begin == std::string::npos ? 0 : begin + 1;
  return document.substr(first, document.find('\n', offset) - first);
}

}  // namespace

std::vector<Match> find_entry(const Entry& entry, const std::string& document) {
  std::vector<Match> matches;
  for (std::size_t at = 0; at < document.size(); ++at) {
    if (const auto match = match_at(entry, document, at)) matches.push_back(*match);
  }
  return matches;
}

std::string figure_of(const Hole& hole, const json& results) {
  const Comparison comparison = parse_comparison(hole.expression + " == 0", hole.where);
  if (hole.format == "text") {
    const json& found = *find_quantity(comparison, comparison.left, results, false).front();
    if (!found.is_string()) throw InputError(hole.where, "this is no text");
    return found.get<std::string>();
  }
  const Outcome outcome = evaluate(comparison, results);
  const double* const number = std::get_if<double>(&outcome.found);
  if (number == nullptr) throw InputError(hole.where, "this is no single number");
  return formatted(hole, *number);
}

std::string words_of(const Entry& entry, const json& results) {
  std::string words = entry.literals.front();
  for (std::size_t i = 0; i < entry.holes.size(); ++i) {
    words += figure_of(entry.holes[i], results);
    words += entry.literals[i + 1];
  }
  return words;
}

std::string correct(const Entry& entry, const json& results, std::string& document) {
  const std::string words = words_of(entry, results);
  const std::vector<Match> matches = find_entry(entry, document);
  if (matches.size() != 1) {
    return fmt::format("{}: error: these words stand {} times in {}, not once:\n{}",
                       to_text(entry.where), matches.size(), entry.document, words);
  }
  std::string wrong;
  for (std::size_t i = entry.holes.size(); i-- > 0;) {
    const auto [begin, end] = matches[0].figures[i];
    std::string said = document.substr(begin, end - begin);
    std::replace(said.begin(), said.end(), '\n', ' ');  // a text may go on in the next line
    const std::string right = figure_of(entry.holes[i], results);
    if (said == right) continue;
    wrong.insert(0, fmt::format("\n  {}:{}: \"{}\" must be \"{}\": {}", entry.document,
                                line_of(document, begin), said, right, entry.holes[i].expression));
    document.replace(begin, end - begin, right);
  }
  if (wrong.empty()) return "";
  return fmt::format("{}: error: the document must say:\n{}{}", to_text(entry.where), words, wrong);
}

std::vector<std::string> uncovered(const std::string& path, const std::string& document,
                                   const Entries& entries) {
  const Markdown markdown = read_markdown(document);
  std::vector<Span> open;
  std::vector<Span> covered;
  for (const Entry& entry : entries.entries) {
    if (entry.document != path) continue;
    const std::vector<Span> spans = covered_by(entry, entries, document, markdown.figures);
    covered.insert(covered.end(), spans.begin(), spans.end());
  }
  const bool whole = runs_whole(entries, path);
  const std::set<std::string> shown = whole ? shown_numbers(markdown) : std::set<std::string>();
  for (const Span& figure : markdown.figures) {
    const std::string text = document.substr(figure.begin, figure.end - figure.begin);
    if (!is_in(figure, covered) && !shown.contains(numbers_only(text))) open.push_back(figure);
  }

  std::vector<std::string> complaints;
  for (const Exemption& exemption : entries.exemptions) {
    if (exemption.document != path) continue;
    const std::vector<Span> spans = covered_by(exemption, document, markdown);
    const auto before = open.size();
    std::erase_if(open, [&](const Span& figure) { return is_in(figure, spans); });
    if (open.size() == before) {
      complaints.push_back(fmt::format("{}: error: \"{}\" exempts no figure of {}",
                                       to_text(exemption.where), exemption.text, path));
    }
  }
  for (const Span& figure : open) {
    complaints.push_back(fmt::format(
        "{}:{}: error: no entry checks {} in: {}", path, line_of(document, figure.begin),
        document.substr(figure.begin, figure.end - figure.begin), line_at(document, figure.begin)));
  }
  return complaints;
}

}  // namespace rehearse
