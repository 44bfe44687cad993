// Numbers with their sources, of devices and engines, as tables and as JSON. Texts show a number as
// its file says it, since that is what its source says; JSON has it in the SI unit as well.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/table.hpp"
#include "devices/device_sheet.hpp"

namespace rehearse {

// A number with its unit and where it is from, a row of a table.
NamedCells figure_cells(const std::string& name, double value, const std::string& text,
                        std::string_view unit, std::string_view meaning,
                        const FigureOrigin& origin);
// "peak.bf16" in FLOP/s is peak_bf16_flop_per_s.
std::string column_of_figure(std::string_view path, std::string_view unit);

// Columns of equal width, two blanks apart; the last one as it is.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

// Its name, value, kind, meaning and source.
std::vector<std::string> origin_row(const std::string& name, const std::string& text,
                                    const FigureOrigin& origin, std::string_view meaning);
std::vector<std::string> figure_row(const std::string& name, const DeviceFigure& figure,
                                    std::string_view meaning);

// {"value", "unit" where it has one, "text"}
nlohmann::ordered_json number_json(double value, const std::string& text, std::string_view unit);
// Adds "kind", "source", "date" and "note" where there is one.
void add_origin(const FigureOrigin& origin, nlohmann::ordered_json& json);
// Both.
nlohmann::ordered_json figure_json(const DeviceFigure& figure, std::string_view unit);

}  // namespace rehearse
