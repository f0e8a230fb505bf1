#include "troupe/testing/swarm/warden.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/supervision/start_context.h"
#include "troupe/supervision/strategy.h"
#include "troupe/testing/swarm/citizen.h"

namespace troupe::swarm {
namespace {

constexpr int kDeepest = 3;

RestartBackoff SomeBackoff(World& world) {
  RestartBackoff backoff;
  backoff.initial = absl::Microseconds(1) + world.SomeTime();
  backoff.max = backoff.initial + world.SomeTime();
  backoff.factor = 1 + static_cast<double>(world.Uniform(3));
  backoff.jitter = 0.1 * static_cast<double>(world.Uniform(4));
  backoff.reset_after = world.Uniform(2) == 0
                            ? absl::InfiniteDuration()
                            : absl::Microseconds(1) + world.SomeTime();
  return backoff;
}

ChildOptions SomeChildOptions(World& world, std::string id,
                              AutoShutdown auto_shutdown) {
  constexpr Restart kRestarts[] = {kPermanent, kPermanent, kTransient,
                                   kTemporary};
  ChildOptions options{.id = std::move(id),
                       .restart = kRestarts[world.Uniform(4)],
                       .hold_messages = world.Uniform(8)};
  switch (world.Uniform(3)) {
    case 0:
      options.shutdown = Shutdown::Brutal();
      break;
    case 1:
      options.shutdown = Shutdown::Within(world.SomeTime());
      break;
    default:
      break;
  }
  if (world.Uniform(8) < world.features.backoffs()) {
    options.backoff = SomeBackoff(world);
  }
  options.significant = auto_shutdown != kNever &&
                        options.restart != kPermanent && world.Uniform(2) == 0;
  return options;
}

ChildSpec MakeCitizen(World& world, uint32_t supervisor, ChildOptions options,
                      bool added) {
  const uint32_t child = world.restarts.Child(supervisor, options, added);
  const uint64_t kind = world.Uniform(3);
  return ChildSpec::Of(
      std::move(options),
      [&world, supervisor, child,
       kind](StartContext& start) -> absl::StatusOr<CitizenRef> {
        const Number number = world.lives.Conceive(
            world.restarts.instance(supervisor), /*is_supervised=*/true);
        world.restarts.Starts(child, number);
        const SpawnOptions mailbox = SomeOptions(world, number);
        absl::StatusOr<CitizenRef> ref =
            kind == 0   ? start.Spawn<Plain>(mailbox, &world, number)
            : kind == 1 ? start.Spawn<Trapper>(mailbox, &world, number)
                        : start.Spawn<Sluggard>(mailbox, &world, number);
        if (ref.ok()) {
          world.Introduce({*ref, number}, mailbox);
        } else {
          world.lives.SpawnFailed(number);
        }
        return ref;
      });
}

Supervisor::Spec MakeSpec(World& world, uint32_t& supervisor,
                          std::vector<Door>& doors, int depth);

ChildSpec MakeWarden(World& world, uint32_t parent, AutoShutdown auto_shutdown,
                     std::vector<Door>& doors, int depth) {
  uint32_t supervisor = 0;
  auto spec = std::make_shared<Supervisor::Spec>(
      MakeSpec(world, supervisor, doors, depth + 1));
  ChildOptions options =
      SomeChildOptions(world, absl::StrCat(supervisor), auto_shutdown);
  options.kind = kSupervisor;
  const uint32_t child = world.restarts.Child(parent, options, /*added=*/false);
  ChildSpec warden = ChildSpec::Of(
      std::move(options),
      [&world, parent, supervisor, child,
       spec](StartContext& start) -> absl::StatusOr<Warden::Ref> {
        const Number number = world.lives.Conceive(
            world.restarts.instance(parent), /*is_supervised=*/true);
        world.restarts.Starts(child, number);
        return start.Spawn<Warden>(
            &world, number, supervisor, spec,
            absl::StrCat(start.supervisor_path(), "/", start.id()));
      });
  warden.set_children({spec, &spec->children});
  return warden;
}

// `supervisor` is its number.
Supervisor::Spec MakeSpec(World& world, uint32_t& supervisor,
                          std::vector<Door>& doors, int depth) {
  constexpr Strategy kStrategies[] = {kOneForOne, kOneForAll, kRestForOne,
                                      kDynamic};
  constexpr AutoShutdown kShutdowns[] = {kNever, kNever, kAnySignificant,
                                         kAllSignificant};
  Supervisor::Spec spec{
      .strategy = kStrategies[world.Uniform(4)],
      .intensity = {.restarts = static_cast<int>(world.Uniform(6)),
                    .within = absl::Milliseconds(1) + world.SomeTime()},
      .auto_shutdown = kShutdowns[world.Uniform(4)]};
  supervisor = world.restarts.Supervisor(spec.strategy, spec.intensity);
  spec.name = absl::StrCat(supervisor);
  for (uint64_t i = 1 + world.Uniform(4); i > 0; --i) {
    if (depth < kDeepest && world.Uniform(8) < world.features.nested()) {
      spec.children.push_back(
          MakeWarden(world, supervisor, spec.auto_shutdown, doors, depth));
      continue;
    }
    ChildSpec child =
        MakeCitizen(world, supervisor,
                    SomeChildOptions(world, absl::StrCat(supervisor, "-", i),
                                     spec.auto_shutdown),
                    /*added=*/false);
    doors.push_back({world.lives.ConceiveDoor(), child.RefTo<CitizenRef>()});
    spec.children.push_back(std::move(child));
  }
  return spec;
}

}  // namespace

Warden::Warden(World* world, Number number, uint32_t supervisor,
               std::shared_ptr<Spec> spec, std::string path)
    : Supervisor(std::move(spec), std::move(path)),
      world_(*world),
      number_(number),
      supervisor_(supervisor) {
  world_.lives.Constructed(number);
  world_.restarts.Begins(supervisor, number);
}

Warden::~Warden() { world_.lives.Destroyed(number_); }

Task<absl::Status> Warden::PreStart() {
  world_.lives.Register(number_, untyped_self());
  absl::Status status = co_await Supervisor::PreStart();
  world_.lives.PreStarts(number_);
  if (!status.ok()) world_.lives.StartFails(number_);
  co_return status;
}

void Warden::PostStart() {
  world_.lives.PostStarts(number_);
  world_.restarts.Ready(supervisor_);
}

Task<void> Warden::PostStop(const ExitReason& reason) {
  world_.lives.PostStops(number_);
  world_.restarts.Stops(number_, reason.kind());
  return Supervisor::PostStop(reason);
}

void FoundWarden(World& world, std::vector<Door>& doors) {
  uint32_t supervisor = 0;
  auto spec = std::make_shared<Supervisor::Spec>(
      MakeSpec(world, supervisor, doors, /*depth=*/1));
  const Number number = world.lives.Conceive(0, /*is_supervised=*/false);
  // It is known by its children, and by its number in Restarts.
  (void)world.system->SpawnInstant<Warden>(
      &world, number, supervisor, std::move(spec), absl::StrCat(supervisor));
}

ChildSpec MakeAddedChild(World& world, uint32_t supervisor) {
  return MakeCitizen(
      world, supervisor,
      SomeChildOptions(world, absl::StrCat("added", world.restarts.children()),
                       kNever),
      /*added=*/true);
}

SupervisorRef WardenRef(const World& world, uint32_t supervisor) {
  const Number number = world.restarts.instance(supervisor);
  if (number == 0) return {};
  const AnyActorRef& ref = world.lives.ref(number);
  return SupervisorRef(ref.cell(), ref.id().value());
}

}  // namespace troupe::swarm
