#include "troupe/testing/internal/allocation_faults_cases.h"

#include <new>

#include "troupe/actor/call.h"
#include "troupe/actor/call_all.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/sleep.h"
#include "troupe/registry/group_changed.h"

namespace troupe::allocation_faults {
namespace {

std::string Unless(bool holds, std::string wrong) { return holds ? "" : wrong; }
// Refused with a status that says so, or done. Only the frame of what does it
// is refused by a throw.
std::string RefusedOrDone(const World& world) {
  if (!world.began) return "";
  if (world.threw) return "a throw in place of a status";
  return Unless(world.status->ok() || absl::IsResourceExhausted(*world.status),
                world.status->ToString());
}

}  // namespace

std::vector<Case> Cases() {
  std::vector<Case> cases;
  cases.push_back({"Send",
                   [](World& world, Doer&) -> Task<void> {
                     world.other.Send<Note>("x");
                     co_return;
                   },
                   [](World& world) {
                     return Unless(world.notes == (world.threw ? 0 : 1) ||
                                       !world.IsAlive(world.other),
                                   "lost or sent all the same");
                   }});
  cases.push_back({"Call",
                   [](World& world, Doer&) -> Task<void> {
                     world.status = (co_await world.other.Call<Ask>()).status();
                   },
                   [](World& world) {
                     return Unless(world.threw || world.status.has_value(),
                                   "neither answered nor refused");
                   }});
  // On another worker, where what is sent must wake them.
  cases.push_back({"SendBounded",
                   [](World& world, Doer&) -> Task<void> {
                     for (const Other::Ref& each : world.bounded) {
                       each.Send<Note>("x");
                       ++world.done;
                     }
                     co_return;
                   },
                   [](World& world) {
                     std::string wrong =
                         Unless(world.bounded_notes == world.done,
                                "lost or sent all the same");
                     return wrong + Unless(world.NotesOfBounded() == 2,
                                           "never woken again");
                   },
                   {{"the wake of a mailbox", 2}}});
  cases.push_back(
      {"SendWhenReady",
       [](World& world, Doer&) -> Task<void> {
         for (const Other::Ref& each : world.bounded) {
           const absl::Status sent = co_await each.SendWhenReady<Note>("x");
           if (sent.ok()) ++world.done;
         }
       },
       [](World& world) {
         std::string wrong = Unless(world.bounded_notes == world.done,
                                    "lost or sent all the same");
         return wrong +
                Unless(world.NotesOfBounded() == 2, "never woken again");
       },
       {{"the wake of a mailbox", 2}}});
  cases.push_back({"CallBounded",
                   [](World& world, Doer&) -> Task<void> {
                     for (const Other::Ref& each : world.bounded) {
                       world.status = (co_await each.Call<Ask>()).status();
                     }
                   },
                   [](World& world) {
                     return Unless(world.threw || world.status.has_value(),
                                   "neither answered nor refused") +
                            Unless(world.NotesOfBounded() == 2,
                                   "never woken again");
                   },
                   {{"the wake of a mailbox", 2}}});
  // Several calls that are open beside each other.
  cases.push_back({"Start",
                   [](World& world, Doer&) -> Task<void> {
                     StartedCall<Ask> first = world.other.Call<Ask>().Start();
                     StartedCall<Ask> second =
                         world.bounded[0].Call<Ask>().Start();
                     StartedCall<Ask> third =
                         world.bounded[1].Call<Ask>().Start();
                     for (StartedCall<Ask>* call : {&first, &second, &third}) {
                       if ((co_await std::move(*call)).ok()) ++world.done;
                     }
                   },
                   [](World& world) {
                     return Unless(world.threw || world.done == 3,
                                   "neither answered nor refused");
                   },
                   {{"the wake of a mailbox", 2}}});
  cases.push_back({"Forward",
                   [](World& world, Doer&) -> Task<void> {
                     for (const Other::Ref& each : world.bounded) {
                       each.Call<Ask>().Forward<Answer>(world.other);
                       ++world.done;
                     }
                     co_return;
                   },
                   [](World& world) {
                     return Unless(world.notes == world.done ||
                                       !world.IsAlive(world.doer) ||
                                       !world.IsAlive(world.bounded[0]) ||
                                       !world.IsAlive(world.bounded[1]),
                                   "not forwarded once");
                   },
                   {{"the wake of a mailbox", 2}}});
  cases.push_back({"CallAll",
                   [](World& world, Doer&) -> Task<void> {
                     std::vector<Other::Ref> all(world.bounded,
                                                 world.bounded + 2);
                     all.push_back(world.other);
                     const auto outcomes = co_await CallAll<Ask>(all);
                     world.done = static_cast<int>(outcomes.size());
                   },
                   [](World& world) {
                     return Unless(world.threw || world.done == 3,
                                   "neither answered nor refused");
                   },
                   {{"the wake of a mailbox", 2}}});
  cases.push_back({"Ended",
                   [](World& world, Doer&) -> Task<void> {
                     const auto why =
                         co_await Ended(world.other).Within(absl::Seconds(1));
                     world.status = why.status();
                   },
                   [](World& world) {
                     world.KillOther();
                     return Unless(world.threw || world.status.has_value(),
                                   "waits for ever");
                   }});
  cases.push_back({"EndedByStop",
                   [](World& world, Doer&) -> Task<void> {
                     const auto why = co_await Ended(world.other).ByStop();
                     world.status = why.status();
                   },
                   [](World& world) {
                     world.KillOther();
                     return Unless(world.threw || world.status.has_value(),
                                   "waits for ever");
                   },
                   {{"what an actor was sent", 2}}});
  // Beside a call that waits, so that it is not the first.
  cases.push_back({"EndedBesideACall",
                   [](World& world, Doer&) -> Task<void> {
                     StartedCall<Ask> call = world.other.Call<Ask>().Start();
                     const auto why =
                         co_await Ended(world.other).Within(absl::Seconds(1));
                     world.status = why.status();
                     (void)co_await std::move(call);
                   },
                   [](World& world) {
                     world.KillOther();
                     return Unless(world.threw || world.status.has_value(),
                                   "waits for ever");
                   }});
  cases.push_back(
      {"Completion",
       [](World& world, Doer&) -> Task<void> {
         auto [completer, completion] = MakeCompletion<int>();
         const auto late =
             co_await std::move(completion).Within(absl::Seconds(1));
         world.status = late.status();
       },
       [](World& world) {
         return Unless(world.threw || world.status.has_value(),
                       "waits for ever");
       }});
  cases.push_back({"Sleep",
                   [](World& world, Doer&) -> Task<void> {
                     (void)co_await Sleep(absl::Seconds(1));
                     world.status = absl::OkStatus();
                   },
                   [](World& world) {
                     return Unless(world.threw || world.status.has_value(),
                                   "sleeps for ever");
                   }});
  cases.push_back({"Timer",
                   [](World&, Doer& doer) -> Task<void> {
                     doer.SendAfter<Note>(absl::Seconds(1), "x");
                     co_return;
                   },
                   [](World& world) {
                     return Unless(Doer::notes == (world.threw ? 0 : 1),
                                   "not sent once, or after a refusal");
                   }});
  cases.push_back({"Ticker",
                   [](World&, Doer& doer) -> Task<void> {
                     doer.SendEvery<Note>(absl::Seconds(3), "x");
                     co_return;
                   },
                   [](World& world) {
                     return Unless(Doer::notes == (world.threw ? 0 : 6),
                                   "not every tick, or after a refusal");
                   }});
  // As many as let the table of them grow, one of which is refused.
  cases.push_back(
      {"Timers",
       [](World& world, Doer& doer) -> Task<void> {
         for (int i = 0; i < 9; ++i) {
           try {
             if (i % 3 == 0) {
               doer.SendEvery<Token>(absl::Seconds(15));
             } else {
               doer.SendAfter<Token>(absl::Seconds(1));
             }
             ++world.done;
           } catch (const std::bad_alloc&) {
             // The others are started all the same.
           }
         }
         co_return;
       },
       [](World& world) {
         std::string wrong = Unless(Doer::notes == world.done, "not each once");
         world.doer.Kill();
         world.executor->RunUntilIdle();
         return wrong + Unless(Token::living == 0, "a message is left");
       }});
  cases.push_back({"Monitor",
                   [](World& world, Doer& doer) -> Task<void> {
                     (void)doer.Monitor(world.other);
                     co_return;
                   },
                   [](World& world) {
                     const auto again = [&](Doer& doer) -> Task<void> {
                       (void)doer.Monitor(world.other);
                       co_return;
                     };
                     if (world.threw) world.doer.Send<Do>(again);
                     world.executor->RunUntilIdle();
                     world.KillOther();
                     return Unless(Doer::downs == 1,
                                   "not told once, or after a refusal");
                   },
                   {{"a monitor", 2}}});
  cases.push_back({"Link",
                   [](World& world, Doer& doer) -> Task<void> {
                     doer.Link(world.other);
                     co_return;
                   },
                   [](World& world) {
                     world.KillOther();
                     return Unless(Doer::exits == (world.threw ? 0 : 1),
                                   "not told once, or after a refusal");
                   },
                   {{"a link", 2}}});
  // The other side of a link: it ends with its doer.
  cases.push_back({"LinkedSide",
                   [](World& world, Doer& doer) -> Task<void> {
                     doer.Link(world.other);
                     co_return;
                   },
                   [](World& world) {
                     world.doer.Kill();
                     world.executor->RunUntilIdle();
                     return Unless(world.IsAlive(world.other) == world.threw,
                                   "a link of one side");
                   },
                   {{"a link", 2}}});
  cases.push_back({"Unlink",
                   [](World& world, Doer& doer) -> Task<void> {
                     doer.Link(world.other);
                     (void)doer.Unlink(world.other);
                     co_return;
                   },
                   [](World& world) {
                     world.KillOther();
                     return Unless(Doer::exits == 0, "told in spite of it");
                   },
                   {{"a link", 2}, {"the end of a link", 1}}});
  cases.push_back({"Spawn",
                   [](World& world, Doer& doer) -> Task<void> {
                     world.status =
                         doer.Spawn<Other>(std::ref(world.notes)).status();
                     co_return;
                   },
                   &RefusedOrDone});
  cases.push_back(
      {"SpawnNamed",
       [](World& world, Doer& doer) -> Task<void> {
         const SpawnOptions named{.name = "a name"};
         world.status =
             doer.Spawn<Other>(named, std::ref(world.notes)).status();
         co_return;
       },
       [](World& world) {
         const bool spawned = !world.threw && world.status.value().ok();
         return RefusedOrDone(world) +
                Unless(world.names->Find<Note>("a name").ok() == spawned,
                       "a name without an actor, or without it");
       }});
  cases.push_back(
      {"SpawnBounded",
       [](World& world, Doer& doer) -> Task<void> {
         const SpawnOptions bounded{.mailbox = {.messages = 2}};
         world.status =
             doer.Spawn<Other>(bounded, std::ref(world.notes)).status();
         co_return;
       },
       &RefusedOrDone});
  cases.push_back(
      {"SpawnInstant",
       [](World& world, Doer& doer) -> Task<void> {
         world.status =
             doer.SpawnInstant<Other>(std::ref(world.notes)).status();
         co_return;
       },
       &RefusedOrDone});
  cases.push_back(
      {"SpawnAsync",
       [](World& world, Doer& doer) -> Task<void> {
         world.status =
             (co_await doer.SpawnAsync<Other>(std::ref(world.notes))).status();
       },
       [](World& world) {
         // The wait is a coroutine's.
         return world.threw ? "" : RefusedOrDone(world);
       }});
  cases.push_back(
      {"Register",
       [](World& world, Doer&) -> Task<void> {
         world.status = world.names->Register("a name", world.other);
         co_return;
       },
       [](World& world) {
         const bool done = !world.threw && world.status.value().ok();
         return RefusedOrDone(world) +
                Unless(world.names->Find<Note>("a name").ok() == done,
                       "the name does not lead where it should");
       }});
  cases.push_back({"RegisterSeveral",
                   [](World& world, Doer&) -> Task<void> {
                     for (const std::string& name : world.long_names) {
                       world.status = world.names->Register(name, world.other);
                       if (!world.status->ok()) break;
                       ++world.done;
                     }
                     co_return;
                   },
                   [](World& world) {
                     std::string wrong = RefusedOrDone(world);
                     int found = 0;
                     for (const std::string& name : world.long_names) {
                       if (world.names->Find<Note>(name).ok()) ++found;
                     }
                     wrong += Unless(found == world.done,
                                     "not the names that were given");
                     world.KillOther();
                     return wrong + Unless(world.names->ListAll().empty(),
                                           "a name that outlives its owner");
                   }});
  // Who waits for the name is told of it, whatever there is.
  cases.push_back(
      {"RegisterWhatIsAwaited",
       [](World& world, Doer&) -> Task<void> {
         auto wait = world.names->WaitFor<Note>("a name", absl::Hours(1));
         world.status = world.names->Register("a name", world.other);
         if (!world.status->ok()) co_return;
         world.done = (co_await std::move(wait)).ok() ? 1 : 0;
       },
       [](World& world) {
         const bool done = world.status.has_value() && world.status->ok();
         return Unless(world.threw || !done || world.done == 1,
                       "who waits is not told");
       },
       {{"the names", 1}}});
  cases.push_back(
      {"Join",
       [](World& world, Doer&) -> Task<void> {
         world.status = world.groups->Join(Group<Note>("g"), world.other);
         co_return;
       },
       [](World& world) {
         const bool done = !world.threw && world.status.value().ok();
         return RefusedOrDone(world) +
                Unless(world.groups->ListGroups().size() == (done ? 1u : 0u),
                       "a group without members") +
                Unless(world.groups->Send<Note>(Group<Note>("g"), "x") ==
                           (done ? 1u : 0u),
                       "not a member as it should be");
       }});
  cases.push_back(
      {"JoinSeveral",
       [](World& world, Doer&) -> Task<void> {
         for (int i = 0; i < 2; ++i) {
           world.status = world.groups->Join(Group<Note>("g"), world.several);
           if (!world.status->ok()) break;
           ++world.done;
         }
         co_return;
       },
       [](World& world) {
         std::string wrong = RefusedOrDone(world);
         wrong += Unless(world.groups->Members(Group<Note>("g"))->size() ==
                             static_cast<size_t>(40 * world.done),
                         "some have joined, and some have not");
         world.KillOther();
         return wrong + Unless(world.groups->ListGroups().empty(),
                               "a membership that outlives its member");
       }});
  // Who is told of members is told of all.
  cases.push_back(
      {"JoinWhatIsWatched",
       [](World& world, Doer&) -> Task<void> {
         world.events = world.system->Subscribe<GroupChanged>(
             [&world](const GroupChanged& change) {
               world.done += static_cast<int>(change.joined.size());
             });
         world.status = world.groups->Join(Group<Note>("g"), world.other);
         co_return;
       },
       [](World& world) {
         const bool done = world.status.has_value() && world.status->ok();
         world.events = Subscription();
         return Unless(world.done == (done ? 1 : 0),
                       "told of what has not happened, or not told");
       },
       {{"the groups", 8}}});
  cases.push_back(
      {"Move",
       [](World& world, Doer&) -> Task<void> {
         world.status = world.names->Register("a name", world.other);
         if (!world.status->ok()) co_return;
         ++world.done;
         world.status =
             world.names->Move("a name", world.other, world.bounded[0]);
         if (world.status->ok()) ++world.done;
       },
       [](World& world) {
         const auto owner = world.names->Find<Note>("a name");
         return RefusedOrDone(world) +
                Unless(owner.ok() == (world.done > 0) &&
                           (world.done == 0 ||
                            *owner == (world.done == 1 ? world.other
                                                       : world.bounded[0])),
                       "the name does not lead where it should");
       }});
  cases.push_back({"SendToGroup",
                   [](World& world, Doer&) -> Task<void> {
                     (void)world.groups->Join(Group<Note>("g"), world.other);
                     world.groups->Send<Note>(Group<Note>("g"), "x");
                     co_return;
                   },
                   [](World& world) {
                     return Unless(world.notes <= 1, "more than was sent");
                   },
                   {{"what an actor was sent", 1}}});
  // All of them get what one has got.
  cases.push_back(
      {"SendToGroupOfTwo",
       [](World& world, Doer&) -> Task<void> {
         for (const ActorRef<Note>& member :
              {ActorRef<Note>(world.other), ActorRef<Note>(world.doer)}) {
           (void)world.groups->Join(Group<Note>("g"), member);
         }
         world.done =
             static_cast<int>(world.groups->Members(Group<Note>("g"))->size());
         world.groups->Send<Note>(Group<Note>("g"), "x");
         co_return;
       },
       [](World& world) {
         return Unless(world.done < 2 || world.notes == Doer::notes,
                       "one has got it, and one has not");
       },
       {{"a message to a group", 1}, {"what an actor was sent", 2}}});
  cases.push_back({"PublishToTwo",
                   [](World& world, Doer&) -> Task<void> {
                     world.subscription = world.port.Subscribe(world.other);
                     world.port.Subscribe(world.doer).Detach();
                     ++world.done;
                     world.port.Publish("x");
                     co_return;
                   },
                   [](World& world) {
                     return Unless(
                         world.done == 0 || world.notes == Doer::notes,
                         "one has got it, and one has not");
                   },
                   {{"the end of a subscriber", 4},
                    {"what a port has published", 1},
                    {"what an actor was sent", 4}}});
  cases.push_back(
      {"Publish",
       [](World& world, Doer&) -> Task<void> {
         world.subscription = world.port.Subscribe(world.other);
         world.port.Publish("x");
         co_return;
       },
       [](World& world) {
         return Unless(world.notes <= 1, "more than was sent");
       },
       {{"the end of a subscriber", 2}, {"what an actor was sent", 2}}});
  return cases;
}

}  // namespace troupe::allocation_faults
