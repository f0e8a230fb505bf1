#include "troupe/actor/internal/burial.h"

#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/user_code.h"

namespace troupe::internal {

const RunnableType Burial::kType = {
    .run = Run,
    .woken = IsWanted,
    .returned = IsWanted,
    .release = StaysHere,
    .name = Name,
};

void Burial::ScheduleOn(Worker& worker) {
  worker.AdoptNew(*this, /*reached=*/false);
  worker.Schedule(*this);
}

bool Burial::Run(Runnable& runnable, Worker& worker) {
  Burial& burial = static_cast<Burial&>(runnable);
  if (Envelope* const envelopes = burial.Take()) {
    if (!OutsideSeat([&] { MournStrangers(burial.system_, envelopes); })) {
      return false;
    }
  }
  if (IsWanted(burial, worker)) {
    worker.Yield(burial);
  } else {
    burial.queue_next = nullptr;
  }
  return true;
}

bool Burial::IsWanted(Runnable& runnable, Worker&) {
  return static_cast<Burial&>(runnable).first_ != nullptr;
}

bool Burial::StaysHere(Runnable&, Worker&) { return false; }

std::string Burial::Name(const Runnable&) { return "late messages"; }

}  // namespace troupe::internal
