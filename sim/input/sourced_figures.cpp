// Fields are found by their names, so that one reader serves all messages that have them.
#include "input/sourced_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <stdexcept>

#include "base/files.hpp"
#include "base/nearest_name.hpp"
#include "input/textproto.hpp"

namespace rehearse {
namespace {

using google::protobuf::Message;

const google::protobuf::FieldDescriptor& field_of(const Message& message, const std::string& name) {
  const auto* const field = message.GetDescriptor()->FindFieldByName(name);
  SIM_CHECK(field != nullptr, "the schema has no " + name);
  return *field;
}

// Empty where it is not written.
std::string text_of(const Message& message, const std::string& name) {
  return message.GetReflection()->GetString(message, &field_of(message, name));
}

bool is_date(const std::string& text) {
  constexpr std::string_view kForm = "dddd-dd-dd";
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return false;
  const bool formed = std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
    return form == 'd' ? c >= '0' && c <= '9' : c == form;
  });
  // Two digits are in the order of their numbers.
  const auto within = [&](std::size_t at, std::string_view most) {
    if (text.size() < at + 2) return true;
    const std::string_view part = std::string_view(text).substr(at, 2);
    return part >= "01" && part <= most;
  };
  return formed && within(5, "12") && within(8, "31");
}

}  // namespace

void SourcedFigures::fail_at_text(const std::string& field, const std::string& text,
                                  const std::string& message) const {
  throw InputError(source_.quoted_behind(where_.at(field), text), message);
}

void SourcedFigures::refuse_empty(const Message& message, const std::string& path,
                                  const std::string& name) const {
  const auto& field = field_of(message, name);
  if (field.cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING) return;
  if (!message.GetReflection()->GetString(message, &field).empty()) return;
  const std::string full = path.empty() ? name : path + "." + name;
  throw InputError(where_.at(full), fmt::format("{} is empty: leave it out or say it", full));
}

void SourcedFigures::check_heading(const std::vector<std::string>& fields) const {
  for (const std::string& field : fields) {
    require_field(written_, "", field, where_);
    refuse_empty(written_, "", field);
  }
  check_name(text_of(written_, "name"));
}

// It stands in commands, and in a comment of the XML.
void SourcedFigures::check_name(const std::string& name) const {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (!plain || name.starts_with('-') || name.find("--") != std::string::npos) {
    fail_at_text("name", name,
                 fmt::format("name = \"{}\": must be letters, digits and single - _ .", name));
  }
  const std::string stem = std::filesystem::path(source_.path).stem().string();
  if (name == stem || is_descriptor(source_.path)) return;  // a pipe has no name
  fail_at_text("name", name,
               fmt::format("name = \"{}\": must be that of the file, \"{}\"", name, stem));
}

void SourcedFigures::read_sources() {
  const auto& field = field_of(written_, "source");
  const google::protobuf::Reflection& reflection = *written_.GetReflection();
  for (int i = 0; i < reflection.FieldSize(written_, &field); ++i) {
    const Message& source = reflection.GetRepeatedMessage(written_, &field, i);
    const std::string path = fmt::format("source[{}]", i);
    for (const char* const name : {"key", "text", "date"}) {
      require_field(source, path, name, where_);
      refuse_empty(source, path, name);
    }
    const std::string key = text_of(source, "key");
    const std::string date = text_of(source, "date");
    if (std::find(keys_.begin(), keys_.end(), key) != keys_.end()) {
      fail_at_text(path + ".key", key,
                   fmt::format("source \"{}\" is given twice: keys are unique", key));
    }
    if (!is_date(date)) {
      fail_at_text(path + ".date", date,
                   fmt::format("date = \"{}\": must be 2024, 2024-05 or 2024-05-17", date));
    }
    keys_.push_back(key);
    sources_.push_back({text_of(source, "text"), date});
  }
}

void SourcedFigures::check_all_sources_used() const {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (used_.contains(keys_[i])) continue;
    throw InputError(where_.at(fmt::format("source[{}]", i)),
                     fmt::format("source \"{}\" is named by no number: leave it out", keys_[i]));
  }
}

DeviceFigure SourcedFigures::figure(const Message& number, const std::string& path, FigureUnit unit,
                                    const std::string& name) {
  require_field(number, path, "value", where_);
  DeviceFigure figure{origin(number, path, name), text_of(number, "value")};
  try {
    figure.value = parse_figure(figure.text, unit);
  } catch (const std::invalid_argument& error) {
    fail_at_text(path + ".value", figure.text, fmt::format("{} = {}", name, error.what()));
  }
  return figure;
}

FigureOrigin SourcedFigures::origin(const Message& number, const std::string& path,
                                    const std::string& name) {
  for (const char* const field : {"kind", "source"}) require_field(number, path, field, where_);
  FigureOrigin figure;
  figure.kind = static_cast<FigureKind>(
      number.GetReflection()->GetEnumValue(number, &field_of(number, "kind")));
  figure.note = text_of(number, "note");
  figure.where = where_.at(path);
  if (figure.kind == FigureKind::kAssumed && figure.note.empty()) {
    throw InputError(figure.where,
                     fmt::format("{} is assumed: its note must say why this value", name));
  }
  const std::string key = text_of(number, "source");
  const auto known = std::find(keys_.begin(), keys_.end(), key);
  if (known == keys_.end()) {
    fail_at_text(path + ".source", key,
                 fmt::format("unknown source \"{}\" of {}: {}", key, name, suggestion(key, keys_)));
  }
  const Source& source = sources_[known - keys_.begin()];
  figure.source = source.text;
  figure.date = source.date;
  used_.insert(key);
  return figure;
}

}  // namespace rehearse
