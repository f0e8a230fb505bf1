// MailWord under every schedule, alone: who uses it is played by a few lines.
// Docs: docs/design/hot_path.md, section 10.
#include <atomic>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/base/ownership.h"
#include "troupe/base/ownership_message.h"
#include "troupe/base/ownership_mutants.h"
#include "troupe/testing/schedule/explore.h"
#include "troupe/testing/schedule/options.h"
#include "troupe/testing/schedule/scheduled_atomics.h"

namespace troupe::ownership_model {
namespace {

using schedule::Check;
using schedule::Execution;
using schedule::Operation;
using schedule::PauseOrEnd;
using schedule::ScheduledAtomics;
using schedule::ScheduledCell;

using Word = MailWord<Message, ScheduledAtomics>;
using Kind = Word::Kind;
using Flag = ScheduledAtomics::Atomic<int>;

// The word, and what belongs to its owner and to the holder of its token.
struct Mail {
  enum class Holder : uint8_t { kWord, kOwner, kStranger };

  explicit Mail(Execution& run) { run.Label(word, kMailLabel); }

  // The token goes from the word to the stranger that pushed.
  void TakeToken() {
    Check(token == Holder::kWord, "a second wake token");
    token = Holder::kStranger;
  }
  // And from there to the owner, as through its WorkerWord.
  void PassToken() { wake.store(1, std::memory_order_release); }
  bool ReceiveToken() {
    if (wake.exchange(0, std::memory_order_acquire) == 0) return false;
    Check(token == Holder::kStranger, "a wake without a token");
    token = Holder::kOwner;
    return true;
  }
  // Waits for the token. False: it does not come any more.
  bool AwaitToken() {
    while (!ReceiveToken()) {
      if (!PauseOrEnd()) return false;
    }
    return true;
  }

  // Pushes to whichever incarnation there is. Returns whether it was taken.
  bool Push(Message& message, Message::Content content,
            Kind kind = Kind::kMessage) {
    message.content = content;
    const PushResult result = word.Push(word.Load(), &message, &message, kind);
    if (result == PushResult::kMustWake) {
      TakeToken();
      PassToken();
    }
    return result != PushResult::kClosed;
  }

  Word word;
  ScheduledCell<Holder> token{Holder::kOwner};
  Flag wake{0};
};

// Two senders, one of which pushes both its messages at once.
void PushAgainstTake(Execution& run) {
  Mail mail(run);
  mail.word.Open(false);
  Message first[2];
  Message second[2];
  Arrivals arrivals;
  run.Spawn("one by one", [&] {
    for (int i = 0; i < 2; ++i)
      mail.Push(first[i], {.sender = 1, .number = i + 1});
  });
  run.Spawn("both at once", [&] {
    for (int i = 0; i < 2; ++i)
      second[i].content = {.sender = 2, .number = i + 1};
    second[1].next = &second[0];
    Check(mail.word.Push(mail.word.Load(), &second[1], &second[0]) ==
              PushResult::kEnqueued,
          "the owner has the token");
  });
  run.Spawn("owner", [&] {
    do {
      arrivals.AddChain(mail.word.Take());
    } while (PauseOrEnd());
  });
  run.Join();
  arrivals.CheckAllOf(1, 2);
  arrivals.CheckAllOf(2, 2);
}

// The owner goes idle whenever it finds nothing, and looks only when it is
// woken. What it leaves in the object is read by who gets the token.
void GoIdleAgainstPush(Execution& run) {
  Mail mail(run);
  mail.word.Open(false);
  Message messages[3];
  Arrivals arrivals;
  run.Spawn("two", [&] {
    mail.Push(messages[0], {.sender = 1, .number = 1});
    mail.Push(messages[1], {.sender = 1, .number = 2});
  });
  run.Spawn("one", [&] { mail.Push(messages[2], {.sender = 2, .number = 1}); });
  run.Spawn("owner", [&] {
    do {
      while (true) {
        arrivals.AddChain(mail.word.Take());
        mail.token = Mail::Holder::kWord;
        if (mail.word.Arm()) break;
        mail.token = Mail::Holder::kOwner;
      }
    } while (mail.AwaitToken());
  });
  run.Join();
  arrivals.CheckAllOf(1, 2);
  arrivals.CheckAllOf(2, 1);
  Check(mail.token == Mail::Holder::kWord, "the wake token is lost");
}

// The owner of an idle object would like to give it away.
void DisarmAgainstPush(Execution& run) {
  Mail mail(run);
  mail.token = Mail::Holder::kWord;
  mail.word.Open(true);
  Message messages[2];
  bool given = false;
  for (int i = 0; i < 2; ++i) {
    run.Spawn("sender", [&, i] {
      mail.Push(messages[i], {.sender = i + 1, .number = 1});
    });
  }
  run.Spawn("owner", [&] {
    given = mail.word.Disarm();
    if (given) {
      Check(mail.token == Mail::Holder::kWord, "a second wake token");
      mail.token = Mail::Holder::kOwner;
    } else {
      Check(mail.AwaitToken(), "nobody has the wake token");
    }
  });
  run.Join();
  Check(mail.token == Mail::Holder::kOwner, "the wake token is lost");
  Arrivals arrivals;
  arrivals.AddChain(mail.word.Take());
  for (int sender : {1, 2}) arrivals.CheckAllOf(sender, 1);
}

// The owner shuts the word. What is in it then is all that ever comes.
void ShutAgainstPush(Execution& run) {
  Mail mail(run);
  mail.word.Open(false);
  Message messages[2];
  Message signal;
  bool taken[2] = {};
  int arrived = 0;
  Arrivals after;
  for (int i = 0; i < 2; ++i) {
    run.Spawn("sender", [&, i] {
      taken[i] = mail.Push(messages[i], {.sender = i + 1, .number = 1});
    });
  }
  run.Spawn("signaller", [&] {
    Check(mail.Push(signal, {.sender = 3, .number = 1, .is_signal = true},
                    Kind::kSignal),
          "a living object refused a signal");
  });
  run.Spawn("owner", [&] {
    mail.word.Shut();
    Arrivals before;
    before.AddChain(mail.word.Take());
    for (const auto& content : before.all())
      arrived += content.is_signal ? 0 : 1;
    do {
      after.AddChain(mail.word.Take());
    } while (PauseOrEnd());
  });
  run.Join();
  for (const auto& content : after.all()) {
    Check(content.is_signal, "a message came after the word was shut");
  }
  Check(arrived == taken[0] + taken[1], "a message was lost");
}

// A stranger shuts the word with what it pushes; the owner opens it again.
void CloseAgainstPushAndReopen(Execution& run) {
  Mail mail(run);
  mail.word.Open(false);
  Message messages[3];
  Message closing;
  int taken = 0;
  Arrivals arrivals;
  run.Spawn("sender", [&] {
    for (int i = 0; i < 2; ++i) {
      taken += mail.Push(messages[i], {.sender = 1, .number = i + 1}) ? 1 : 0;
    }
  });
  run.Spawn("closer", [&] {
    Check(mail.Push(closing, {.is_signal = true}, Kind::kClosing),
          "it was refused");
    // Nobody but the owner reopens.
  });
  run.Spawn("owner", [&] {
    bool reopened = false;
    do {
      const std::vector<Message*> chain = OldestFirst(mail.word.Take());
      for (const Message* message : chain) {
        if (message->content.Read().is_signal) {
          Check(message == chain.back(), "a message behind the closing one");
          mail.word.Reopen();
          reopened = true;
        } else {
          arrivals.Add(message->content);
        }
      }
    } while (PauseOrEnd());
    Check(reopened, "a signal was lost");
  });
  run.Join();
  Check(arrivals.size() == taken, "a message was lost");
  Check(mail.Push(messages[2], {.sender = 2}), "it is open again");
}

// An object that is idle ends, and its memory goes to another use once the
// token is in hand.
void DieAgainstPush(Execution& run, bool awaits_token) {
  Mail mail(run);
  mail.token = Mail::Holder::kWord;
  mail.word.Open(true);
  Message messages[3];
  bool taken[3] = {};
  Arrivals arrivals;
  for (int i = 0; i < 2; ++i) {
    run.Spawn("sender", [&, i] {
      taken[i] = mail.Push(messages[i], {.sender = i + 1, .number = 1});
    });
  }
  run.Spawn("signaller", [&] {
    taken[2] =
        mail.Push(messages[2], {.sender = 3, .number = 1, .is_signal = true},
                  Kind::kSignal);
  });
  run.Spawn("owner", [&] {
    arrivals.AddChain(mail.word.Take());
    const Word::Remains remains = mail.word.Die();
    arrivals.AddChain(remains.chain);
    if (!remains.token_inside && awaits_token) {
      Check(mail.AwaitToken(), "nobody has the wake token");
    }
    // Another use of the memory: nobody may look at it any more.
    mail.token = Mail::Holder::kOwner;
  });
  run.Join();
  for (int i = 0; i < 3; ++i) arrivals.CheckAllOf(i + 1, taken[i] ? 1 : 0);
}

// The memory of an object serves another one while somebody still sends to the
// first.
void ReuseAgainstLatePush(Execution& run) {
  Mail mail(run);
  ScheduledAtomics::Atomic<int> id(1);
  mail.word.Open(false);
  Message late;
  Message signal;
  Arrivals arrivals[3];
  const auto push_to_first = [&](Message& message, Kind kind) {
    message.content = {.sender = 1, .number = 1};
    const Word::Reading reading = mail.word.Load();
    if (id.load(std::memory_order_relaxed) != 1) return;
    (void)mail.word.Push(reading, &message, &message, kind);
  };
  run.Spawn("late", [&] { push_to_first(late, Kind::kMessage); });
  run.Spawn("signaller", [&] { push_to_first(signal, Kind::kSignal); });
  run.Spawn("owner", [&] {
    arrivals[1].AddChain(mail.word.Die().chain);
    id.store(2, std::memory_order_relaxed);
    mail.word.Open(false);
    do {
      arrivals[2].AddChain(mail.word.Take());
    } while (PauseOrEnd());
  });
  run.Join();
  Check(arrivals[2].empty(), "a message for another object");
}

// The memory of an object is given back to the system before it serves another
// one, with `generation`, while somebody still sends to the first.
void RestartAgainstLatePush(Execution& run, uint64_t generation) {
  Mail mail(run);
  ScheduledAtomics::Atomic<int> id(1);
  mail.word.Open(false);
  Message late[2];
  Arrivals arrivals[3];
  for (Message& message : late) {
    run.Spawn("late", [&] {
      message.content = {.sender = 1, .number = 1};
      const Word::Reading reading = mail.word.Load();
      if (id.load(std::memory_order_relaxed) != 1) return;
      (void)mail.word.Push(reading, &message, &message);
    });
  }
  run.Spawn("owner", [&] {
    arrivals[1].AddChain(mail.word.Die().chain);
    // What the system does, as if it did it by itself.
    mail.word.Restart(0);
    mail.word.Restart(generation);
    id.store(2, std::memory_order_relaxed);
    mail.word.Open(false);
    do {
      arrivals[2].AddChain(mail.word.Take());
    } while (PauseOrEnd());
  });
  run.Join();
  Check(arrivals[2].empty(), "a message for another object");
}

// Who finds an object dead sees what its owner did, however it finds out, and
// although the memory has a new word or serves another by then.
void DeathTellsWhatTheOwnerDid(Execution& run) {
  Mail mail(run);
  mail.word.Open(false);
  ScheduledCell<int> done(0);
  run.Label(done, "what the owner did");
  Flag pool(0);
  Message message;
  const Word::Reading alive = mail.word.Load();
  const auto ended = [alive](Word::Reading now) {
    return Word::GenerationOf(now) != Word::GenerationOf(alive);
  };
  run.Spawn("owner", [&] {
    done = 1;
    (void)mail.word.Die();
    pool.store(1, std::memory_order_release);
  });
  run.Spawn("next owner", [&] {
    if (pool.load(std::memory_order_acquire) == 0) return;
    mail.word.Restart(Word::GenerationOf(alive) + 2);
    mail.word.Open(false);
  });
  run.Spawn("waiter", [&] {
    if (ended(mail.word.Load())) Check(done == 1, "not what it did last");
  });
  run.Spawn("sender", [&] {
    if (mail.word.Push(alive, &message, &message) == PushResult::kClosed) {
      Check(done == 1, "not what it did last");
    }
  });
  run.Join();
}

std::vector<Harness> Harnesses() {
  return {
      {"push/take", PushAgainstTake},
      {"go-idle/push", GoIdleAgainstPush, {{3, 1}, {2, 2}}},
      {"disarm/push", DisarmAgainstPush},
      {"shut/push", ShutAgainstPush},
      {"close/push/reopen", CloseAgainstPushAndReopen},
      {"die/push",
       [](Execution& run) { DieAgainstPush(run, true); },
       {{3, 1}, {2, 2}}},
      {"reuse/late-push", ReuseAgainstLatePush},
      {"restart/late-push",
       [](Execution& run) { RestartAgainstLatePush(run, 1); }},
      {"death-tells", DeathTellsWhatTheOwnerDid},
  };
}

TEST(MailModelTest, HoldsUnderEverySchedule) { ExpectAllHold(Harnesses()); }

TEST(MailModelTest, NeedsEachOfItsOrderings) {
  ExpectEachOrderingIsNeeded(Harnesses(), kMailLabel,
                             {
                                 {"IDENTIFY relaxed", "reuse/late-push"},
                                 {"IDENTIFY relaxed", "death-tells"},
                                 {"PUBLISH acquire", "push/take"},
                                 {"PUBLISH acquire", "die/push"},
                                 {"PUBLISH release", "go-idle/push"},
                                 {"PUBLISH relaxed on failure", "death-tells"},
                                 {"OPEN relaxed", "reuse/late-push"},
                                 {"RESTART relaxed", "death-tells"},
                                 {"TAKE relaxed", "push/take"},
                                 {"ARM relaxed", "go-idle/push"},
                                 {"DIE acquire", "death-tells"},
                                 {"DIE release", "die/push"},
                             });
}

TEST(MailModelTest, NeedsEachStepOfItsProtocol) {
  const auto in_mail = [](Mutation mutation) {
    return [mutation](Operation& operation) {
      if (operation.label == kMailLabel) mutation(operation);
    };
  };
  const auto is_push = [](const Operation& operation) {
    return operation.kind == Operation::Kind::kCompareExchangeWeak &&
           operation.order == std::memory_order_acq_rel;
  };
  ExpectFound("ARM by a store", {"go-idle/push", GoIdleAgainstPush},
              in_mail([](Operation& operation) {
                if (operation.order == std::memory_order_release &&
                    operation.kind == Operation::Kind::kCompareExchangeWeak) {
                  operation.kind = Operation::Kind::kStore;
                }
              }));
  ExpectFound("PUBLISH leaves the token", {"go-idle/push", GoIdleAgainstPush},
              in_mail([is_push](Operation& operation) {
                if (is_push(operation)) {
                  operation.operand |= operation.expected & Word::kIdle;
                }
              }));
  ExpectFound("disarming by a store", {"disarm/push", DisarmAgainstPush},
              in_mail([](Operation& operation) {
                if (operation.kind == Operation::Kind::kCompareExchangeWeak &&
                    operation.order == std::memory_order_relaxed) {
                  operation.kind = Operation::Kind::kStore;
                }
              }));
  ExpectFound("a shut word takes messages", {"shut/push", ShutAgainstPush},
              in_mail([](Operation& operation) {
                operation.skip |= operation.kind == Operation::Kind::kFetchOr;
              }));
  ExpectFound(
      "closing shuts in a second step",
      {"close/push/reopen", CloseAgainstPushAndReopen},
      in_mail([is_push](Operation& operation) {
        if (is_push(operation) && (operation.expected & Word::kShut) == 0) {
          operation.operand &= ~Word::kShut;
        }
      }));
  ExpectFound("reopening does nothing",
              {"close/push/reopen", CloseAgainstPushAndReopen},
              in_mail([](Operation& operation) {
                operation.skip |= operation.kind == Operation::Kind::kFetchAnd;
              }));
  ExpectFound("no generation", {"reuse/late-push", ReuseAgainstLatePush},
              in_mail([](Operation& operation) {
                if (operation.kind == Operation::Kind::kExchange) {
                  operation.operand = 0;
                }
              }));
  ExpectFound("a generation that was there before",
              {"restart/late-push",
               [](Execution& run) { RestartAgainstLatePush(run, 0); }});
  ExpectFound("death by a store",
              {"die/push", [](Execution& run) { DieAgainstPush(run, true); }},
              in_mail([](Operation& operation) {
                if (operation.kind == Operation::Kind::kExchange) {
                  operation.kind = Operation::Kind::kStore;
                }
              }));
  ExpectFound("memory is given back without the token",
              {"die/push", [](Execution& run) { DieAgainstPush(run, false); }});
}

}  // namespace
}  // namespace troupe::ownership_model
