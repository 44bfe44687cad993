// Loading a platform of 16,384 GPUs in two fabrics. SimGrid loads one platform per process, so each
// load has a child of its own; what counts is the child's CPU time.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "catalog/fabrics/fabric.hpp"
#include "catalog/write_platform.hpp"
#include "cluster/cluster.hpp"

namespace rehearse {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

// CPU seconds of a child that loads the file; negative when it failed.
double load_in_child(const std::string& path) {
  const pid_t child = fork();
  if (child == 0) {
    const Cluster cluster = load_cluster(path);
    _exit(cluster.platform().gpus.size() == 16384 ? 0 : 1);
  }
  int status = 0;
  rusage used{};
  wait4(child, &status, 0, &used);
  return status == 0 ? seconds(used.ru_utime) + seconds(used.ru_stime) : -1;
}

void load_16384_gpus(benchmark::State& state, const std::string& fabric) {
  PlatformRequest request;
  request.gpu = "h100";
  request.fabric = fabric;
  request.nodes = 2048;
  const std::string path = "bench-" + std::to_string(getpid()) + ".xml";
  std::ofstream(path) << platform_xml(request);
  for ([[maybe_unused]] auto _ : state) {
    const double used = load_in_child(path);
    if (used < 0) {
      state.SkipWithError("the child failed");
      break;
    }
    state.SetIterationTime(used);
  }
  std::remove(path.c_str());
}

const bool kRegistered = [] {
  for (const Fabric& fabric : fabrics()) {
    benchmark::RegisterBenchmark((std::string("load_16384_gpus/") + fabric.name).c_str(),
                                 load_16384_gpus, fabric.name)
        ->UseManualTime()
        ->Iterations(3)
        ->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace rehearse
