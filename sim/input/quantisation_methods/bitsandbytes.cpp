// 4 bits: an fp32 scale for 64 elements, or, quantised again, a byte for 64 and an fp32 for 256
// of these; 8 bits: an fp32 for each output. Bytes: its documentation.
#include "input/quantisation_methods/methods.hpp"

namespace rehearse {

QuantisationMethod read_bitsandbytes(MethodReader& reader) {
  using Dtype = proto::Model;
  const JsonObject& statement = reader.statement();
  const bool four =
      statement.boolean_or(false, "load_in_4bit") || statement.boolean_or(false, "_load_in_4bit");
  const bool eight =
      statement.boolean_or(false, "load_in_8bit") || statement.boolean_or(false, "_load_in_8bit");
  if (four == eight) statement.refuse("load_in_4bit", "one of load_in_4bit and load_in_8bit");
  constexpr int kBlock = 64;
  constexpr double kScale = 4;
  constexpr double kScaleOfScales = 1 + kScale / 256;
  proto::Storage storage =
      storage_of(four ? Dtype::int4 : Dtype::int8, four ? reader.activations() : Dtype::int8);
  const bool twice = statement.boolean_or(false, "bnb_4bit_use_double_quant");
  if (four && statement.find("bnb_4bit_use_double_quant") == nullptr) {
    reader.note_default(statement, "bnb_4bit_use_double_quant", "false", "bitsandbytes");
  }
  set_groups(storage, four ? kBlock : 0, four && twice ? kScaleOfScales : kScale);
  reader.method().notes.emplace_back(
      "quant_method bitsandbytes: bytes of scales as its documentation says, not checked in a "
      "checkpoint");
  return reader.finish(storage, {"llm_int8_skip_modules"});
}

}  // namespace rehearse
