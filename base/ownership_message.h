// Messages for the model tests of ownership.h, and what is known of those that
// arrived.
#ifndef TROUPE_BASE_OWNERSHIP_MESSAGE_H_
#define TROUPE_BASE_OWNERSHIP_MESSAGE_H_

#include <vector>

#include "absl/strings/str_cat.h"
#include "troupe/testing/schedule/explore.h"
#include "troupe/testing/schedule/scheduled_atomics.h"

namespace troupe::ownership_model {

// A node for a MailWord. Its parts are plain data: touching them at the wrong
// time is a data race.
struct alignas(16) Message {
  struct Content {
    int sender = 0;
    int number = 0;
    bool is_signal = false;
  };

  schedule::ScheduledCell<Message*> next{nullptr};
  schedule::ScheduledCell<Content> content;
};

// Oldest first what a word gave newest first.
inline std::vector<Message*> OldestFirst(Message* newest) {
  std::vector<Message*> messages;
  for (Message* at = newest; at != nullptr; at = at->next) {
    messages.insert(messages.begin(), at);
  }
  return messages;
}

// What arrived, in its order.
class Arrivals {
 public:
  void Add(const Message::Content& content) { all_.push_back(content); }
  // What a word gave.
  void AddChain(Message* newest) {
    for (const Message* message : OldestFirst(newest)) Add(message->content);
  }

  int size() const { return static_cast<int>(all_.size()); }
  bool empty() const { return all_.empty(); }
  const std::vector<Message::Content>& all() const { return all_; }

  // Checks that of `sender` came the messages 1 to `count`, in this order, each
  // once, and no other.
  void CheckAllOf(int sender, int count) const {
    int newest = 0;
    for (const Message::Content& content : all_) {
      if (content.sender != sender) continue;
      schedule::Check(content.number == newest + 1,
                      absl::StrCat("of ", sender, " came ", content.number,
                                   " behind ", newest));
      newest = content.number;
    }
    schedule::Check(newest == count,
                    absl::StrCat("of ", sender, " came ", newest, " messages"));
  }

 private:
  std::vector<Message::Content> all_;
};

}  // namespace troupe::ownership_model

#endif  // TROUPE_BASE_OWNERSHIP_MESSAGE_H_
