// The numbers of a device file are looked up by the table kFigures, along the paths of the schema,
// so that a new number is a field there and a line of the table.
#include "input/read_device.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "input/sourced_figures.hpp"
#include "input/textproto.hpp"
#include "proto/device.pb.h"

namespace rehearse {
namespace {

using google::protobuf::Message;

class Reader {
 public:
  explicit Reader(const SourceText& source) : source_(source), where_(source.path) {
    parse_textproto(source_, written_, where_);
  }

  DeviceSheet run() {
    figures_.check_heading({"name", "product", "vendor", "architecture"});
    figures_.read_sources();
    DeviceSheet sheet;
    sheet.path = source_.path;
    sheet.name = written_.name();
    sheet.product = written_.product();
    sheet.vendor = static_cast<Vendor>(written_.vendor());
    sheet.architecture = written_.architecture();
    sheet.guesses = written_.guesses();
    for (const FigureRow& row : kFigures) {
      sheet.figures[static_cast<std::size_t>(row.id)] = figure_at(row);
    }
    if (written_.has_scale_up()) {
      require_field(written_.scale_up(), "scale_up", "topology", where_);
      sheet.topology = static_cast<ScaleUpTopology>(written_.scale_up().topology());
    }
    for (int i = 0; i < written_.constant_size(); ++i) sheet.constants.push_back(constant(i));
    for (int i = 0; i < written_.collectives_size(); ++i) {
      sheet.collectives.push_back(costs<DeviceCollective>(
          written_.collectives(i), fmt::format("collectives[{}]", i), kCollectiveTable));
    }
    for (int i = 0; i < written_.operators_size(); ++i) {
      sheet.operators.push_back(costs<DeviceOperator>(
          written_.operators(i), fmt::format("operators[{}]", i), kOperatorTable));
    }
    check_sheet(sheet, where_);
    figures_.check_all_sources_used();
    return sheet;
  }

 private:
  [[noreturn]] void fail(const std::string& field, const std::string& message) const {
    throw InputError(where_.at(field), message);
  }

  // The message at a path of the schema ("memory.capacity"); nothing where the file has none.
  const proto::Figure* written_at(std::string_view path) const {
    const Message* message = &written_;
    while (!path.empty()) {
      const std::size_t dot = path.find('.');
      const std::string name(path.substr(0, dot));
      path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
      const auto* const field = message->GetDescriptor()->FindFieldByName(name);
      SIM_CHECK(field != nullptr, "the schema of devices has no " + name);
      if (!message->GetReflection()->HasField(*message, field)) return nullptr;
      message = &message->GetReflection()->GetMessage(*message, field);
    }
    const auto* const figure = dynamic_cast<const proto::Figure*>(message);
    SIM_CHECK(figure != nullptr, "a row of the table is no Figure of the schema");
    return figure;
  }

  std::optional<DeviceFigure> figure_at(const FigureRow& row) {
    const proto::Figure* const written = written_at(row.path);
    if (written == nullptr) return std::nullopt;
    const std::string path(row.path);
    return figures_.figure(*written, path, row.unit, path);
  }

  DeviceConstant constant(int index) {
    const proto::ModelConstant& written = written_.constant(index);
    const std::string path = fmt::format("constant[{}]", index);
    require_field(written, path, "name", where_);
    const ConstantRow& row = kConstants[static_cast<std::size_t>(written.name())];
    DeviceConstant constant;
    constant.name = row.name;
    constant.figure = figures_.figure(written, path, row.unit, std::string(row.text));
    return constant;
  }

  template <class Row, class Written, class Costs>
  Row costs(const Written& written, const std::string& path, const CostTable<Costs>& table) {
    require_field(written, path, "of", where_);
    Row row;
    row.row = written.of();
    const std::string unknown = unknown_row(row.row, table.rows, table.asking);
    if (!unknown.empty()) figures_.fail_at_text(path + ".of", row.row, unknown);
    row.origin = figures_.origin(written, path, row.row);
    bool any = false;
    for (std::size_t i = 0; i < table.fields.size(); ++i) {
      row.numbers[i] =
          cost_number(written, path, row.row, {table.fields[i].name, table.fields[i].quantity});
      any = any || row.numbers[i];
    }
    if (!any) fail(path, fmt::format("{} has no number: leave it out", row.row));
    return row;
  }

  std::optional<CostNumber> cost_number(const Message& written, const std::string& path,
                                        const std::string& row, const CostFieldName& field) const {
    const std::string name(field.name);
    const auto* const descriptor = written.GetDescriptor()->FindFieldByName(name);
    SIM_CHECK(descriptor != nullptr, "the schema of costs has no " + name);
    if (!written.GetReflection()->HasField(written, descriptor)) return std::nullopt;
    CostNumber number{written.GetReflection()->GetString(written, descriptor)};
    try {
      number.value = parse_cost(number.text, field.quantity);
    } catch (const std::invalid_argument& error) {
      figures_.fail_at_text(fmt::format("{}.{}", path, name), number.text,
                            fmt::format("{} of {} = {}", name, row, error.what()));
    }
    return number;
  }

  const SourceText& source_;
  proto::Device written_;
  FieldLocations where_;
  SourcedFigures figures_{source_, written_, where_};
};

}  // namespace

DeviceSheet parse_device_sheet(const SourceText& source) { return Reader(source).run(); }

DeviceSheet read_device_sheet(const std::string& path) {
  return parse_device_sheet(read_source(path, "a device"));
}

}  // namespace rehearse
