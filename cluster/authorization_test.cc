#include "troupe/cluster/authorization.h"

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(AuthorizationTest, DefaultRefusesSpawnKillAndIntrospection) {
  const Authorization authorization;
  for (const Verb verb :
       {Verb::kSend, Verb::kCall, Verb::kWatch, Verb::kStop}) {
    EXPECT_TRUE(authorization.AllowsAll("peer", verb)) << VerbName(verb);
    EXPECT_TRUE(authorization.Allows("peer", verb, "any"));
    EXPECT_TRUE(authorization.Allows("peer", verb, ""));
  }
  for (const Verb verb : {Verb::kKill, Verb::kSpawn, Verb::kIntrospect}) {
    EXPECT_FALSE(authorization.AllowsAll("peer", verb)) << VerbName(verb);
    EXPECT_FALSE(authorization.Allows("peer", verb, "any"));
    EXPECT_FALSE(authorization.Allows("peer", verb, ""));
  }
}

TEST(AuthorizationTest, NothingAndEverythingAreWhatTheySay) {
  const Authorization nothing = Authorization::Nothing();
  const Authorization everything = Authorization::Everything();
  for (int i = 0; i < kVerbCount; ++i) {
    const Verb verb = static_cast<Verb>(i);
    EXPECT_FALSE(nothing.Allows("peer", verb, ""));
    EXPECT_TRUE(everything.AllowsAll("peer", verb));
  }
}

TEST(AuthorizationTest, LastRuleThatFitsDecides) {
  Authorization authorization;
  authorization.Allow("worker", {Verb::kSpawn}, "jobs/")
      .Deny("worker", {Verb::kSpawn}, "jobs/secret")
      .Allow("worker", {Verb::kSpawn}, "jobs/secret/mine");
  EXPECT_TRUE(authorization.Allows("worker", Verb::kSpawn, "jobs/print"));
  EXPECT_FALSE(authorization.Allows("worker", Verb::kSpawn, "job"));
  EXPECT_FALSE(authorization.Allows("worker", Verb::kSpawn, ""));
  EXPECT_FALSE(authorization.Allows("worker", Verb::kSpawn, "jobs/secret"));
  EXPECT_TRUE(authorization.Allows("worker", Verb::kSpawn, "jobs/secret/mine"));
  EXPECT_FALSE(authorization.Allows("peer", Verb::kSpawn, "jobs/print"));
  EXPECT_FALSE(authorization.AllowsAll("worker", Verb::kSpawn));
  authorization.Deny("*", {Verb::kSend}, "vault");
  EXPECT_FALSE(authorization.AllowsAll("peer", Verb::kSend));
  EXPECT_FALSE(authorization.Allows("peer", Verb::kSend, "vault"));
  EXPECT_TRUE(authorization.Allows("peer", Verb::kSend, "other"));
  EXPECT_TRUE(authorization.AllowsAll("peer", Verb::kCall));
  authorization.Allow("*", {Verb::kSend});
  EXPECT_TRUE(authorization.AllowsAll("peer", Verb::kSend));
}

TEST(AuthorizationTest, WhatBeginsSoIsAllowedIfNothingOfItIsRefused) {
  const auto all = [](const Authorization& rules, absl::string_view prefix) {
    return rules.AllowsAll("peer", Verb::kWatch, prefix);
  };
  Authorization authorization;
  EXPECT_TRUE(all(authorization, "group:"));
  authorization.Deny("peer", {Verb::kWatch}, "group:rooms/secret");
  EXPECT_FALSE(all(authorization, ""));
  EXPECT_FALSE(all(authorization, "group:"));
  EXPECT_FALSE(all(authorization, "group:rooms/"));
  EXPECT_FALSE(all(authorization, "group:rooms/secret"));
  EXPECT_FALSE(all(authorization, "group:rooms/secret/more"));
  EXPECT_TRUE(all(authorization, "group:sales/"));
  EXPECT_TRUE(all(authorization, "group:rooms/lobby"));
  // A later rule for all of it, and for some of it.
  authorization.Allow("*", {Verb::kWatch}, "group:rooms/");
  EXPECT_TRUE(all(authorization, "group:rooms/"));
  EXPECT_TRUE(all(authorization, "group:rooms/secret"));
  authorization.Deny("peer", {Verb::kWatch}, "group:rooms/")
      .Allow("peer", {Verb::kWatch}, "group:rooms/lobby");
  EXPECT_FALSE(all(authorization, "group:rooms/"));
  EXPECT_TRUE(all(authorization, "group:rooms/lobby"));
  EXPECT_FALSE(all(Authorization::Nothing(), "group:rooms/"));
}

TEST(AuthorizationTest, RulesOfARoleAreForThatAlone) {
  Authorization authorization;
  authorization.Assign("worker-*", "worker")
      .Allow("worker", {Verb::kSpawn}, "jobs/")
      .Deny("worker", {Verb::kStop});
  const absl::string_view worker = authorization.RoleOf("worker-7");
  EXPECT_TRUE(authorization.Allows(worker, Verb::kSpawn, "jobs/print"));
  EXPECT_FALSE(authorization.Allows(worker, Verb::kStop, "jobs/print"));
  EXPECT_FALSE(authorization.Allows("peer", Verb::kSpawn, "jobs/print"));
  EXPECT_TRUE(authorization.AllowsAll("peer", Verb::kStop));
}

TEST(AuthorizationTest, AllNodesAreAdmittedUntilOneIs) {
  Authorization authorization;
  EXPECT_TRUE(authorization.Admits("any"));
  authorization.Admit("boss").Admit("worker-*");
  EXPECT_TRUE(authorization.Admits("boss"));
  EXPECT_TRUE(authorization.Admits("worker-7"));
  EXPECT_FALSE(authorization.Admits("boss2"));
  EXPECT_FALSE(authorization.Admits("worker"));
  EXPECT_FALSE(authorization.Admits("any"));
}

TEST(AuthorizationTest, AnyUseOfANameIsEnoughToKnowIt) {
  for (const Verb verb :
       {Verb::kSend, Verb::kCall, Verb::kWatch, Verb::kStop, Verb::kKill}) {
    Authorization authorization = Authorization::Nothing();
    authorization.Allow("worker", {verb}, "jobs/");
    EXPECT_TRUE(authorization.AllowsToKnow("worker", "jobs/print"));
    EXPECT_FALSE(authorization.AllowsToKnow("worker", "vault"));
    EXPECT_FALSE(authorization.AllowsToKnow("peer", "jobs/print"));
  }
  Authorization authorization = Authorization::Nothing();
  authorization.Allow("worker", {Verb::kSpawn, Verb::kIntrospect});
  EXPECT_FALSE(authorization.AllowsToKnow("worker", "jobs/print"));
}

TEST(AuthorizationTest, ExactNamesComeBeforeBeginnings) {
  Authorization authorization;
  authorization.Assign("worker-*", "worker")
      .Assign("worker-1", "boss")
      .Assign("worker-1*", "teen")
      .Assign("*", "anybody");
  EXPECT_EQ(authorization.RoleOf("worker-1"), "boss");
  EXPECT_EQ(authorization.RoleOf("worker-12"), "teen");
  EXPECT_EQ(authorization.RoleOf("worker-2"), "worker");
  EXPECT_EQ(authorization.RoleOf("else"), "anybody");
  EXPECT_EQ(Authorization().RoleOf("else"), "peer");
}

}  // namespace
}  // namespace troupe
