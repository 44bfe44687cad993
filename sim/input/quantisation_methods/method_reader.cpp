#include "input/quantisation_methods/method_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace rehearse {

using nlohmann::json;

proto::Storage storage_of(proto::Model::Dtype dtype, proto::Model::Dtype arithmetic) {
  proto::Storage storage;
  storage.set_dtype(dtype);
  storage.set_arithmetic(arithmetic);
  return storage;
}

void set_groups(proto::Storage& storage, int inputs, double scale_bytes) {
  storage.set_scale_bytes(scale_bytes);
  storage.set_block_outputs(1);
  if (inputs > 0) storage.set_block_inputs(inputs);
}

void set_block(const JsonObject& object, const std::string& key, double scale_bytes,
               proto::Storage& storage) {
  constexpr int kLargest = 1 << 20;
  const json* found = object.find(key);
  const json none;
  const json& block = found == nullptr ? none : *found;
  bool good = block.is_array() && block.size() == 2;
  for (std::size_t at = 0; good && at < 2; ++at) {
    good = block[at].is_number_integer() && block[at] >= 1 && block[at] <= kLargest;
  }
  if (!good) object.refuse(key, "expected two integers from 1 on: [outputs, inputs]");
  storage.set_block_outputs(block[0].get<int>());
  storage.set_block_inputs(block[1].get<int>());
  storage.set_scale_bytes(scale_bytes);
}

int group_size(const JsonObject& object, const std::string& key) {
  const int size = object.integer_or(0, key);
  if (size == 0 || size < -1) object.refuse(key, "expected a number of elements, or -1 for all");
  return std::max(size, 0);
}

void MethodReader::note_default(const JsonObject& object, const std::string& key,
                                const std::string& value, const char* whose) {
  method_.notes.push_back(
      fmt::format("{}.{} is missing: {}, {}'s default", object.path(), key, value, whose));
}

std::vector<std::string> modules_of(const JsonObject& object, const std::string& key) {
  const json* list = object.find(key);
  if (list == nullptr) return {};
  if (!list->is_array()) object.refuse(key, "expected a list of modules");
  std::vector<std::string> result;
  for (const json& word : *list) {
    if (!word.is_string() || word.get_ref<const std::string&>().empty()) {
      object.refuse(key, "expected a list of modules' names");
    }
    result.push_back(word.get<std::string>());
  }
  return result;
}

QuantisationMethod MethodReader::finish(const std::vector<std::string>& lists) {
  for (const std::string& key : lists) {
    for (const std::string& word : modules_of(statement_, key)) {
      method_.ignored.add(word, 0, statement_.at(key));
    }
    method_.ignored.check_experts(statement_.at(key));
  }
  note_unknown_keys();
  return std::move(method_);
}

QuantisationMethod MethodReader::finish(const proto::Storage& in_layers,
                                        const std::vector<std::string>& lists) {
  method_.schemes.push_back(in_layers);
  for (const proto::Storage::Part part : kLayerParts) method_.of_part[part] = 0;
  return finish(lists);
}

void MethodReader::note_unknown_keys() {
  for (const auto& [key, value] : statement_.value().items()) {
    const bool says_nothing = value.is_null() || value == json(false) || value == json(0) ||
                              (value.is_structured() && value.empty());
    if (says_nothing || is_quantisation_key(key)) continue;
    method_.notes.push_back(
        fmt::format("{}.{} is not understood and not used", statement_.path(), key));
  }
}

}  // namespace rehearse
