// The experts alone, an e8m0 scale for 32 elements. Bytes: gpt-oss's own index file.
#include "input/quantisation_methods/methods.hpp"

namespace rehearse {

QuantisationMethod read_mxfp4(MethodReader& reader) {
  proto::Storage storage = storage_of(proto::Model::fp4, reader.activations());
  constexpr int kBlock = 32;
  set_groups(storage, kBlock, 1);
  QuantisationMethod& method = reader.method();
  method.schemes.push_back(storage);
  method.of_part[proto::Storage::expert_up] = method.of_part[proto::Storage::expert_down] = 0;
  return reader.finish({"modules_to_not_convert"});
}

}  // namespace rehearse
