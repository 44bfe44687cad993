#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>

#include "base/error.hpp"
#include "base/interrupts.hpp"
#include "base/option_place.hpp"
#include "base/processes.hpp"
#include "base/progress.hpp"
#include "cli/answer.hpp"
#include "cli/commands.hpp"
#include "cli/common_options.hpp"
#include "cli/limits.hpp"
#include "cli/notes.hpp"
#include "cli/option_group.hpp"
#include "commands/identity.hpp"
#include "commands/search.hpp"
#include "commands/search_means.hpp"
#include "commands/search_report.hpp"
#include "network/network_level.hpp"
#include "plan/layout_fields.hpp"
#include "search/notes.hpp"
#include "search/search_job.hpp"
#include "search/search_json.hpp"
#include "search/search_rows.hpp"
#include "search/search_text.hpp"
#include "search/why_not.hpp"

namespace rehearse {
namespace {

class Progress {
 public:
  Progress(const SearchGoals& goals, bool quiet)
      : name_(goals.objectives.front().name),
        quiet_(quiet),
        terminal_(isatty(STDERR_FILENO) == 1) {}
  ~Progress() {
    if (printed_ && terminal_) fmt::print(stderr, "\r\033[K");
  }

  void show(const SearchProgress& at) {
    const Clock::time_point now = Clock::now();
    if (at.bounded < at.to_bound) begun_ = now;
    if (quiet_ || !own_.is_due(terminal_)) return;
    printed_ = true;
    const std::string text = text_of(at, now);
    fmt::print(stderr, "{}{}{}", terminal_ ? "\r\033[K" : "rehearse: ", text,
               terminal_ ? "" : "\n");
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::string text_of(const SearchProgress& at, Clock::time_point now) const {
    if (at.bounded < at.to_bound) return fmt::format("bounds: {} of {}", at.bounded, at.to_bound);
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    const double left = at.simulated > 0 ? seconds / static_cast<double>(at.simulated) *
                                               static_cast<double>(at.open)
                                         : 0;
    return fmt::format("{} simulated, {} from the journal, {} can still win, {:.0f} s left{}",
                       at.simulated, at.known, at.open, left,
                       at.has_best ? fmt::format("; best {} {:.5g}", name_, at.best) : "");
  }

  std::string name_;
  bool quiet_;
  bool terminal_;
  bool printed_ = false;
  OwnProgress own_;
  Clock::time_point begun_ = Clock::now();
};

void report_result(const Options& options, const PreparedSearch& all, const SearchInputs& inputs,
                   const SearchResult& result) {
  const SearchIdentity identity = {all.plan.name, all.model.name, all.plan.variant,
                                   to_text(all.plan.network),
                                   digest_of_search(all.plan, options.plan)};
  std::string json = search_json(inputs, result, identity);
  if (!options.out.empty()) {
    const bool told = isatty(STDERR_FILENO) == 1;
    const auto warnings = write_search_report({options.plan, options.out, all.limits.memory, told},
                                              inputs, result, json);
    for (const std::string& each : warnings) fmt::print(stderr, "{}\n", each);
  }
  print_answer(options,
               {[&] { return search_table(inputs, result) + means_of_search(inputs, result); },
                [&] { return json; }, [&] { return search_rows(inputs, result); }});
  const std::string note = too_few_note(inputs, result);
  // A table has no place for it.
  if ((options.csv || options.markdown) && !options.quiet && !note.empty()) {
    fmt::print(stderr, "warning: {}\n", note);
  }
}

// With the workers, the journal and the progress line that the options ask for.
SearchResult search_with(const Options& options, const SearchInputs& inputs,
                         const Enumeration& candidates, const PreparedSearch& all,
                         std::optional<StopRequest>& stop) {
  std::optional<Journal> journal;
  if (!options.search.journal.empty()) {
    journal.emplace(options.search.journal, digest_of_search(all.plan, options.plan));
    for (const std::string& warning : journal->warnings()) fmt::print(stderr, "{}\n", warning);
  }
  const Job job = search_job(all.plan, all.model, all.space, all.limits);
  std::optional<Workers> workers;
  if (options.search.worker_sockets.empty()) {
    const int count =
        options.search.workers.empty() ? usable_cpus() : workers_of(options.search.workers);
    workers.emplace(count, job, all.timeout);
  } else {
    workers.emplace(sockets_of(options.search.worker_sockets));
  }
  stop.emplace();  // the workers do not inherit it
  std::optional<Progress> progress(std::in_place, all.goals, options.quiet);
  SearchResult result = search(inputs, candidates, *workers, journal ? &*journal : nullptr,
                               [&](const SearchProgress& at) {
                                 progress->show(at);
                                 return !stop->made();
                               });
  progress.reset();
  if (!result.complete) {
    const bool told = options.for_programs() || !options.quiet;
    fmt::print(stderr, "rehearse: interrupted{}; {}\n",
               told ? ": what follows is what the search knows by now" : "",
               journal ? "with its journal it goes on from there"
                       : "another search begins anew, as this one has no --journal");
  }
  return result;
}

int why_not(const Options& options, const PreparedSearch& all) {
  const SourceLocation where = option_place("--why-not", options.search.why_not);
  if (options.for_programs() || !options.out.empty()) {
    throw InputError(where,
                     "--why-not answers in words: leave out --json, --csv, --markdown and --out");
  }
  const Question question = read_question(options.search.why_not, where, all.goals.serves);
  const Space its = space_of_question(question, all.space, all.goals.serves);
  const Enumeration asked = enumerate(its, all.plan, all.model);
  const SearchInputs inputs{all.plan, all.model, all.space, all.goals, asked.legal};
  fmt::print("{}", rules_text(question, inputs, asked));
  std::fflush(stdout);
  if (asked.legal.empty()) return 0;
  std::optional<StopRequest> stop;
  const SearchResult result =
      search_with(options, inputs, enumerate(all.space, all.plan, all.model), all, stop);
  fmt::print("{}", answers_text(inputs, result));
  return result.complete ? 0 : kInterrupted;
}

// "pipeline degrees, 1 to 131072 (default: all)": its values and what holds without the option.
std::string help_of(const LayoutField& field) {
  std::string help(field.option);
  if (!field.is_switch()) help += fmt::format("; {} to {}", field.least, field.most);
  if (help.find("(default") != std::string::npos) return help;
  const char* const missing = field.searched == SearchedAs::kDegree      ? "all that fit"
                              : field.searched == SearchedAs::kAutomatic ? "auto"
                                                                         : "the plan's";
  return fmt::format("{} (default: {})", help, missing);
}

void add_space(CLI::App& command, SearchOptions& typed) {
  OptionGroup space(command, "What is varied");
  const auto list = [&](const std::string& name, const std::string& help) {
    space.value(option_of(name), typed.space[name], "LIST", help)->allow_extra_args(false);
  };
  list("gpus", "numbers of GPUs: 16..40 or 16,24 (default: up to the platform's)");
  space
      .value(option_of("max_gpus"), typed.space["max_gpus"], "N",
             "no more GPUs than this (default: the platform's)")
      ->allow_extra_args(false);
  for (const LayoutField& each : kLayoutFields) {
    if (each.searched != SearchedAs::kNever) list(std::string(each.name()), help_of(each));
  }
  const auto several = [&](OptionGroup& group, const std::string& name, const std::string& metavar,
                           const std::string& help) {
    group.repeated(option_of(name), typed.space[name], metavar, help);
  };
  several(space, "order", "AXES",
          "an order of the ranks' axes, the fastest first: tp-cp-ep-dp-pp (default: the plan's)");
  several(space, "platform", "FILE",
          "a platform, SimGrid XML as `rehearse platform` writes it (default: the plan's)");
  several(space, "collectives", "OP=ALGORITHM,...",
          "algorithms of operations: all_reduce=ring (default: the plan's)");
  several(space, "quantization", "FIELD=DTYPE,...",
          "number formats of the model: weight_dtype=fp8,kv_dtype=fp8, or plan (default: plan)");
  OptionGroup asked(command, "What is asked");
  several(
      asked, "objective", "OBJECTIVE",
      fmt::format("what is ranked by, the first first: {}, or a quantity of result.json as "
                  "ttft_s.mean (default: throughput, ttft and gpu_hours; of a service output_cost, "
                  "ttft and tpot)",
                  fmt::join(names_of_objectives(), " ")));
  several(asked, "constraint", "CONSTRAINT",
          "what must hold, QUANTITY or OBJECTIVE <= or >= NUMBER: 'ttft_s.p99 <= 900ms', "
          "'memory.peak_bytes <= 70GB', 'utilization.mfu >= 40%'; without a unit in that of the "
          "field, s or bytes "
          "(default: nothing)");
}

}  // namespace

// Of a search, and of its workers, which must read the same plan and space.
void add_search_options(CLI::App& command, Options& options) {
  SearchOptions& typed = options.search;
  OptionGroup(command, kIn)
      .value("PLAN", options.plan.path, "FILE", "the plan, a textproto")
      ->required();
  add_space(command, typed);
  OptionGroup asked(command, "What is asked");
  asked.value("--why-not", typed.why_not, "DEGREE=N,...",
              "what became of such layouts, instead of a ranking: tensor=3,pipeline=1");
  asked.flag("--exhaustive", typed.exhaustive, "simulate every legal layout");
  add_common_options(command, options);
  OptionGroup out(command, kOut);
  out.value("--top", typed.top, "N", "rows of the table, by the first objective (default: 10)");
  out.flag("--no-skew", typed.no_skew, "do not show how the rows do with uneven experts");
  out.value("--out", options.out, "DIR",
            "a folder for search.json and report.html (default: none is written)");
  OptionGroup limits(command, kLimits);
  limits.value("--timeout", typed.timeout, "TIME", "of one simulation: 500ms, 60s (default: 600s)");
  limits.value("--workers", typed.workers, "N", "processes (default: one per core)");
  limits.value("--journal", typed.journal, "FILE",
               "a file that a search which was stopped goes on from (default: none)");
  command.add_option("--worker-sockets", typed.worker_sockets)->group("");
}

int search_command(const Options& options) {
  const PreparedSearch all = prepare_search(options.plan, options.search, limits_of(options));
  if (!options.search.why_not.empty()) return why_not(options, all);
  if (!options.quiet) print_notes(all.model);
  const Enumeration candidates = enumerate(all.space, all.plan, all.model);
  refuse_empty(candidates);
  if (!options.out.empty()) prepare_search_report(options.out);
  const SearchInputs inputs{all.plan, all.model, all.space, all.goals};
  std::optional<StopRequest> stop;
  const SearchResult result = search_with(options, inputs, candidates, all, stop);
  report_result(options, all, inputs, result);
  stop.reset();
  if (!result.complete) return kInterrupted;
  return result.ranking.empty() ? 1 : 0;
}

int search_worker_command(const Options& options) {
  std::signal(SIGINT, SIG_IGN);  // Ctrl-C reaches the search, too, which answers it
  const PreparedSearch all = prepare_search(options.plan, options.search, limits_of(options));
  serve(STDIN_FILENO, STDOUT_FILENO, search_job(all.plan, all.model, all.space, all.limits),
        all.timeout);
  return 0;
}

}  // namespace rehearse
