#include "troupe/testing/schedule/memory.h"

#include <algorithm>

#include "troupe/base/check.h"

namespace troupe::schedule::internal {
namespace {

uint64_t Mix(uint64_t a, uint64_t b) {
  // Two rounds of a multiply and a shift: all bits of both matter.
  uint64_t h = (a ^ 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
  h ^= h >> 32;
  h = (h ^ b) * 0xc4ceb9fe1a85ec53;
  return h ^ (h >> 29);
}

bool Acquires(std::memory_order order) {
  return order == std::memory_order_acquire ||
         order == std::memory_order_consume ||
         order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

bool Releases(std::memory_order order) {
  return order == std::memory_order_release ||
         order == std::memory_order_acq_rel ||
         order == std::memory_order_seq_cst;
}

}  // namespace

void Memory::Reset() {
  for (int i = 0; i < locations_begun_; ++i) {
    locations_[i].stores.clear();
    locations_[i].readers = 0;
  }
  locations_begun_ = 0;
  sequential_.fill(0);
  threads_[0] = Thread();
  threads_[0].view.time[0] = 1;
  threads_begun_ = 1;
}

void Memory::Learn(View& to, const View& from) const {
  for (int i = 0; i < threads_begun_; ++i) {
    to.time[i] = std::max(to.time[i], from.time[i]);
  }
  LearnSeen(to, from);
}

void Memory::LearnSeen(View& to, const View& from) const {
  for (int i = 0; i < locations_begun_; ++i) {
    to.seen[i] = std::max(to.seen[i], from.seen[i]);
  }
}

int Memory::Fork(int parent) {
  TROUPE_CHECK(threads_begun_ < kMaxThreads, "too many threads in a run");
  const int child = threads_begun_++;
  Thread& thread = threads_[child];
  thread = Thread();
  thread.view = threads_[parent].view;
  thread.view.time[child] = 1;
  thread.before_barrier = thread.view;
  thread.past = Mix(threads_[parent].past, child);
  ++threads_[parent].view.time[parent];
  return child;
}

void Memory::Join(int thread, int ended) {
  Learn(threads_[thread].view, threads_[ended].view);
  AddToPast(thread, threads_[ended].past);
}

int Memory::AddLocation(int thread, uint64_t value) {
  TROUPE_CHECK(locations_begun_ < kMaxLocations, "too many atomics in a run");
  const int number = locations_begun_++;
  Location& location = locations_[number];
  // A constructor is no atomic operation: it tells nobody anything.
  location.stores.push_back({value, Mix(threads_[thread].past, number), {}});
  return number;
}

uint64_t Memory::Load(int thread, int location, uint32_t store,
                      std::memory_order order) {
  Thread& self = threads_[thread];
  Location& at = locations_[location];
  self.view.seen[location] = std::max(self.view.seen[location], store);
  const Made& made = at.stores[store];
  if (Acquires(order)) Learn(self.view, made.told);
  Agree(thread, location, order);
  self.past = Mix(self.past, made.hash);
  at.readers += self.past;
  return made.value;
}

Memory::Made& Memory::Append(int thread, Location& location, int number,
                             uint64_t value) {
  Thread& self = threads_[thread];
  self.past =
      Mix(Mix(self.past, location.stores.back().hash), location.readers);
  location.readers = 0;
  location.stores.push_back({value, self.past, {}});
  self.view.seen[number] = static_cast<uint32_t>(location.stores.size()) - 1;
  return location.stores.back();
}

void Memory::Tell(int thread, Made& made, std::memory_order order) {
  if (!Releases(order)) return;
  View& view = threads_[thread].view;
  Learn(made.told, view);
  // What the thread does from now on was not told.
  ++view.time[thread];
}

void Memory::Agree(int thread, int location, std::memory_order order) {
  if (order != std::memory_order_seq_cst) return;
  sequential_[location] =
      std::max(sequential_[location], threads_[thread].view.seen[location]);
}

void Memory::Store(int thread, int location, uint64_t value,
                   std::memory_order order) {
  Tell(thread, Append(thread, locations_[location], location, value), order);
  Agree(thread, location, order);
}

void Memory::ReadModifyWrite(int thread, int location, uint64_t value,
                             std::memory_order order) {
  Thread& self = threads_[thread];
  Location& at = locations_[location];
  // Whoever acquires from this also acquires from what it replaces.
  const View told = at.stores.back().told;
  if (Acquires(order)) Learn(self.view, told);
  Made& made = Append(thread, at, location, value);
  made.told = told;
  Tell(thread, made, order);
  Agree(thread, location, order);
}

void Memory::Overtake(int thread, int location, uint32_t store) {
  uint32_t& seen = threads_[thread].view.seen[location];
  seen = std::max(seen, store);
}

void Memory::LightBarrier(int thread) {
  Thread& self = threads_[thread];
  LearnSeen(self.view, self.after_barrier);
  self.before_barrier = self.view;
  AddToPast(thread, self.past_after_barrier);
}

void Memory::HeavyBarrier(int thread) {
  Thread& self = threads_[thread];
  for (int i = 0; i < threads_begun_; ++i) {
    LearnSeen(self.view, threads_[i].before_barrier);
    AddToPast(thread, threads_[i].past);
  }
  self.before_barrier = self.view;
  for (int i = 0; i < threads_begun_; ++i) {
    LearnSeen(threads_[i].after_barrier, self.view);
    threads_[i].past_after_barrier =
        Mix(threads_[i].past_after_barrier, self.past);
  }
}

bool Memory::ReadCell(int thread, CellState& cell) {
  const View& view = threads_[thread].view;
  cell.read_at[thread] = view.time[thread];
  return view.time[cell.writer] >= cell.written_at;
}

bool Memory::WriteCell(int thread, CellState& cell) {
  const View& view = threads_[thread].view;
  bool ordered = view.time[cell.writer] >= cell.written_at;
  for (int i = 0; i < threads_begun_; ++i) {
    ordered &= view.time[i] >= cell.read_at[i];
  }
  cell.writer = thread;
  cell.written_at = view.time[thread];
  return ordered;
}

void Memory::AddToPast(int thread, uint64_t what) {
  threads_[thread].past = Mix(threads_[thread].past, what);
}

uint64_t Memory::Hash() const {
  uint64_t hash = 0;
  for (int i = 0; i < threads_begun_; ++i) {
    hash = Mix(hash, threads_[i].past);
  }
  return hash;
}

}  // namespace troupe::schedule::internal
