#include "schema/schema_files.hpp"

#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <fstream>
#include <string_view>

#include "base/error.hpp"
#include "base/program_data.hpp"

namespace rehearse {
namespace {

constexpr std::string_view kEnding = ".proto";
constexpr std::string_view kPackage = "rehearse.proto";

google::protobuf::FileDescriptorSet read_described() {
  const std::string path = program_data("schema.descriptors");
  std::ifstream file(path, std::ios::binary);
  google::protobuf::FileDescriptorSet described;
  if (file && described.ParseFromIstream(&file) && described.file_size() > 0) return described;
  throw InputError({path, 1, 1},
                   "the schemas that come with the program are not there: keep the folder share "
                   "beside the program's folder");
}

}  // namespace

SchemaFiles::SchemaFiles() {
  const google::protobuf::FileDescriptorSet described = read_described();
  // Each file behind those that it imports.
  for (const google::protobuf::FileDescriptorProto& each : described.file()) {
    SIM_CHECK(pool_.BuildFile(each) != nullptr, each.name() + " cannot be built");
    if (each.package() != kPackage) continue;
    names_.push_back(each.name().substr(0, each.name().size() - kEnding.size()));
  }
  std::sort(names_.begin(), names_.end());
}

const google::protobuf::Descriptor& SchemaFiles::root(const std::string& name) const {
  const auto* const file = pool_.FindFileByName(name + std::string(kEnding));
  SIM_CHECK(file != nullptr && file->message_type_count() > 0, "no schema " + name);
  return *file->message_type(file->message_type_count() - 1);
}

}  // namespace rehearse
