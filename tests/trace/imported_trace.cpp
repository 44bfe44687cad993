#include "trace/imported_trace.hpp"

#include <zlib.h>

#include <array>
#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace rehearse {
namespace {

using Json = nlohmann::json;

class EventReader {
 public:
  EventReader(const Json& event, ImportedTrace& trace, bool keep_args)
      : event_(event), trace_(trace), keep_args_(keep_args) {}

  void read() {
    if (!event_.is_object() || !event_.contains("ph") || !event_["ph"].is_string() ||
        event_["ph"].get_ref<const std::string&>().size() != 1) {
      return violation("has no one-letter ph");
    }
    out_.phase = event_["ph"].get_ref<const std::string&>()[0];
    ++trace_.events_by_phase[out_.phase];
    if (std::string_view("XMCbenstfi").find(out_.phase) == std::string_view::npos) {
      return violation("is of no phase that this trace should have");
    }
    out_.name = text("name");
    out_.cat = text("cat");
    out_.id = identity("id");
    out_.bind_id = identity("bind_id");
    out_.flow_out = flag("flow_out");
    out_.flow_in = flag("flow_in");
    out_.binds_enclosing = text("bp") == "e";
    read_numbers();
    const bool looked_at = out_.phase == 'C' || out_.phase == 'M';
    if ((keep_args_ || looked_at) && event_.contains("args")) out_.args = event_["args"];
    trace_.events.push_back(std::move(out_));
  }

 private:
  void read_numbers() {
    out_.pid = id32("pid", true);
    const bool on_thread = std::string_view("Xstf").find(out_.phase) != std::string_view::npos;
    out_.tid = id32("tid", on_thread);
    if (out_.phase != 'M') out_.ts = nanoseconds("ts");
    if (out_.phase == 'X') out_.dur = nanoseconds("dur");
  }

  void violation(const std::string& what) {
    std::string shown = event_.dump();
    if (shown.size() > 200) shown.resize(200);
    trace_.violations.push_back("event " + what + ": " + shown);
  }

  std::string text(const char* key) const {
    const auto found = event_.find(key);
    return found != event_.end() && found->is_string() ? found->get<std::string>() : std::string();
  }

  std::string identity(const char* key) {
    const auto found = event_.find(key);
    if (found == event_.end()) return {};
    if (found->is_number_integer()) return found->dump();
    if (found->is_string()) return found->get<std::string>();
    violation(std::string("has a ") + key + " that is neither an integer nor text");
    return {};
  }

  bool flag(const char* key) const {
    const auto found = event_.find(key);
    return found != event_.end() && found->is_boolean() && found->get<bool>();
  }

  std::uint32_t id32(const char* key, bool required) {
    const auto found = event_.find(key);
    if (found == event_.end()) {
      if (required) violation(std::string("has no ") + key);
      return 0;
    }
    const bool fits = found->is_number_integer() && *found >= 0 &&
                      *found <= std::numeric_limits<std::uint32_t>::max();
    if (!fits) violation(std::string("has a ") + key + " that is not an unsigned 32-bit integer");
    return fits ? found->get<std::uint32_t>() : 0;
  }

  std::int64_t nanoseconds(const char* key) {
    const auto found = event_.find(key);
    if (found == event_.end() || !found->is_number()) {
      violation(std::string("has no number ") + key);
      return 0;
    }
    const std::int64_t time = std::llround(found->get<double>() * 1000.0);
    if (time < 0) violation(std::string("has a negative ") + key);
    return time;
  }

  const Json& event_;
  ImportedTrace& trace_;
  bool keep_args_;
  ImportedEvent out_;
};

}  // namespace

std::string read_gzip(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be opened");
  const std::string packed{std::istreambuf_iterator<char>(file), {}};
  z_stream stream{};
  constexpr int kGzipOnly = 15 + 16;
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw std::runtime_error("zlib cannot start");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  std::array<char, 1 << 16> piece;
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = piece.size();
    status = inflate(&stream, Z_NO_FLUSH);
    text.append(piece.data(), piece.size() - stream.avail_out);
  }
  const uInt left = stream.avail_in;
  inflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error(path + ": not a complete gzip member");
  if (left != 0) throw std::runtime_error(path + ": bytes after the gzip member");
  return text;
}

ImportedTrace import_trace(const std::string& text, bool keep_args) {
  ImportedTrace trace;
  bool in_events = false;
  // Each event is read and dropped as soon as it is parsed.
  const auto visit = [&](int depth, Json::parse_event_t what, Json& value) {
    if (depth == 1 && what == Json::parse_event_t::key) in_events = value == "traceEvents";
    const bool whole = what == Json::parse_event_t::object_end ||
                       what == Json::parse_event_t::array_end || what == Json::parse_event_t::value;
    if (!in_events || depth != 2 || !whole) return true;
    EventReader(value, trace, keep_args).read();
    return false;
  };
  try {
    trace.head = Json::parse(text, visit);
  } catch (const Json::exception& error) {
    throw std::runtime_error(std::string("not JSON: ") + error.what());
  }
  if (!trace.head.is_object() || !trace.head.contains("traceEvents") ||
      !trace.head["traceEvents"].is_array()) {
    trace.violations.push_back("the file is not an object with an array traceEvents");
  } else {
    trace.head.erase("traceEvents");
  }
  return trace;
}

}  // namespace rehearse
