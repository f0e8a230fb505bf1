// What an actor has to do at some time: deadlines of its calls, sleeps, timers.
// A priority queue in intrusive entries, so that an actor with one deadline
// needs two pointers, and one with a million timers no more for each; the
// worker has one timer for the whole agenda.
//
// A pairing heap: M. Fredman, R. Sedgewick, D. Sleator and R. Tarjan, "The
// pairing heap: a new form of self-adjusting heap", Algorithmica 1 (1986).
// Add() takes constant time, and so does removing what was added last or is
// the only one; PopFirst() takes logarithmic time, amortized.
//
// Order: by time, then in the order added.
// Ownership: none of the entries. An entry must not move or die while listed.
// Thread safety: none.
#ifndef TROUPE_ACTOR_INTERNAL_AGENDA_H_
#define TROUPE_ACTOR_INTERNAL_AGENDA_H_

#include <cstdint>

#include "troupe/base/check.h"
#include "troupe/base/clock.h"

namespace troupe::internal {

class AgendaEntry {
 public:
  AgendaEntry() = default;
  AgendaEntry(const AgendaEntry&) = delete;
  AgendaEntry& operator=(const AgendaEntry&) = delete;
  ~AgendaEntry() { TROUPE_DCHECK(!is_listed(), "an entry dies in an agenda"); }

  bool is_listed() const { return number_ != 0; }
  // As given to the last Add() or set_time().
  MonotonicTime time() const {
    return MonotonicTime::FromNanoseconds(time_ns_);
  }

 protected:
  // The time at which it will be listed. REQUIRES: not listed.
  void set_time(MonotonicTime time) { time_ns_ = time.ToNanoseconds(); }

 private:
  friend class Agenda;

  bool IsBefore(const AgendaEntry& other) const {
    return time_ns_ < other.time_ns_ ||
           (time_ns_ == other.time_ns_ && number_ < other.number_);
  }

  // Not initialized: an entry that is never listed costs one store.
  AgendaEntry* first_child_;
  AgendaEntry* next_sibling_;  // Not the root's.
  // The sibling before this one; the parent of a first child. Not the root's.
  AgendaEntry* previous_;
  int64_t time_ns_;
  uint64_t number_ = 0;  // In the order added; 0: not listed.
};

class Agenda {
 public:
  Agenda() = default;
  Agenda(const Agenda&) = delete;
  Agenda& operator=(const Agenda&) = delete;
  ~Agenda() { TROUPE_DCHECK(empty(), "an agenda ends with entries in it"); }

  bool empty() const { return root_ == nullptr; }
  // The entry with the earliest time; null if there is none.
  AgendaEntry* first() const { return root_; }
  // Of the first; infinite if there is none.
  MonotonicTime time() const {
    return root_ != nullptr ? root_->time() : MonotonicTime::InfiniteFuture();
  }

  // A number that no entry has, greater than all so far.
  uint64_t TakeNumber() { return next_number_++; }
  // What is added from now on is younger than the mark.
  uint64_t Mark() const { return next_number_; }
  // Whether the time of the first has come and it is older than `mark`.
  bool HasDue(MonotonicTime now, uint64_t mark) const {
    return root_ != nullptr && root_->time() <= now && root_->number_ < mark;
  }
  // Then takes it out; null otherwise.
  AgendaEntry* PopDue(MonotonicTime now, uint64_t mark) {
    return HasDue(now, mark) ? &PopFirst() : nullptr;
  }

  // REQUIRES: not listed.
  void Add(AgendaEntry& entry, MonotonicTime time) {
    entry.set_time(time);
    entry.first_child_ = nullptr;
    entry.number_ = next_number_++;
    root_ = root_ == nullptr ? &entry : Merge(root_, &entry);
  }

  // REQUIRES: listed here.
  void Remove(AgendaEntry& entry) {
    if (&entry == root_ && entry.first_child_ == nullptr) {
      root_ = nullptr;
      entry.number_ = 0;
    } else {
      RemoveFromTree(entry);
    }
  }

  // Takes the first out. REQUIRES: not empty().
  AgendaEntry& PopFirst() {
    AgendaEntry& first = *root_;
    Remove(first);
    return first;
  }

 private:
  void RemoveFromTree(AgendaEntry& entry);
  // Two roots become one.
  static AgendaEntry* Merge(AgendaEntry* a, AgendaEntry* b);
  // The siblings from `first` on become one tree; null stays null.
  static AgendaEntry* MergeSiblings(AgendaEntry* first);

  AgendaEntry* root_ = nullptr;
  uint64_t next_number_ = 1;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_AGENDA_H_
