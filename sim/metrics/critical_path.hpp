// The longest chain of operators and transfers in which each waits for the one before: what a time
// is made of. Making anything off this path faster does not help.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "cost/device_rates.hpp"
#include "metrics/metrics.hpp"
#include "platform/platform.hpp"
#include "timeline/timeline.hpp"

namespace rehearse {

// The path to one event. The parts add up to its time.
struct PathTerms {
  double length_s = 0;
  double compute_s = 0;                         // operators, without their launches
  double launch_s = 0;                          // of operators and of collectives
  std::array<double, kAxes> communication_s{};  // without launches
  std::vector<OperatorTime> operators;          // the same by kind, the longest first
};

struct CriticalPath {
  PathTerms to_first_tokens;  // of the request that waits longest for its first token
  PathTerms to_end;           // of the run
};

// What a CriticalPathFinder will need for a replay of these programs.
Bytes estimate_path_memory(const Programs& programs);

// Records a replay and finds its critical path (Boost.Graph).
class CriticalPathFinder : public TimelineSink {
 public:
  explicit CriticalPathFinder(const Platform& platform) : platform_(platform) {}

  void begin(const Programs& programs) override;
  void span(const Span& span) override;
  void end(Seconds makespan) override;

  const CriticalPath& path() const { return path_; }  // after end()

 private:
  struct Record {
    std::int64_t order = 0;  // place in the rank's execution
    std::int64_t transfer = -1;
    double start = 0;
    double end = 0;
    std::int32_t rank = 0;
    std::int32_t action = 0;
    std::int32_t instruction = 0;
  };
  struct Dependencies;

  const PassProgram& pass_of(const Record& record) const {
    return programs_->pass_of(programs_->action(record.rank, record.action));
  }
  const Instruction& instruction_of(const Record& record) const {
    return pass_of(record).instructions[record.instruction];
  }
  Dependencies find_dependencies() const;
  PathTerms terms_of(const std::vector<int>& path) const;

  const Platform& platform_;
  std::vector<DeviceRates> rates_;  // by device
  const Programs* programs_ = nullptr;
  std::vector<Record> records_;
  CriticalPath path_;
};

}  // namespace rehearse
