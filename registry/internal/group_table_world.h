// A table of groups against a naive one, through random calls: for tests that
// are played by seeds and by bytes.
//
//   Random random(seed);
//   GroupTableWorld world(random);
//   for (int i = 0; i < 100; ++i) {
//     world.Step();
//     world.Check();
//   }
#ifndef TROUPE_REGISTRY_INTERNAL_GROUP_TABLE_WORLD_H_
#define TROUPE_REGISTRY_INTERNAL_GROUP_TABLE_WORLD_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_table.h"

namespace troupe::internal {

// `Choices`: a Random, or what has its members.
template <typename Choices>
class GroupTableWorld {
 public:
  explicit GroupTableWorld(Choices& choices) : choices_(choices) {}

  void Step() {
    switch (choices_.Uniform(11)) {
      case 0:
      case 1:
      case 2:
        return Join();
      case 3:
      case 4:
        return Leave();
      case 5:
        return LeaveAll();
      case 6:
        return Replace();
      case 7:
        return ReplaceOne();
      case 8:
        return Add();
      case 9:
        return Remove();
      default:
        return TakeTurn();
    }
  }

  void Check() {
    std::set<std::string> scopes;
    for (const auto& [name, entries] : model_) {
      scopes.insert(name.scope);
      const auto view = table_.Look(name);
      ASSERT_NE(view, nullptr) << name;
      std::vector<int> members;
      std::vector<int> locals;
      Heard counts;
      for (const Entry& entry : entries) {
        members.push_back(entry.member);
        ++counts[entry.member];
        if (entry.source == kLocalSource) locals.push_back(entry.member);
      }
      EXPECT_EQ(
          std::vector<int>(view->members().begin(), view->members().end()),
          members);
      EXPECT_EQ(std::vector<int>(view->local_members().begin(),
                                 view->local_members().end()),
                locals);
      EXPECT_EQ(heard_[name], counts) << name;
      std::map<GroupSource, size_t> elsewhere;
      for (const Entry& entry : entries) {
        if (entry.source != kLocalSource) ++elsewhere[entry.source];
      }
      std::map<GroupSource, size_t> seen;
      for (const auto& part : view->elsewhere()) seen[part.source] = part.count;
      EXPECT_EQ(seen, elsewhere) << name;
    }
    EXPECT_EQ(heard_.size(), model_.size());
    const std::vector<std::string> listed = table_.ListScopes();
    EXPECT_EQ(std::set<std::string>(listed.begin(), listed.end()), scopes);
    for (int member = 0; member < kMembers; ++member) {
      bool joined = false;
      for (const auto& [name, entries] : model_) {
        for (const Entry& entry : entries) {
          joined |= entry.member == member && entry.source == kLocalSource;
        }
      }
      EXPECT_EQ(table_.Contains(member), joined);
    }
  }

  int64_t changes() const { return changes_; }

 private:
  static constexpr int kMembers = 6;
  static constexpr int kNames = 3;
  static constexpr GroupSource kSources = 3;  // The local one included.

  struct Entry {
    int member;
    GroupSource source;
    uint64_t number;
  };

  // What a reader of the changes knows of a group.
  using Heard = std::map<int, int>;
  using Entries = std::vector<Entry>;

  auto Tell() {
    return [this](const GroupChange<int>& change) {
      ++changes_;
      EXPECT_GT(change.version, version_);
      version_ = change.version;
      EXPECT_FALSE(change.joined.empty() && change.left.empty());
      const GroupName name{std::string(change.group.scope),
                           std::string(change.group.name)};
      Heard& heard = heard_[name];
      for (const int member : change.joined) ++heard[member];
      for (const int member : change.left) {
        if (--heard[member] == 0) heard.erase(member);
      }
      if (heard.empty()) heard_.erase(name);
    };
  }
  GroupName SomeName() {
    return {.scope = choices_.Bernoulli(0.5) ? "" : "s",
            .name = std::string(
                1, static_cast<char>('a' + choices_.Uniform(kNames)))};
  }
  GroupSource SomeSource() {  // No local one.
    return 1 + static_cast<GroupSource>(choices_.Uniform(kSources - 1));
  }
  std::vector<int> SomeMembers() {
    std::vector<int> members(choices_.Uniform(4));
    for (int& member : members) {
      member = static_cast<int>(choices_.Uniform(kMembers));
    }
    return members;
  }
  void Prune(const GroupName& name) {
    if (model_[name].empty()) model_.erase(name);
  }

  void Join() {
    const GroupName name = SomeName();
    const std::vector<int> members = SomeMembers();
    EXPECT_TRUE(table_.Join(name, members, Tell()));
    for (const int member : members) {
      model_[name].push_back({member, kLocalSource, 0});
    }
    Prune(name);
  }
  void Leave() {
    const GroupName name = SomeName();
    const std::vector<int> members = SomeMembers();
    const size_t left = LeaveInModel(name, members, kLocalSource);
    EXPECT_EQ(table_.Leave(name, members, Tell()), left);
  }
  size_t LeaveInModel(const GroupName& name, const std::vector<int>& members,
                      GroupSource source) {
    size_t left = 0;
    Entries& entries = model_[name];
    for (const int member : members) {
      const auto youngest = std::find_if(
          entries.rbegin(), entries.rend(), [&](const Entry& entry) {
            return entry.member == member && entry.source == source;
          });
      if (youngest == entries.rend()) continue;
      entries.erase(std::next(youngest).base());
      ++left;
    }
    Prune(name);
    return left;
  }
  void LeaveAll() {
    const int member = static_cast<int>(choices_.Uniform(kMembers));
    size_t left = 0;
    for (auto it = model_.begin(); it != model_.end();) {
      left += std::erase_if(it->second, [&](const Entry& entry) {
        return entry.member == member && entry.source == kLocalSource;
      });
      it = it->second.empty() ? model_.erase(it) : std::next(it);
    }
    EXPECT_EQ(table_.LeaveAll(member, Tell()), left);
  }
  // Numbers are few, so that much of what is said was said before.
  void Replace() {
    const GroupSource source = SomeSource();
    std::map<GroupName, std::set<std::pair<int, uint64_t>>> wanted;
    std::vector<GroupTable<int>::Said> said;
    for (uint64_t groups = choices_.Uniform(4); groups > 0; --groups) {
      const GroupName name = SomeName();
      if (wanted.contains(name)) continue;
      said.push_back({name, {}});
      for (const int member : SomeMembers()) {
        const uint64_t number = choices_.Uniform(2);
        said.back().members.push_back({member, number});
        wanted[name].insert({member, number});
      }
    }
    for (auto it = model_.begin(); it != model_.end();) {
      std::erase_if(it->second, [&](const Entry& entry) {
        return entry.source == source &&
               !wanted[it->first].contains({entry.member, entry.number});
      });
      it = it->second.empty() ? model_.erase(it) : std::next(it);
    }
    for (const auto& one : said) {
      for (const auto& numbered : one.members) {
        Entries& entries = model_[one.group];
        const bool there = std::any_of(
            entries.begin(), entries.end(), [&](const Entry& entry) {
              return entry.source == source &&
                     entry.member == numbered.member &&
                     entry.number == numbered.number;
            });
        if (!there) {
          entries.push_back({numbered.member, source, numbered.number});
        }
      }
    }
    EXPECT_TRUE(table_.Replace(source, said, Tell()));
  }
  void ReplaceOne() {
    const GroupSource source = SomeSource();
    GroupTable<int>::Said said{SomeName(), {}};
    std::set<std::pair<int, uint64_t>> wanted;
    for (const int member : SomeMembers()) {
      const uint64_t number = choices_.Uniform(2);
      said.members.push_back({member, number});
      wanted.insert({member, number});
    }
    Entries& entries = model_[said.group];
    std::erase_if(entries, [&](const Entry& entry) {
      return entry.source == source &&
             !wanted.contains({entry.member, entry.number});
    });
    for (const Entry& entry : entries) {
      if (entry.source == source) wanted.erase({entry.member, entry.number});
    }
    for (const auto& [member, number] : said.members) {
      if (wanted.erase({member, number}) == 0) continue;
      entries.push_back({member, source, number});
    }
    Prune(said.group);
    EXPECT_TRUE(table_.ReplaceIn(source, said, Tell()));
  }
  void Add() {
    const GroupSource source = SomeSource();
    GroupTable<int>::Said said{SomeName(), {}};
    for (const int member : SomeMembers()) {
      said.members.push_back({member, ++last_number_});
      model_[said.group].push_back({member, source, last_number_});
    }
    Prune(said.group);
    EXPECT_TRUE(table_.Add(source, said, Tell()));
  }
  void Remove() {
    const GroupSource source = SomeSource();
    const GroupName name = SomeName();
    const std::vector<int> members = SomeMembers();
    const size_t left = LeaveInModel(name, members, source);
    EXPECT_EQ(table_.Remove(source, name, members, Tell()), left);
  }
  // As many turns as there are members: each has as many as memberships.
  void TakeTurn() {
    const GroupName name = SomeName();
    if (!model_.contains(name)) {
      EXPECT_EQ(table_.NextInTurn(name), nullptr);
      return;
    }
    Heard turns;
    for (size_t i = 0; i < model_[name].size(); ++i) {
      ++turns[*table_.NextInTurn(name)];
    }
    EXPECT_EQ(turns, heard_[name]);
  }

  Choices& choices_;
  int64_t changes_ = 0;
  GroupTable<int> table_;
  std::map<GroupName, Entries> model_;
  std::map<GroupName, Heard> heard_;
  uint64_t version_ = 0;
  uint64_t last_number_ = 100;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_GROUP_TABLE_WORLD_H_
