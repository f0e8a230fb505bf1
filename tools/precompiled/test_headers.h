// Headers of others that most tests include; g++ reads them once for all.
// A test includes what it uses nevertheless.
#ifndef TROUPE_TOOLS_PRECOMPILED_TEST_HEADERS_H_
#define TROUPE_TOOLS_PRECOMPILED_TEST_HEADERS_H_

// IWYU pragma: begin_exports
#include <algorithm>
#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
// IWYU pragma: end_exports

#endif  // TROUPE_TOOLS_PRECOMPILED_TEST_HEADERS_H_
