// Between JSON and tables: a document as one row, and rows as JSON where a command has no schema of
// its own.
#pragma once

#include <nlohmann/json.hpp>

#include "base/table.hpp"

namespace rehearse {

// Every scalar outside of lists that the skeleton (result_skeleton, facts_skeleton) has, by
// column_of_path; absent where the document lacks it, so that all documents of a kind have the same
// columns.
NamedCells record_of(const nlohmann::ordered_json& document,
                     const nlohmann::ordered_json& skeleton);

Cell cell_of_json(const nlohmann::ordered_json& value);  // absent unless it is a scalar

// The scalars of a document as a table of one row.
Table facts_row(const std::string& json);

// A list of objects; what is absent is missing.
nlohmann::ordered_json rows_json(const Table& table);

}  // namespace rehearse
