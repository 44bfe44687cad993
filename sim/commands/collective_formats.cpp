#include "commands/collective_formats.hpp"

#include "commands/table_json.hpp"
#include "network/network_level.hpp"

namespace rehearse {
namespace {

Cell gigabytes(const std::optional<BytesPerSecond>& rate) {
  return cell_from(rate, [](BytesPerSecond of) { return of.value / 1e9; });
}

}  // namespace

Table collective_cells(const CollectiveTable& table) {
  const CollectiveRequest& request = table.request;
  Table cells;
  for (const CollectiveRow& each : table.rows) {
    cells.add({{"op", std::string(to_text(request.op))},
               {"ranks", std::int64_t{request.ranks / request.groups}},
               {"groups", std::int64_t{request.groups}},
               {"network", std::string(to_text(request.network))},
               {"library", std::string(table.library->name)},
               {"size_bytes", cell_from(each.size, &Bytes::value)},
               {"algorithm", each.algorithm},
               {"time_s", each.time.value},
               {"algbw_GBs", gigabytes(each.algbw)},
               {"busbw_GBs", gigabytes(each.busbw)},
               {"protocol", cell_of_text(each.protocol)},
               {"channels", cell_if(each.channels > 0, std::int64_t{each.channels})}});
  }
  return cells;
}

std::string collective_json(const CollectiveOptions& typed, const CollectiveTable& table) {
  const CollectiveRequest& request = table.request;
  const nlohmann::ordered_json json = {
      {"op", to_text(request.op)},      {"ranks", request.ranks / request.groups},
      {"groups", request.groups},       {"network", to_text(request.network)},
      {"platform", typed.platform},     {"library", table.library->name},
      {"assumption", table.assumption}, {"rows", rows_json(collective_cells(table))}};
  return json.dump(2) + "\n";
}

}  // namespace rehearse
