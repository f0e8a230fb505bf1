// What is decided about the course of a run by a DeterministicExecutor or a
// DeterministicSchedule: by their seeds, or by who asks to decide instead.
//
// Thread safety: values.
#ifndef TROUPE_SCHEDULER_DETERMINISTIC_CHOICE_H_
#define TROUPE_SCHEDULER_DETERMINISTIC_CHOICE_H_

#include <cstdint>
#include <functional>

namespace troupe {

enum class DeterministicChoice : uint8_t {
  kPlayer,     // Which of a schedule's players that are ready plays.
  kWorker,     // Which of the workers that have something to do plays.
  kRunnable,   // Which of its runnables that are ready runs.
  kHandOver,   // Whether another worker gets it instead.
  kReceiver,   // Which one.
  kLoseSeat,   // Whether the turn loses its seat.
  kMeanwhile,  // How many steps are played in the midst of such a turn.
  kTakeBack,   // Whether its worker is driven by the thread that comes back.
  kInject,     // Which worker gets a runnable that nobody owns.
};

// Takes one of so many alternatives, at least two, numbered from 0; the seed
// would take `drawn`. 0 is the plain one: the first of its kind, and nothing of
// what a seed may throw in.
using DeterministicChoose = std::function<uint32_t(
    DeterministicChoice choice, uint32_t alternatives, uint32_t drawn)>;

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_DETERMINISTIC_CHOICE_H_
