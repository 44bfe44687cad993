// The table of commands. Examples are short enough for a test that runs them all, and say what they
// show; those that need no file of the repository come first where there are any.
#include "cli/command_table.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/common_options.hpp"

namespace rehearse {
namespace {

constexpr const char* kPrinted = "the answer was printed";
constexpr const char* kNotFit =
    "the plan does not fit in memory, a service misses its objective "
    "or has no steady state";
const std::string kPlan = "workloads/plans/moe-10b-24gpu.textproto";
const std::string kBatch = "workloads/gallery/llama-70b-batch-4xh100.textproto";

const std::string kInit = "rehearse init --model meta-llama/Llama-3.1-70B --gpu h200 --gpus 8";

std::vector<Command> start() {
  return {
      {"init",
       "write a commented plan that fits and runs, and its platform",
       CommandGroup::kStart,
       {{kInit + " --for serve", "a service on eight H200, with the reason of each choice"},
        {kInit + " --for batch --prompt 4096 --output 128", "one batch of long prompts"}},
       "the plan was written",
       "nothing fits on so many GPUs: it says by how much, and the fewest that would do",
       add_init_options,
       init_command},
      {"plan",
       "write the plan of an engine's launch command, every flag used, ignored or refused",
       CommandGroup::kStart,
       {{"rehearse plan --from-vllm 'vllm serve meta-llama/Llama-3.1-70B-Instruct "
         "--tensor-parallel-size 8 --max-num-seqs 256' --gpu h100",
         "vLLM on a server of eight H100"},
        {"rehearse plan --from-sglang 'python -m sglang.launch_server --model-path "
         "deepseek-ai/DeepSeek-V3 --tp 8 --dp 8 --enable-dp-attention --moe-a2a-backend deepep' "
         "--gpu h200",
         "SGLang with data-parallel attention"}},
       "the plan was written",
       "",
       add_plan_from_options,
       plan_command},
      {"run",
       "simulate one plan",
       CommandGroup::kStart,
       {{"rehearse run " + kBatch, "times, tokens per second, communication and memory"},
        {"rehearse run " + kBatch + " --set layout.tensor=8 --json",
         "another layout; the result as JSON"}},
       "the plan was simulated, fits in memory and keeps its objective",
       kNotFit,
       add_run_options,
       run_command},
      {"show",
       "what a plan or a model means, without simulating",
       CommandGroup::kStart,
       {{"rehearse show --model Qwen/Qwen3-32B", "parameters, bytes and FLOPs of a model"},
        {"rehearse show " + kBatch, "who holds what, the groups, FLOPs and bytes, memory"}},
       kPrinted,
       "the plan does not fit in memory",
       add_show_options,
       show_command},
      {"schema",
       "the fields of a plan, or of another file: what each means, its values and default",
       CommandGroup::kStart,
       {{"rehearse schema plan.serve", "the fields of one message of a plan"},
        {"rehearse schema layout.tensor", "one field, as --set calls it"}},
       kPrinted,
       "",
       add_schema_options,
       schema_command}};
}

std::vector<Command> ask() {
  return {
      {"search",
       "rank the layouts of a range of GPUs, on one or several platforms",
       CommandGroup::kAsk,
       {{"rehearse search " + kBatch + " --gpus 8 --top 3", "the best three layouts of 8 GPUs"},
        {"rehearse search " + kBatch + " --gpus 8 --why-not tensor=3",
         "why no layout has three tensor ranks"}},
       "layouts were ranked",
       "no layout keeps the constraints",
       add_search_options,
       search_command},
      {"size",
       "serving: the largest rate under the SLO, the fewest GPUs for a rate, what breaks first",
       CommandGroup::kAsk,
       {{"rehearse size workloads/plans/llama-70b-serve.textproto",
         "how many requests per second the plan's replicas keep its objective at"},
        {"rehearse size workloads/plans/llama-70b-serve.textproto --set serve.slo.tpot=60ms --json",
         "the same of another objective, as JSON"}},
       "a rate was found",
       "no rate keeps the objective, or the plan does not fit in memory",
       add_size_options,
       size_command},
      {"balance",
       "is re-balancing experts, or copying them, worth it?",
       CommandGroup::kAsk,
       {{"rehearse balance " + kPlan + " --variant declared-top1 --set routing.model=zipf",
         "placements of unevenly used experts, side by side"},
        {"rehearse balance " + kPlan + " --variant declared-top1 --set routing.model=zipf --json",
         "the same as JSON"}},
       kPrinted,
       "",
       add_plan_options,
       balance_command}};
}

std::vector<Command> machines() {
  return {{"platform",
           "write the platform file of a cluster, or describe one",
           CommandGroup::kParts,
           {{"rehearse platform --gpu h100 --nodes 4 --fabric rail", "four servers of 8 H100"},
            {"rehearse platform --show platforms/plan-24gpu-nvlink.xml", "what a file describes"}},
           "the file was written or described",
           "",
           add_platform_options,
           platform_command},
          {"gpus",
           "the device catalogue: what GPUs can do, and who says so",
           CommandGroup::kParts,
           {{"rehearse gpus", "all, a line each"},
            {"rehearse gpus h100", "every number of one, and its source"}},
           kPrinted,
           "",
           add_gpus_options,
           gpus_command},
          {"engines",
           "the engines: what software adds to the times of kernels, and who says so",
           CommandGroup::kParts,
           {{"rehearse engines", "all, a line each"},
            {"rehearse engines vllm", "every number of one, and its source"}},
           kPrinted,
           "",
           add_engines_options,
           engines_command}};
}

std::vector<Command> parts() {
  return {
      {"operator",
       "price a kernel on a GPU, or a table of them",
       CommandGroup::kParts,
       {{"rehearse operator gemm --gpu h100 --m 4096 --n 8192 --k 8192 --dtype fp8_block",
         "a matrix product"},
        {"rehearse operator moe --gpu h200 --tokens 512 --hidden 7168 --ffn 2048 --experts 256 "
         "--top-k 8 --ep 8 --dtype fp8_block",
         "the experts of a layer, spread over eight GPUs"}},
       "priced; a row of a table that cannot be has a reason instead of a time",
       "",
       add_operator_options,
       operator_command},
      {"collective",
       "time a collective: the table of nccl-tests",
       CommandGroup::kParts,
       {{"rehearse collective --platform platforms/plan-24gpu-nvlink.xml --op allreduce --bytes "
         "64MB",
         "one size"},
        {"rehearse collective --platform platforms/plan-24gpu-nvlink.xml --op all_to_all -b 8 -e "
         "128M -f 16",
         "a range of sizes, asked as nccl-tests is"}},
       "the table was printed",
       "",
       add_collective_options,
       collective_command},
      {"traffic",
       "what a trace of requests, or a plan's traffic, asks for",
       CommandGroup::kParts,
       {{"rehearse traffic traces/chat-60.requests.csv", "rates, lengths and shared prefixes"},
        {"rehearse traffic traces/chat-60.requests.csv --json", "the same as JSON"}},
       kPrinted,
       "",
       add_traffic_options,
       traffic_command},
      {"calibrate",
       "measured kernels of a GPU: a device file of its own",
       CommandGroup::kParts,
       {{"rehearse calibrate workloads/gallery/measured-h100.csv --gpu h100 --date 2026-11",
         "what a few measured rows change"},
        {"rehearse calibrate workloads/gallery/measured-h100.csv --gpu h100 --date 2026-11 --name "
         "my-h100 "
         "--out my-h100.textproto",
         "and the device file, written"}},
       "the constants were fitted",
       "",
       add_calibrate_options,
       calibrate_command}};
}

std::vector<Command> check() {
  return {{"check",
           "judge what a document claims about a plan",
           CommandGroup::kCheck,
           {{"rehearse check " + kPlan + " --variant declared-top1",
             "each claim: holds, refuted, cannot be judged, and why", 1},
            {"rehearse check " + kPlan + " --variant declared-top1 --claim overhead-accounted",
             "one claim only", 1}},
           "every claim holds, or with --expect no verdict has changed",
           "a claim does not hold, or with --expect a verdict has changed",
           add_check_options,
           check_command},
          {"compare",
           "what moved between two results, or two plans; fails on a regression",
           CommandGroup::kCheck,
           {{"rehearse compare workloads/gallery/mixtral-8xh100.textproto "
             "workloads/gallery/mixtral-skewed-experts-8xh100.textproto",
             "two plans, each run; something is worse in the second", 1},
            {"rehearse compare " + kPlan + " " + kPlan + " --variant declared-top1",
             "two plans, each run"}},
           "nothing got worse by more than its tolerance",
           "something did",
           add_compare_options,
           compare_command}};
}

std::vector<Command> help() {
  return {{"help",
           "the help of a command, or the list of commands",
           CommandGroup::kHelp,
           {{"rehearse help", "the commands"}, {"rehearse help run", "the options of one"}},
           kPrinted,
           "",
           add_help_options,
           help_command},
          {"version",
           "the version of the program",
           CommandGroup::kHelp,
           {{"rehearse version", "the version"}, {"rehearse --version", "the same"}},
           kPrinted,
           "",
           [](CLI::App&, Options&) {},
           version_command},
          {"man",
           "a manual page, in the language of man(7)",
           CommandGroup::kHelp,
           {{"rehearse man run | man -l -", "read the page of one command"},
            {"rehearse man --all /tmp", "write rehearse.1, rehearse-run.1 ... into a folder"}},
           "printed, or written",
           "",
           add_man_options,
           man_command},
          {"completion",
           "a script that completes the commands in a shell",
           CommandGroup::kHelp,
           {{"rehearse completion bash", "for bash: source <(rehearse completion bash)"},
            {"rehearse completion zsh", "for zsh: save it as _rehearse in a folder of $fpath"}},
           kPrinted,
           "",
           add_completion_options,
           completion_command}};
}

std::vector<Command> all_commands() {
  std::vector<Command> all;
  for (const auto& part : {start, ask, machines, parts, check, help}) {
    for (Command& command : part()) all.push_back(std::move(command));
  }
  return all;
}

constexpr const char* kUsageMeaning = "bad input or usage: stderr says where, what and the rule";
constexpr const char* kBugMeaning = "a mistake of the program: please report it";
constexpr const char* kInterruptedMeaning = "interrupted";

}  // namespace

std::string said_of(const Example& example) {
  return example.exit == 0 ? example.what
                           : fmt::format("{} (exit code {})", example.what, example.exit);
}

const char* to_text(CommandGroup group) {
  switch (group) {
    case CommandGroup::kStart:
      return "Start";
    case CommandGroup::kAsk:
      return "Ask";
    case CommandGroup::kParts:
      return "Machines and their parts";
    case CommandGroup::kCheck:
      return "Check";
    case CommandGroup::kHelp:
      return "Help";
  }
  return "";
}

const std::vector<Command>& commands() {
  static const std::vector<Command> kAll = all_commands();
  return kAll;
}

const Command* command_named(const std::string& name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  return found == commands().end() ? nullptr : &*found;
}

const Command& search_worker() {
  static const Command kWorker = {
      "search-worker",      "", CommandGroup::kHelp, {}, "", "", add_search_options,
      search_worker_command};
  return kWorker;
}

std::vector<ExitCode> exit_codes(const Command& command) {
  std::vector<ExitCode> all = {{0, command.yes}};
  if (!command.no.empty()) all.push_back({1, command.no});
  all.push_back({2, kUsageMeaning});
  all.push_back({3, kBugMeaning});
  all.push_back({130, kInterruptedMeaning});
  return all;
}

std::vector<ExitCode> exit_codes() {
  return {{0, "yes: the answer is there"},
          {1,
           "the answer is no: a plan does not fit in memory, a claim does not hold, a result "
           "got worse"},
          {2, kUsageMeaning},
          {3, kBugMeaning},
          {130, kInterruptedMeaning}};
}

}  // namespace rehearse
