// The schemas as protoc described them when the program was built, comments included.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

namespace rehearse {

class SchemaFiles {
 public:
  // Throws InputError where the file is not there, or is none.
  SchemaFiles();

  // "plan", ... in the order of the alphabet.
  const std::vector<std::string>& names() const { return names_; }
  // What a whole file is: the last message of its schema. REQUIRES: one of the names.
  const google::protobuf::Descriptor& root(const std::string& name) const;

 private:
  google::protobuf::DescriptorPool pool_;
  std::vector<std::string> names_;
};

}  // namespace rehearse
