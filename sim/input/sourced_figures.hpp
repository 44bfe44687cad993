// Numbers that say where they come from, of device and engine files: the messages Figure and
// FigureSource of workloads/schema/device.proto, and others that have their fields.
#pragma once

#include <google/protobuf/message.h>

#include <set>
#include <string>
#include <vector>

#include "devices/device_sheet.hpp"
#include "input/source_text.hpp"

namespace rehearse {

class SourcedFigures {
 public:
  // Of the message `written`, which was read from `source`, its fields placed by `where`; all of
  // them outlive it.
  SourcedFigures(const SourceText& source, const google::protobuf::Message& written,
                 const FieldLocations& where)
      : source_(source), written_(written), where_(where) {}

  // That these fields are there and not empty, and `name` is a plain word and that of the file.
  void check_heading(const std::vector<std::string>& fields) const;
  // The repeated field "source": keys are unique, dates are dates. Before any number is read.
  void read_sources();
  // Each is named by a number. After all are read.
  void check_all_sources_used() const;

  // The number at `path`; `name` is what messages call it.
  DeviceFigure figure(const google::protobuf::Message& number, const std::string& path,
                      FigureUnit unit, const std::string& name);
  // Its kind, source and note.
  FigureOrigin origin(const google::protobuf::Message& number, const std::string& path,
                      const std::string& name);

  // A text that is there is not empty.
  void refuse_empty(const google::protobuf::Message& message, const std::string& path,
                    const std::string& name) const;
  // Throws InputError at the text of a field in its quotes.
  [[noreturn]] void fail_at_text(const std::string& field, const std::string& text,
                                 const std::string& message) const;

 private:
  struct Source {
    std::string text;
    std::string date;
  };

  void check_name(const std::string& name) const;

  const SourceText& source_;
  const google::protobuf::Message& written_;
  const FieldLocations& where_;
  std::vector<std::string> keys_;
  std::vector<Source> sources_;  // by key
  std::set<std::string> used_;
};

}  // namespace rehearse
