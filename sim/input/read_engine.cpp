// The numbers of an engine file are looked up by the table kEngineFigures: a new one is a field of
// the schema and a line there.
#include "input/read_engine.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "base/nearest_name.hpp"
#include "collectives/library.hpp"
#include "input/sourced_figures.hpp"
#include "input/textproto.hpp"
#include "proto/engine.pb.h"

namespace rehearse {
namespace {

const proto::Figure* written_at(const proto::EngineProfile& written, const std::string& name) {
  const auto* const field = written.GetDescriptor()->FindFieldByName(name);
  SIM_CHECK(field != nullptr, "the schema of engines has no " + name);
  const google::protobuf::Reflection& reflection = *written.GetReflection();
  if (!reflection.HasField(written, field)) return nullptr;
  const auto* const figure =
      dynamic_cast<const proto::Figure*>(&reflection.GetMessage(written, field));
  SIM_CHECK(figure != nullptr, "a row of the table is no Figure of the schema");
  return figure;
}

EngineLibrary library_of(const proto::Figure& written, const FieldLocations& where,
                         SourcedFigures& figures) {
  require_field(written, "library", "value", where);
  EngineLibrary library{figures.origin(written, "library", "library"), written.value()};
  try {
    known_library(library.name);
  } catch (const std::invalid_argument& error) {
    figures.fail_at_text("library.value", library.name, fmt::format("library: {}", error.what()));
  }
  return library;
}

}  // namespace

EngineProfile parse_engine_profile(const SourceText& source) {
  proto::EngineProfile written;
  FieldLocations where(source.path);
  parse_textproto(source, written, where);
  SourcedFigures figures(source, written, where);
  figures.check_heading({"name", "product"});
  figures.read_sources();
  EngineProfile profile;
  profile.path = source.path;
  profile.name = written.name();
  profile.product = written.product();
  for (const EngineFigureRow& row : kEngineFigures) {
    const std::string path(row.path);
    const proto::Figure* const figure = written_at(written, path);
    if (figure == nullptr) continue;
    profile.figures[static_cast<std::size_t>(row.id)] =
        figures.figure(*figure, path, row.unit, path);
  }
  if (written.has_library()) profile.library = library_of(written.library(), where, figures);
  figures.check_all_sources_used();
  return profile;
}

EngineProfile read_engine_profile(const std::string& path) {
  return parse_engine_profile(read_source(path, "an engine"));
}

EngineCatalog::EngineCatalog(const std::vector<std::string>& folders)
    : files_({"engines", "engine", "--engines"}, folders) {}

EngineProfile EngineCatalog::find(const std::string& name, const SourceLocation& where) const {
  const auto found = files_.files().find(name);
  if (found != files_.files().end()) return read_engine_profile(found->second);
  throw InputError(
      where, fmt::format("unknown engine \"{}\": {}", name, suggestions(name, files_.names())));
}

}  // namespace rehearse
