#include <fmt/format.h>

#include <optional>

#include "base/error.hpp"
#include "base/option_place.hpp"
#include "base/output_file.hpp"
#include "claims/expected.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/limits.hpp"
#include "cli/option_group.hpp"
#include "commands/check_page.hpp"
#include "commands/check_plan.hpp"
#include "html/page.hpp"

namespace rehearse {
namespace {

std::string record_of(const CheckReport& report) {
  std::vector<Judgement> judgements;
  for (const Finding& finding : report.findings) judgements.push_back(finding.judgement);
  return expected_json(judgements);
}

// All of them, or none.
void write_reports(const CheckOptions& options, const CheckReport& report) {
  OutputFiles files;
  const auto write = [&](const std::string& path, std::string (*text_of)(const CheckReport&)) {
    if (!path.empty()) files.add(path, text_of(report));
  };
  write(options.record, record_of);
  write(options.junit, check_junit);
  write(options.markdown, check_markdown);
  write(options.html, check_page);
  files.commit();
}

}  // namespace

void add_check_options(CLI::App& command, Options& options) {
  add_plan_options(command, options);
  CheckOptions& check = options.check;
  OptionGroup in(command, kIn);
  in.repeated("--claim", check.claims, "NAME", "judge only this claim (default: all)");
  in.value("--expect", check.expect, "FILE",
           "verdicts that --record wrote: fail where one changed, and on nothing else (default: "
           "every claim must hold)");
  OptionGroup out(command, kOut);
  out.value("--record", check.record, "FILE", "write today's verdicts, for --expect");
  out.value("--junit", check.junit, "FILE", "write the judgements as JUnit XML");
  command.remove_option(command.get_option("--markdown"));
  command
      .add_option_function<std::vector<std::string>>(
          "--markdown",
          [&options](const std::vector<std::string>& file) {
            options.check.markdown = file.front();
            options.markdown = file.front().empty();
          },
          "write them as a comment of a pull request (default without FILE: print it)")
      ->type_name("[FILE]")
      ->group(kOut)
      ->expected(0, 1);
  out.value("--html", check.html, "FILE", "write them as a page for a browser");
  out.flag("--explain", options.explain, "add the critical path to the terms of refuted times");
}

int check_command(const Options& options) {
  std::optional<Expected> expected;
  if (!options.check.expect.empty()) expected = read_expected(options.check.expect);
  const CheckOptions& files = options.check;
  for (const std::string& path : {files.record, files.junit, files.markdown, files.html}) {
    if (!path.empty()) check_replaceable(path);  // before anybody waits
  }
  if (!files.html.empty() && !writes_pages()) {
    throw InputError(option_place("--html", files.html), std::string(kNoPages));
  }
  CheckRequest request;
  request.plan = options.plan;
  request.claims = options.check.claims;
  request.explain = options.explain;
  request.limits = limits_of(options);
  request.quiet = options.quiet;
  const std::unique_ptr<CheckedPlan> checked = check_plan(request);
  CheckReport& report = checked->report;
  if (expected) compare_with_record(*expected, request.is_whole(), report);
  write_reports(options.check, report);
  if (options.markdown) {  // the comment that --markdown FILE writes
    end_waiting(options);
    fmt::print("{}", check_markdown(report));
  } else {
    print_answer(options, {[&] { return check_table(report); }, [&] { return check_json(report); },
                           [&] { return check_rows(report); }});
  }
  return report.fails() ? 1 : 0;
}

}  // namespace rehearse
