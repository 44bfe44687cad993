// parses_as MESSAGE < JSON: does it parse as this message of workloads/schema (facts, result,
// check, compare, search, size), every field being one of the schema's? Exit code 0: yes.
#include <google/protobuf/util/json_util.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "proto/check.pb.h"
#include "proto/compare.pb.h"
#include "proto/facts.pb.h"
#include "proto/result.pb.h"
#include "proto/search.pb.h"
#include "proto/size.pb.h"

namespace {

template <class Message>
google::protobuf::util::Status parse(const std::string& json) {
  Message message;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = false;
  return google::protobuf::util::JsonStringToMessage(json, &message, options);
}

const std::map<std::string, google::protobuf::util::Status (*)(const std::string&)> kMessages = {
    {"Check", parse<rehearse::proto::Check>},
    {"Compared", parse<rehearse::proto::Compared>},
    {"Facts", parse<rehearse::proto::Facts>},
    {"ModelFacts", parse<rehearse::proto::ModelFacts>},
    {"Result", parse<rehearse::proto::Result>},
    {"SearchResult", parse<rehearse::proto::SearchResult>},
    {"Size", parse<rehearse::proto::Size>}};

}  // namespace

int main(int argc, char** argv) {
  const auto message = argc == 2 ? kMessages.find(argv[1]) : kMessages.end();
  if (message == kMessages.end()) {
    std::fprintf(stderr, "usage: parses_as MESSAGE < JSON\n");
    return 2;
  }
  const std::string json{std::istreambuf_iterator<char>(std::cin), {}};
  const auto status = message->second(json);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s: %s\n", argv[1], std::string(status.message()).c_str());
  return 1;
}
