// The checker can fail: for every rule a trace that breaks it, beside the one that does not.
#include "trace/importer_rules.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>
#include <stdexcept>
#include <string>

#include "trace/scratch_file.hpp"

namespace rehearse {
namespace {

std::vector<std::string> violations(const std::string& events) {
  return check_importer_rules(import_trace("{\"traceEvents\":[" + events + "]}", false));
}

std::string slice(const std::string& ts, const std::string& dur, const std::string& more = "") {
  return R"({"ph":"X","name":"x","cat":"c","pid":1,"tid":2,"ts":)" + ts + ",\"dur\":" + dur + more +
         "}";
}

std::string flow(const std::string& phase, const std::string& ts, const std::string& more) {
  return R"({"ph":")" + phase + R"(","name":"f","cat":"c","pid":1,"tid":2,"ts":)" + ts + more + "}";
}

void expect_good(const std::string& events) {
  for (const std::string& violation : violations(events)) ADD_FAILURE() << violation;
}

void expect_caught(const std::string& events, const std::string& what) {
  const auto found = violations(events);
  ASSERT_EQ(found.size(), 1u) << events;
  EXPECT_NE(found[0].find(what), std::string::npos) << found[0];
}

TEST(ImporterRules, SlicesOfAThreadNest) {
  expect_good(slice("0", "10") + "," + slice("0", "5") + "," + slice("5", "5"));
  expect_good(slice("5", "5") + "," + slice("0", "5") + "," + slice("5", "0"));
  expect_caught(slice("0", "10") + "," + slice("5", "5.001"), "overlaps in part");
  // 1 ns is the resolution: 0.4 ns more does not exist for the importer.
  expect_good(slice("0", "10") + "," + slice("5", "5.0004"));
}

TEST(ImporterRules, FlowsStandInASliceAndMatch) {
  const std::string id = R"(,"id":1)";
  const std::string good = slice("0", "10") + "," + flow("s", "0", id) + ",";
  expect_good(good + flow("f", "5", id + R"(,"bp":"e")"));
  expect_good(good + flow("t", "5", id));
  expect_caught(good + flow("f", "5", id), "without \"bp\":\"e\"");
  expect_caught(good + flow("f", "10", id + R"(,"bp":"e")"), "stands in no open slice");
  expect_caught(good + flow("t", "5", id) + "," + flow("s", "6", id), "an id that is taken");
  expect_caught(slice("0", "10") + "," + flow("t", "5", id), "has not started");
  expect_caught(slice("0", "10") + "," + flow("s", "5", id), "goes nowhere");
  expect_caught(slice("0", "10") + "," + flow("s", "5", ""), "has no id");
  expect_caught(
      slice("0", "0") + "," + flow("s", "0", id) + "," + slice("5", "5") + "," + flow("t", "6", id),
      "stands in no open slice");
}

TEST(ImporterRules, BoundFlowsHaveADirectionAndMatch) {
  const std::string out = R"(,"bind_id":3,"flow_out":true)";
  const std::string in = R"(,"bind_id":3,"flow_in":true)";
  expect_good(slice("0", "0", out) + "," + slice("0", "0", in) + "," + slice("1", "0", in));
  expect_caught(slice("0", "1", in), "has not started");
  expect_caught(slice("0", "1", out), "goes nowhere");
  expect_caught(slice("0", "1", R"(,"bind_id":3)"), "no direction");
  expect_caught(slice("0", "1", out) + "," + slice("1", "1", in) + "," + slice("2", "1", out),
                "an id that is taken");
}

TEST(ImporterRules, CountersAreNumbers) {
  const auto counter = [](const std::string& args) {
    return R"({"ph":"C","name":"m","pid":1,"ts":0)" + args + "}";
  };
  expect_good(counter(R"(,"args":{"a":1,"b":"2.5"})"));
  expect_caught(counter(R"(,"args":{})"), "has no args");
  expect_caught(counter(""), "has no args");
  expect_caught(counter(R"(,"args":{"a":true})"), "not a number");
  expect_caught(counter(R"(,"args":{"a":"2x"})"), "not a number");
}

TEST(ImporterRules, AsyncEventsBalance) {
  const auto async = [](const std::string& phase, const std::string& id, const char* name = "r") {
    return R"({"ph":")" + phase + R"(","cat":"q","name":")" + name + R"(","pid":1,"ts":0)" + id +
           "}";
  };
  const std::string id = R"(,"id":7)";
  expect_good(async("b", id) + "," + async("n", id, "mark") + "," + async("e", id));
  expect_caught(async("b", id), "never ended");
  expect_caught(async("e", id), "stands outside");
  expect_caught(async("n", id), "stands outside");
  expect_caught(async("b", ""), "has no id");
  expect_caught(async("b", id) + "," + async("e", id, "other"), "another name");
}

TEST(ImporterRules, MetadataIsOfAKnownName) {
  const auto metadata = [](const std::string& name, const std::string& args) {
    return R"({"ph":"M","name":")" + name + R"(","pid":1,"args":{)" + args + "}}";
  };
  expect_good(metadata("process_name", R"("name":"rank 0")") + "," +
              metadata("thread_sort_index", R"("sort_index":-1)"));
  expect_caught(metadata("procces_name", R"("name":"rank 0")"), "unknown metadata");
  expect_caught(metadata("process_name", R"("sort_index":1)"), "has no args.name");
  expect_caught(metadata("process_name", R"("name":"")"), "wrong type");
  expect_caught(metadata("process_sort_index", R"("sort_index":"1")"), "wrong type");
}

TEST(ImporterRules, FieldsAreThereAndInRange) {
  expect_caught(R"({"ph":"X","pid":1,"tid":4294967296,"ts":0,"dur":0})", "unsigned 32-bit");
  expect_caught(R"({"ph":"X","pid":-1,"tid":0,"ts":0,"dur":0})", "unsigned 32-bit");
  expect_caught(R"({"ph":"X","pid":1,"ts":0,"dur":0})", "has no tid");
  expect_caught(R"({"ph":"X","pid":1,"tid":1,"ts":0})", "has no number dur");
  expect_caught(R"({"ph":"X","pid":1,"tid":1,"ts":-0.001,"dur":0})", "negative ts");
  expect_caught(R"({"ph":"Q","pid":1})", "no phase");
  expect_caught("17", "no one-letter ph");
  expect_caught(slice("0", "1", R"(,"bind_id":[1],"flow_out":true)"), "neither an integer");
}

TEST(ImporterRules, TheContainerIsAnObjectWithEvents) {
  EXPECT_EQ(check_importer_rules(import_trace(R"({"traceEvents":{}})", false)).size(), 1u);
  EXPECT_EQ(check_importer_rules(import_trace("[]", false)).size(), 1u);
  EXPECT_THROW(import_trace("{\"traceEvents\":[", false), std::runtime_error);
}

TEST(ReadGzip, TakesExactlyOneWholeMember) {
  const ScratchDirectory scratch;
  const std::string path = scratch.file("a.gz");
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, "text", 4);
  gzclose(file);
  EXPECT_EQ(read_gzip(path), "text");
  const std::string whole = bytes_of(path);
  std::ofstream(path, std::ios::binary) << whole << whole;
  EXPECT_THROW(read_gzip(path), std::runtime_error);
  std::ofstream(path, std::ios::binary) << whole.substr(0, whole.size() - 1);
  EXPECT_THROW(read_gzip(path), std::runtime_error);
  std::string damaged = whole;
  damaged[whole.size() - 8] ^= 1;  // the checksum
  std::ofstream(path, std::ios::binary) << damaged;
  EXPECT_THROW(read_gzip(path), std::runtime_error);
  EXPECT_THROW(read_gzip(scratch.file("none")), std::runtime_error);
}

}  // namespace
}  // namespace rehearse
