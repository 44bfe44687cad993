// `rehearse engines`: the engine profiles, and the check of an engine file.
#pragma once

#include <string>
#include <vector>

#include "base/table.hpp"
#include "input/read_engine.hpp"

namespace rehearse {

// All profiles of the catalogue, in the order of the alphabet.
std::vector<EngineProfile> list_engines(const EngineCatalog& catalog);

// A line for each: its name first, then what it adds and takes.
std::string engines_text(const std::vector<EngineProfile>& engines);
// Every number of one, with kind, source and date.
std::string engine_text(const EngineProfile& engine);

// {"engines": [...]}, of each what engine_json has.
std::string engines_json(const std::vector<EngineProfile>& engines);
std::string engine_json(const EngineProfile& engine);

// A row for each, all its figures in SI units; of one, a row for each number.
Table engines_rows(const std::vector<EngineProfile>& engines);
Table engine_rows(const EngineProfile& engine);

// Reads and checks the file. What it states, in a line; throws InputError at its first mistake.
std::string check_engine_file(const std::string& path);

}  // namespace rehearse
