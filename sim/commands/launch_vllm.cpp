// vLLM's flags: names, short forms and defaults of vllm/engine/arg_utils.py at 99d7eb5d (its group
// of each config), and of the server in vllm/entrypoints/openai/cli_args.py at 00522333; the two
// that came later (--no-async-scheduling by default on, --attention-backend) of vllm/config at the
// commits that serving/engine_defaults.cpp names. `--FLAG VALUE`, `--FLAG=VALUE` and underscores
// are alike there (FlexibleArgumentParser).
#include "commands/launch_flags.hpp"

namespace rehearse {
namespace {

constexpr const char* kAddress = "the server's address";
constexpr const char* kLog = "what is logged";
constexpr const char* kClient = "the front end: clients and front ends take no time here";
constexpr const char* kText = "how text becomes tokens";
constexpr const char* kLoad = "how weights are loaded";
constexpr const char* kMedia = "images and sound are tokens of a prompt";
constexpr const char* kLengths = "what is generated: lengths are in serve.traffic";
constexpr const char* kRanks = "how ranks find each other";
constexpr const char* kLora = "adapters are not modelled";
constexpr const char* kEplb = "experts that move while a service runs are not modelled";
constexpr const char* kMamba = "caches of states with a type of their own are not modelled";
constexpr const char* kCompiled = "which kernels are compiled or captured is not modelled";
constexpr const char* kOfOneRank =
    "one rank of several: give the command of all of them, --data-parallel-size";

using enum FlagUse;
constexpr FlagRow kRows[] = {
    // Model
    {"--model", FlagValue::kOne, kModel, "model"},
    {"--dtype", FlagValue::kOne, kType, "model.activation_dtype"},
    {"--quantization -q", FlagValue::kOne, kQuantization, "model.weight_dtype"},
    {"--max-model-len", FlagValue::kOne, kMaxLength, "serve.engine.max_model_len"},
    {"--enforce-eager", FlagValue::kSwitch, kNoGraphs, "serve.engine.cuda_graphs"},
    {"--seed", FlagValue::kOne, kIgnored, "of sampling; the plan's seed is of its traffic"},
    {"--tokenizer", FlagValue::kOne, kIgnored, kText},
    {"--tokenizer-mode", FlagValue::kOne, kIgnored, kText},
    {"--tokenizer-revision", FlagValue::kOne, kIgnored, kText},
    {"--skip-tokenizer-init", FlagValue::kSwitch, kIgnored, kText},
    {"--trust-remote-code", FlagValue::kSwitch, kIgnored, kLoad},
    {"--revision", FlagValue::kOne, kIgnored, kLoad},
    {"--code-revision", FlagValue::kOne, kIgnored, kLoad},
    {"--hf-token", FlagValue::kOptional, kIgnored, kLoad},
    {"--served-model-name", FlagValue::kSeveral, kIgnored, "what clients call the model"},
    {"--max-logprobs", FlagValue::kOne, kIgnored, kClient},
    {"--logprobs-mode", FlagValue::kOne, kIgnored, kClient},
    {"--generation-config", FlagValue::kOne, kIgnored, kLengths},
    {"--override-generation-config", FlagValue::kOne, kIgnored, kLengths},
    {"--logits-processor-pattern", FlagValue::kOne, kIgnored, kClient},
    {"--config-format", FlagValue::kOne, kIgnored, kLoad},
    {"--rope-scaling", FlagValue::kOne, kIgnored, "positions: neither FLOPs nor bytes"},
    {"--rope-theta", FlagValue::kOne, kIgnored, "positions: neither FLOPs nor bytes"},
    {"--enable-sleep-mode", FlagValue::kSwitch, kIgnored, "the server sleeps when it is told to"},
    {"--hf-config-path", FlagValue::kOne, kRefused, "another config: give it as --model"},
    {"--hf-overrides", FlagValue::kOne, kRefused, "another config: give it as --model"},
    {"--disable-sliding-window", FlagValue::kSwitch, kRefused, "windows are the model's"},
    {"--disable-cascade-attn", FlagValue::kSwitch, kIgnored, "cascade attention is not modelled"},
    {"--runner", FlagValue::kOne, kRefused, "only generation is modelled", "auto generate"},
    {"--task", FlagValue::kOne, kRefused, "only generation is modelled", "auto generate"},
    {"--convert", FlagValue::kOne, kRefused, "only generation is modelled", "auto none"},
    {"--pooler-config", FlagValue::kOne, kRefused, "only generation is modelled"},
    {"--model-impl", FlagValue::kOne, kRefused, "times are of vLLM's own models", "auto vllm"},
    {"--enable-prompt-embeds", FlagValue::kSwitch, kRefused, "prompts are tokens here"},
    {"--logits-processors", FlagValue::kSeveral, kRefused, "code of one's own is not modelled"},
    {"--attention-backend", FlagValue::kOne, kRefused, "times are of the engine's own choice"},
    // Loading
    {"--load-format", FlagValue::kOne, kIgnored, kLoad},
    {"--download-dir", FlagValue::kOne, kIgnored, kLoad},
    {"--safetensors-load-strategy", FlagValue::kOne, kIgnored, kLoad},
    {"--model-loader-extra-config", FlagValue::kOne, kIgnored, kLoad},
    {"--ignore-patterns", FlagValue::kSeveral, kIgnored, kLoad},
    {"--use-tqdm-on-load", FlagValue::kSwitch, kIgnored, kLoad},
    {"--max-parallel-loading-workers", FlagValue::kOne, kIgnored, kLoad},
    {"--reasoning-parser", FlagValue::kOne, kIgnored, kClient},
    {"--structured-outputs-config", FlagValue::kOne, kIgnored, kClient},
    {"--guided-decoding-backend", FlagValue::kOne, kIgnored, kClient},
    // Parallelism
    {"--tensor-parallel-size -tp", FlagValue::kOne, kTensor, "layout.tensor"},
    {"--pipeline-parallel-size -pp", FlagValue::kOne, kPipeline, "layout.pipeline"},
    {"--data-parallel-size -dp", FlagValue::kOne, kData, "layout.expert"},
    {"--enable-expert-parallel -ep", FlagValue::kSwitch, kExpertParallel, "layout.expert_tensor"},
    {"--all2all-backend", FlagValue::kOne, kAllToAll, "collectives.library"},
    {"--disable-custom-all-reduce", FlagValue::kSwitch, kNoCustomAllReduce, "collectives.library"},
    {"--data-parallel-size-local -dpl", FlagValue::kOne, kIgnored, kRanks},
    {"--data-parallel-address -dpa", FlagValue::kOne, kIgnored, kRanks},
    {"--data-parallel-rpc-port -dpp", FlagValue::kOne, kIgnored, kRanks},
    {"--data-parallel-backend -dpb", FlagValue::kOne, kIgnored, kRanks},
    {"--data-parallel-start-rank -dpr", FlagValue::kOne, kIgnored, kRanks},
    {"--distributed-executor-backend", FlagValue::kOne, kIgnored, kRanks},
    {"--nnodes -n", FlagValue::kOne, kIgnored, "servers are the platform's, --nodes"},
    {"--node-rank -r", FlagValue::kOne, kIgnored, kRanks},
    {"--master-addr", FlagValue::kOne, kIgnored, kRanks},
    {"--master-port", FlagValue::kOne, kIgnored, kRanks},
    {"--headless", FlagValue::kNone, kIgnored, kRanks},
    {"--ray-workers-use-nsight", FlagValue::kSwitch, kIgnored, kLog},
    {"--disable-nccl-for-dp-synchronization", FlagValue::kSwitch, kIgnored, kRanks},
    {"--data-parallel-rank -dpn", FlagValue::kOne, kRefused, kOfOneRank},
    {"--data-parallel-hybrid-lb -dph", FlagValue::kSwitch, kRefused,
     "who gets a request is serve.router"},
    {"--data-parallel-external-lb -dpe", FlagValue::kSwitch, kRefused,
     "who gets a request is serve.router"},
    {"--decode-context-parallel-size -dcp", FlagValue::kOne, kRefused,
     "context parallelism is not modelled", "1"},
    {"--prefill-context-parallel-size -pcp", FlagValue::kOne, kRefused,
     "context parallelism is not modelled", "1"},
    {"--enable-dbo", FlagValue::kSwitch, kRefused, "two batches that overlap are not modelled"},
    {"--enable-eplb", FlagValue::kSwitch, kRefused, kEplb},
    {"--eplb-config", FlagValue::kOne, kRefused, kEplb},
    {"--num-redundant-experts", FlagValue::kOne, kRefused, kEplb, "0"},
    {"--eplb-window-size", FlagValue::kOne, kRefused, kEplb},
    {"--eplb-step-interval", FlagValue::kOne, kRefused, kEplb},
    {"--expert-placement-strategy", FlagValue::kOne, kRefused,
     "of a service experts stand in blocks", "linear"},
    {"--worker-cls", FlagValue::kOne, kRefused, "code of one's own is not modelled", "auto"},
    {"--worker-extension-cls", FlagValue::kOne, kRefused, "code of one's own is not modelled"},
    // Cache
    {"--block-size", FlagValue::kOne, kBlock, "serve.engine.block_tokens"},
    {"--gpu-memory-utilization", FlagValue::kOne, kMemoryFraction, "serve.engine.memory_fraction"},
    {"--num-gpu-blocks-override", FlagValue::kOne, kBlocks, "serve.engine.kv_blocks"},
    {"--kv-cache-dtype", FlagValue::kOne, kCacheType, "model.kv_dtype"},
    {"--enable-prefix-caching", FlagValue::kSwitch, kPrefixCache, "serve.engine.prefix_cache"},
    {"--prefix-caching-hash-algo", FlagValue::kOne, kIgnored, "how prefixes are found again"},
    {"--swap-space", FlagValue::kOne, kIgnored, "vLLM's V1 engine swaps nothing"},
    {"--calculate-kv-scales", FlagValue::kSwitch, kIgnored, "once, when a service begins"},
    {"--kv-cache-memory-bytes", FlagValue::kOne, kRefused,
     "bytes of the pool: give --num-gpu-blocks-override or --gpu-memory-utilization"},
    {"--cpu-offload-gb", FlagValue::kOne, kRefused, "weights in the host's memory are not modelled",
     "0"},
    {"--kv-offloading-size", FlagValue::kOne, kRefused,
     "caches in the host's memory are not modelled"},
    {"--kv-sharing-fast-prefill", FlagValue::kSwitch, kRefused, "prefill is of all layers here"},
    {"--mamba-cache-dtype", FlagValue::kOne, kRefused, kMamba, "auto"},
    {"--mamba-ssm-cache-dtype", FlagValue::kOne, kRefused, kMamba, "auto"},
    {"--mamba-block-size", FlagValue::kOne, kRefused, kMamba},
    // Images, sound
    {"--limit-mm-per-prompt", FlagValue::kOne, kIgnored, kMedia},
    {"--media-io-kwargs", FlagValue::kOne, kIgnored, kMedia},
    {"--mm-processor-kwargs", FlagValue::kOne, kIgnored, kMedia},
    {"--mm-processor-cache-gb", FlagValue::kOne, kIgnored, kMedia},
    {"--mm-processor-cache-type", FlagValue::kOne, kIgnored, kMedia},
    {"--mm-encoder-tp-mode", FlagValue::kOne, kIgnored, kMedia},
    {"--disable-mm-preprocessor-cache", FlagValue::kNone, kIgnored, kMedia},
    {"--interleave-mm-strings", FlagValue::kSwitch, kIgnored, kMedia},
    {"--skip-mm-profiling", FlagValue::kSwitch, kIgnored, kMedia},
    {"--allowed-local-media-path", FlagValue::kOne, kIgnored, kMedia},
    {"--allowed-media-domains", FlagValue::kSeveral, kIgnored, kMedia},
    {"--disable-chunked-mm-input", FlagValue::kSwitch, kIgnored, kMedia},
    // Adapters
    {"--enable-lora", FlagValue::kSwitch, kRefused, kLora},
    {"--max-loras", FlagValue::kOne, kRefused, kLora},
    {"--max-lora-rank", FlagValue::kOne, kRefused, kLora},
    {"--max-cpu-loras", FlagValue::kOne, kRefused, kLora},
    {"--lora-modules", FlagValue::kSeveral, kRefused, kLora},
    {"--lora-dtype", FlagValue::kOne, kRefused, kLora},
    {"--fully-sharded-loras", FlagValue::kSwitch, kRefused, kLora},
    // Scheduler
    {"--max-num-batched-tokens", FlagValue::kOne, kMaxTokens, "serve.engine.max_tokens_per_pass"},
    {"--max-num-seqs", FlagValue::kOne, kMaxSequences, "serve.engine.max_sequences"},
    {"--enable-chunked-prefill", FlagValue::kSwitch, kChunked, "serve.engine.chunked_prefill"},
    {"--async-scheduling", FlagValue::kSwitch, kAsync, "serve.engine.asynchronous"},
    {"--scheduling-policy", FlagValue::kOne, kPolicy, "serve.engine.policy"},
    {"--max-num-partial-prefills", FlagValue::kOne, kRefused,
     "several prompts in part are not modelled", "1"},
    {"--max-long-partial-prefills", FlagValue::kOne, kRefused,
     "several prompts in part are not modelled", "1"},
    {"--long-prefill-token-threshold", FlagValue::kOne, kRefused, "no plan limits a prompt's part",
     "0"},
    {"--num-lookahead-slots", FlagValue::kOne, kRefused, "drafts are --speculative-config", "0"},
    {"--stream-interval", FlagValue::kOne, kRefused, "each token goes to its client as it is there",
     "1"},
    {"--scheduler-cls", FlagValue::kOne, kRefused, "code of one's own is not modelled"},
    {"--disable-hybrid-kv-cache-manager", FlagValue::kSwitch, kRefused,
     "windows keep what they see, no more"},
    // Graphs and compilation
    {"--cudagraph-capture-sizes --cuda-graph-sizes", FlagValue::kSeveral, kRefused, kCompiled},
    {"--max-cudagraph-capture-size", FlagValue::kOne, kRefused, kCompiled},
    {"--compilation-config -cc", FlagValue::kOne, kRefused, kCompiled},
    {"--optimization-level -O", FlagValue::kOne, kRefused, kCompiled},
    // Drafts, other servers
    {"--speculative-config -sc", FlagValue::kOne, kSpeculativeJson, "serve.engine.speculative"},
    {"--kv-transfer-config", FlagValue::kOne, kRefused,
     "one side of a service with prefill and decode apart: write both as serve.pools"},
    {"--kv-events-config", FlagValue::kOne, kIgnored, kLog},
    {"--additional-config", FlagValue::kOne, kRefused, "of a platform that is not modelled"},
    {"--config", FlagValue::kOne, kRefused, "settings in a file: write them out as flags"},
    // The server
    {"--host", FlagValue::kOne, kIgnored, kAddress},
    {"--port", FlagValue::kOne, kIgnored, kAddress},
    {"--uds", FlagValue::kOne, kIgnored, kAddress},
    {"--root-path", FlagValue::kOne, kIgnored, kAddress},
    {"--api-key", FlagValue::kSeveral, kIgnored, kClient},
    {"--api-server-count -asc", FlagValue::kOne, kIgnored, kClient},
    {"--ssl-keyfile", FlagValue::kOne, kIgnored, kClient},
    {"--ssl-certfile", FlagValue::kOne, kIgnored, kClient},
    {"--ssl-ca-certs", FlagValue::kOne, kIgnored, kClient},
    {"--allowed-origins", FlagValue::kOne, kIgnored, kClient},
    {"--allowed-methods", FlagValue::kOne, kIgnored, kClient},
    {"--allowed-headers", FlagValue::kOne, kIgnored, kClient},
    {"--allow-credentials", FlagValue::kSwitch, kIgnored, kClient},
    {"--middleware", FlagValue::kOne, kIgnored, kClient},
    {"--chat-template", FlagValue::kOne, kIgnored, kText},
    {"--chat-template-content-format", FlagValue::kOne, kIgnored, kText},
    {"--default-chat-template-kwargs", FlagValue::kOne, kIgnored, kText},
    {"--response-role", FlagValue::kOne, kIgnored, kText},
    {"--enable-auto-tool-choice", FlagValue::kSwitch, kIgnored, kClient},
    {"--tool-call-parser", FlagValue::kOne, kIgnored, kClient},
    {"--tool-parser-plugin", FlagValue::kOne, kIgnored, kClient},
    {"--tool-server", FlagValue::kOne, kIgnored, kClient},
    {"--return-tokens-as-token-ids", FlagValue::kSwitch, kIgnored, kClient},
    {"--disable-frontend-multiprocessing", FlagValue::kSwitch, kIgnored, kClient},
    {"--enable-request-id-headers", FlagValue::kSwitch, kIgnored, kClient},
    {"--disable-fastapi-docs", FlagValue::kSwitch, kIgnored, kClient},
    {"--enable-server-load-tracking", FlagValue::kSwitch, kIgnored, kLog},
    {"--enable-force-include-usage", FlagValue::kSwitch, kIgnored, kLog},
    {"--enable-prompt-tokens-details", FlagValue::kSwitch, kIgnored, kLog},
    {"--uvicorn-log-level", FlagValue::kOne, kIgnored, kLog},
    {"--disable-uvicorn-access-log", FlagValue::kSwitch, kIgnored, kLog},
    {"--log-config-file", FlagValue::kOne, kIgnored, kLog},
    {"--max-log-len", FlagValue::kOne, kIgnored, kLog},
    {"--enable-log-requests", FlagValue::kSwitch, kIgnored, kLog},
    {"--disable-log-requests", FlagValue::kSwitch, kIgnored, kLog},
    {"--enable-log-outputs", FlagValue::kSwitch, kIgnored, kLog},
    {"--disable-log-stats", FlagValue::kNone, kIgnored, kLog},
    {"--aggregate-engine-logging", FlagValue::kNone, kIgnored, kLog},
    {"--otlp-traces-endpoint", FlagValue::kOne, kIgnored, kLog},
    {"--collect-detailed-traces", FlagValue::kOne, kIgnored, kLog},
    {"--show-hidden-metrics-for-version", FlagValue::kOne, kIgnored, kLog},
};

}  // namespace

const LaunchTable& vllm_flags() {
  static const LaunchTable kTable{"vllm", "--from-vllm", "vllm/engine/arg_utils.py at 99d7eb5d",
                                  kRows};
  return kTable;
}

}  // namespace rehearse
