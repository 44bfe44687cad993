// What the quantisation methods share: the scales of a storage, the lists of modules, and the end
// of every method.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "input/quantisation_method.hpp"

namespace rehearse {

inline constexpr std::array kLayerParts = {proto::Storage::qkv,
                                           proto::Storage::attention_output,
                                           proto::Storage::expert_up,
                                           proto::Storage::expert_down,
                                           proto::Storage::shared_expert_up,
                                           proto::Storage::shared_expert_down,
                                           proto::Storage::dense_up,
                                           proto::Storage::dense_down,
                                           proto::Storage::query_down,
                                           proto::Storage::query_up,
                                           proto::Storage::kv_down,
                                           proto::Storage::kv_up,
                                           proto::Storage::attention_gate,
                                           proto::Storage::indexer,
                                           proto::Storage::expert_latent};

proto::Storage storage_of(proto::Model::Dtype dtype, proto::Model::Dtype arithmetic);
// A scale for `inputs` elements (all: 0) of one output.
void set_groups(proto::Storage& storage, int inputs, double scale_bytes);
// A scale for a block of [outputs, inputs], which stand under `key`. Throws InputError.
void set_block(const JsonObject& object, const std::string& key, double scale_bytes,
               proto::Storage& storage);

// 0: the whole row, which is written as -1. Throws InputError, also where there is no such key.
int group_size(const JsonObject& object, const std::string& key);
// The list of modules under `key`; empty where there is none. Throws InputError.
std::vector<std::string> modules_of(const JsonObject& object, const std::string& key);

// Of any method.
bool is_quantisation_key(std::string_view key);

// A statement, and what has been understood of it so far.
class MethodReader {
 public:
  MethodReader(const JsonObject& statement, const proto::Model& model,
               ModuleList::Patterns patterns)
      : statement_(statement),
        activations_(model.activation_dtype()),
        method_(patterns, model.layers(), model.moe().experts()) {}

  const JsonObject& statement() const { return statement_; }
  proto::Model::Dtype activations() const { return activations_; }
  QuantisationMethod& method() { return method_; }
  // What a library takes where the statement does not say is said to the user.
  void note_default(const JsonObject& object, const std::string& key, const std::string& value,
                    const char* whose);

  // The method is complete once its lists of what stays as it is are read, those under `lists`.
  QuantisationMethod finish(const std::vector<std::string>& lists);
  // The same, where the matrices of all layers are stored alike.
  QuantisationMethod finish(const proto::Storage& in_layers, const std::vector<std::string>& lists);

 private:
  void note_unknown_keys();

  const JsonObject& statement_;
  proto::Model::Dtype activations_;
  QuantisationMethod method_;
};

}  // namespace rehearse
