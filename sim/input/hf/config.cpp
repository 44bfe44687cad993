// The place of a value is its key's. A value of any length is shown by its start.
#include "input/hf/config.hpp"

#include <fmt/format.h>

#include "base/utf8.hpp"

namespace rehearse {
namespace {

using nlohmann::json;

constexpr const char* kNested[] = {"text_config", "llm_config", "language_config"};

bool says_nothing(const json& value) {
  return value.is_null() || value == json(false) || value == json(0) ||
         (value.is_structured() && value.empty());
}

// Calls `use` with each of "a|b|c", until it says true.
template <class Use>
void each_of(std::string_view words, char separator, Use use) {
  while (!words.empty()) {
    const auto end = std::min(words.find(separator), words.size());
    if (end > 0 && use(std::string(words.substr(0, end)))) return;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

}  // namespace

HfConfig::HfConfig(const SourceText& source)
    : start_(source.at(0)), json_(parse_json(source, JsonNumbers::kAsPythonWrites)) {
  if (!json_.root.is_object()) throw InputError(start_, "expected a JSON object");
  for (const char* const nested : kNested) {
    const auto found = json_.root.find(nested);
    if (found == json_.root.end() || found->is_null()) continue;
    if (!found->is_object()) refuse(nested, "expected an object");
    nested_ = nested;
    read_.insert(nested);
    break;
  }
}

const json& HfConfig::language_model() const {
  return nested_.empty() ? json_.root : json_.root[nested_];
}

const json* HfConfig::in(const json& object, const std::string& key) const {
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string HfConfig::named(std::string_view keys) const {
  std::string name;
  const json* value = nullptr;
  for (const bool inside : {true, false}) {
    if (!inside && nested_.empty()) break;
    const json& object = inside ? language_model() : json_.root;
    each_of(keys, '|', [&](const std::string& key) {
      read_.insert(key);
      if (name.empty()) name = key;
      const json* const here = in(object, key);
      if (here == nullptr) return false;
      if (value == nullptr) {
        name = key;
        value = here;
      } else if (*here != *value && inside) {
        throw InputError(json_.keys.at(nested_.empty() ? std::vector<std::string>{key}
                                                       : std::vector<std::string>{nested_, key}),
                         fmt::format("{} = {}: {} = {} says otherwise", key,
                                     shortened(here->dump()), name, shortened(value->dump())));
      }
      return false;
    });
    if (value != nullptr) break;
  }
  return name;
}

const json* HfConfig::find(std::string_view keys) const {
  const std::string key = named(keys);
  const json* const inside = in(language_model(), key);
  return inside != nullptr ? inside : in(json_.root, key);
}

bool HfConfig::says(const std::string& key) const {
  read_.insert(key);
  return language_model().contains(key) || json_.root.contains(key);
}

SourceLocation HfConfig::at(std::string_view keys) const {
  const std::string key = named(keys);
  if (!nested_.empty() && in(language_model(), key) != nullptr) {
    return json_.keys.at({nested_, key});
  }
  if (in(json_.root, key) != nullptr) return json_.keys.at({key});
  return nested_.empty() ? start_ : json_.keys.at({nested_});
}

void HfConfig::refuse(std::string_view keys, const std::string& rule) const {
  const json* const value = find(keys);
  const std::string shown = value == nullptr        ? " is missing"
                            : value->is_primitive() ? " = " + shortened(value->dump())
                                                    : "";
  throw InputError(at(keys), fmt::format("{}{}: {}", named(keys), shown, rule));
}

int HfConfig::integer(std::string_view keys, IntegerRange range) const {
  const json* const value = find(keys);
  if (value == nullptr) refuse(keys, "this model type needs it");
  if (!value->is_number_integer()) refuse(keys, "expected an integer");
  if (value->get<double>() < range.least) {
    refuse(keys, fmt::format("must be at least {}", range.least));
  }
  if (value->get<double>() > range.most) {
    refuse(keys, fmt::format("must be at most {}", range.most));
  }
  return value->get<int>();
}

int HfConfig::integer_or(int otherwise, std::string_view keys, IntegerRange range) const {
  return has(keys) ? integer(keys, range) : otherwise;
}

bool HfConfig::boolean_or(bool otherwise, std::string_view keys) const {
  const json* const value = find(keys);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) refuse(keys, "expected true or false");
  return value->get<bool>();
}

double HfConfig::number(std::string_view keys) const {
  const json* const value = find(keys);
  if (value == nullptr || !value->is_number()) refuse(keys, "expected a number");
  return value->get<double>();
}

std::string HfConfig::string(std::string_view keys, const std::string& rule) const {
  const json* const value = find(keys);
  if (value == nullptr || !value->is_string()) refuse(keys, rule);
  return value->get<std::string>();
}

std::string HfConfig::string_or(const std::string& otherwise, std::string_view keys) const {
  return has(keys) ? string(keys, "expected a string") : otherwise;
}

const json& HfConfig::list(std::string_view keys, int size, bool longer) const {
  const json* const value = find(keys);
  const auto wanted = static_cast<std::size_t>(size);
  if (value == nullptr || !value->is_array()) refuse(keys, "expected a list");
  if (value->size() < wanted || (value->size() > wanted && !longer)) {
    refuse(keys, fmt::format("has {} values, the model {} layers", value->size(), size));
  }
  return *value;
}

JsonObject HfConfig::object(const std::string& key) const {
  const json* const value = find(key);
  if (value == nullptr || !value->is_object()) refuse(key, "expected an object");
  std::vector<std::string> path = {key};
  if (!nested_.empty() && in(language_model(), key) == value) path.insert(path.begin(), nested_);
  return {json_, *value, path, at(key)};
}

void HfConfig::ignore(std::string_view keys) const {
  each_of(keys, ' ', [&](const std::string& key) {
    read_.insert(key);
    return false;
  });
}

std::vector<std::string> HfConfig::unread() const {
  std::vector<std::string> keys;
  for (const bool inside : {true, false}) {
    if (!inside && nested_.empty()) break;
    for (const auto& [key, value] : (inside ? language_model() : json_.root).items()) {
      if (!says_nothing(value) && !read_.contains(key)) keys.push_back(key);
    }
  }
  return keys;
}

}  // namespace rehearse
