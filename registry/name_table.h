// A NameTable leads from keys to values, and gives each key to one value at a
// time. A value owns its keys: only by it are they given back, one by one or
// all at once. It knows no actor.
//
//   NameTable<std::string, Connection> table;
//   if (std::optional<Connection> other = table.Insert("db", mine)) {
//     return Taken(*other);
//   }
//   std::optional<Connection> found = table.Find(absl::string_view("db"));
//   table.EraseAll(mine);
//
// Keys and values are copied, and moved without throwing. Both have absl's hash
// and ==, keys an order, too. A key that is a string is looked up by a
// string_view.
//
// Order: listings are sorted by key.
// Blocking: for the time of another thread's step. Lookups write to nothing
// that another processor reads (internal/striped_mutex.h), and do not meet
// unless one key is written at the time.
// Thread safety: any thread. Changes come one after the other.
// Errors: what throws while something is inserted or replaced, a copy or a lack
// of memory, changes nothing.
#ifndef TROUPE_REGISTRY_NAME_TABLE_H_
#define TROUPE_REGISTRY_NAME_TABLE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/synchronization/mutex.h"
#include "troupe/registry/internal/make_room.h"
#include "troupe/registry/internal/striped_mutex.h"

namespace troupe {

template <typename Key, typename Value>
class NameTable {
  static_assert(std::is_nothrow_move_constructible_v<Key> &&
                    std::is_nothrow_move_assignable_v<Key> &&
                    std::is_nothrow_move_constructible_v<Value> &&
                    std::is_nothrow_move_assignable_v<Value>,
                "keys and values are moved without throwing");

 public:
  using Entry = std::pair<Key, Value>;

  NameTable() = default;
  NameTable(const NameTable&) = delete;
  NameTable& operator=(const NameTable&) = delete;

  // What `key` leads to.
  template <typename K>
  std::optional<Value> Find(const K& key) const {
    const Hashed<K> hashed(key);
    const Shard& shard = ShardOf(hashed.hash);
    const internal::StripedReaderLock lock(shard.mu);
    const auto found = shard.values.find(hashed);
    if (found == shard.values.end()) return std::nullopt;
    return found->second;
  }

  // Has `key` lead to `value`, if it leads nowhere. Otherwise returns what it
  // leads to, and nothing is changed.
  [[nodiscard]] std::optional<Value> Insert(const Key& key, const Value& value)
      ABSL_LOCKS_EXCLUDED(write_mu_) {
    absl::MutexLock lock(&write_mu_);
    if (std::optional<Value> present = Find(key)) return present;
    // What may throw comes first: absl's tables do not expect it.
    Key owned(key), looked_up(key);
    Value owner(value), found(value);
    Shard& shard = ShardOf(Hashed<Key>(key).hash);
    internal::MakeRoom(owners_, 1);
    {
      const internal::StripedWriterLock shard_lock(shard.mu);
      internal::MakeRoom(shard.values, 1);
    }
    // A first key has its place in the entry.
    owners_[std::move(owner)].push_back(std::move(owned));
    const internal::StripedWriterLock shard_lock(shard.mu);
    shard.values.emplace(std::move(looked_up), std::move(found));
    return std::nullopt;
  }

  // Has `key` lead to `to` instead of `from`, in one step. False: it does not
  // lead to `from`.
  template <typename K>
  bool Replace(const K& key, const Value& from, const Value& to)
      ABSL_LOCKS_EXCLUDED(write_mu_) {
    absl::MutexLock lock(&write_mu_);
    if (std::optional<Value> now = Find(key); !now || !(*now == from)) {
      return false;
    }
    if (from == to) return true;
    Key owned(key);
    Value owner(to), found(to);
    internal::MakeRoom(owners_, 1);
    owners_[std::move(owner)].push_back(std::move(owned));
    Disown(from, key);
    const Hashed<K> hashed(key);
    Shard& shard = ShardOf(hashed.hash);
    const internal::StripedWriterLock shard_lock(shard.mu);
    shard.values.find(hashed)->second = std::move(found);
    return true;
  }

  // Takes `key` from `value`. False: it does not lead there.
  template <typename K>
  bool Erase(const K& key, const Value& value) ABSL_LOCKS_EXCLUDED(write_mu_) {
    absl::MutexLock lock(&write_mu_);
    if (std::optional<Value> now = Find(key); !now || !(*now == value)) {
      return false;
    }
    EraseFromShard(key);
    Disown(value, key);
    return true;
  }

  // Takes all its keys from `value`; returns them.
  std::vector<Key> EraseAll(const Value& value) ABSL_LOCKS_EXCLUDED(write_mu_) {
    absl::MutexLock lock(&write_mu_);
    const auto owned = owners_.find(value);
    if (owned == owners_.end()) return {};
    std::vector<Key> keys(owned->second.begin(), owned->second.end());
    for (const Key& key : keys) EraseFromShard(key);
    owners_.erase(owned);
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  // The keys of `value`.
  std::vector<Key> KeysOf(const Value& value) const
      ABSL_LOCKS_EXCLUDED(write_mu_) {
    absl::MutexLock lock(&write_mu_);
    const auto owned = owners_.find(value);
    if (owned == owners_.end()) return {};
    std::vector<Key> keys(owned->second.begin(), owned->second.end());
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  // The keys for which `matches(key)`, with what they lead to, all at one time.
  template <typename F>
  std::vector<Entry> List(F&& matches) const ABSL_LOCKS_EXCLUDED(write_mu_) {
    std::vector<Entry> entries;
    {
      absl::MutexLock lock(&write_mu_);
      for (const Shard& shard : shards_) {
        const internal::StripedReaderLock shard_lock(shard.mu);
        for (const auto& [key, value] : shard.values) {
          if (matches(key)) entries.emplace_back(key, value);
        }
      }
    }
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.first < b.first; });
    return entries;
  }
  std::vector<Entry> List() const {
    return List([](const Key&) { return true; });
  }

  size_t size() const ABSL_LOCKS_EXCLUDED(write_mu_) {
    absl::MutexLock lock(&write_mu_);
    size_t size = 0;
    for (const Shard& shard : shards_) {
      const internal::StripedReaderLock shard_lock(shard.mu);
      size += shard.values.size();
    }
    return size;
  }

 private:
  // A key that is looked up, with its hash, which says the shard, too.
  template <typename K>
  struct Hashed {
    explicit Hashed(const K& looked_up)
        : key(looked_up), hash(HashOf(looked_up)) {}
    const K& key;
    const size_t hash;
  };
  using Map = absl::flat_hash_map<Key, Value>;
  template <typename K>
  static size_t HashOf(const K& key) {
    return typename Map::hasher()(key);
  }
  struct Hash {
    using is_transparent = void;
    size_t operator()(const Key& key) const { return HashOf(key); }
    template <typename K>
    size_t operator()(const Hashed<K>& hashed) const {
      return hashed.hash;
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Key& a, const Key& b) const { return a == b; }
    template <typename K>
    bool operator()(const Key& a, const Hashed<K>& b) const {
      return a == b.key;
    }
  };
  using Keys = absl::InlinedVector<Key, 1>;

  struct Shard {
    mutable internal::StripedMutex mu;
    absl::flat_hash_map<Key, Value, Hash, Equal> values ABSL_GUARDED_BY(mu);
  };
  // So that a change holds up few of the lookups.
  static constexpr size_t kShards = 8;

  // By other bits than the shard's own table goes by.
  Shard& ShardOf(size_t hash) { return shards_[ShardIndex(hash)]; }
  const Shard& ShardOf(size_t hash) const { return shards_[ShardIndex(hash)]; }
  static size_t ShardIndex(size_t hash) {
    return hash >> (std::numeric_limits<size_t>::digits - 3);
  }
  static_assert(kShards == 1 << 3);

  template <typename K>
  void EraseFromShard(const K& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_) {
    const Hashed<K> hashed(key);
    Shard& shard = ShardOf(hashed.hash);
    const internal::StripedWriterLock lock(shard.mu);
    shard.values.erase(shard.values.find(hashed));
  }
  template <typename K>
  void Disown(const Value& value, const K& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mu_) {
    const auto owned = owners_.find(value);
    Keys& keys = owned->second;
    keys.erase(std::find_if(keys.begin(), keys.end(),
                            [&](const Key& one) { return one == key; }));
    if (keys.empty()) owners_.erase(owned);
  }

  // Whoever changes something. What is in the shards is changed under this lock
  // and theirs.
  mutable absl::Mutex write_mu_;
  absl::flat_hash_map<Value, Keys> owners_ ABSL_GUARDED_BY(write_mu_);
  std::array<Shard, kShards> shards_;
};

}  // namespace troupe

#endif  // TROUPE_REGISTRY_NAME_TABLE_H_
