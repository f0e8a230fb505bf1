// The input is a program: what it writes is read back; and the input itself is
// read as if an Encoder had written it.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/limits.h"
#include "troupe/tools/fuzz/input.h"

namespace troupe {
namespace {

using Reads = std::vector<std::function<void(Decoder&)>>;

void WriteAndExpect(FuzzInput& input, Encoder& out, Reads& reads, int depth);

// What lies within a length; a reader that knows the first `known` parts of it
// passes over the others.
void WriteSizedAndExpect(FuzzInput& input, Encoder& out, Reads& reads,
                         int depth) {
  auto parts = Reads();
  out.WriteSized([&](Encoder& inner) {
    for (uint64_t left = input.Uniform(8); left > 0; --left) {
      WriteAndExpect(input, inner, parts, depth + 1);
    }
  });
  parts.resize(parts.size() - input.Uniform(parts.size() + 1));
  reads.push_back([parts = std::move(parts)](Decoder& in) {
    in.ReadSized([&parts](Decoder& inner) {
      for (const auto& read : parts) read(inner);
    });
  });
}

void WriteAndExpect(FuzzInput& input, Encoder& out, Reads& reads, int depth) {
  switch (input.Uniform(7)) {
    case 0: {
      const uint8_t byte = input.Byte();
      out.WriteByte(byte);
      reads.push_back([byte](Decoder& in) { EXPECT_EQ(in.ReadByte(), byte); });
      return;
    }
    case 1: {
      const uint64_t number = input.NextUint64() >> input.Uniform(64);
      out.WriteVarint(number);
      reads.push_back(
          [number](Decoder& in) { EXPECT_EQ(in.ReadVarint(), number); });
      return;
    }
    case 2: {
      const int64_t number =
          static_cast<int64_t>(input.NextUint64()) >> input.Uniform(64);
      out.WriteSigned(number);
      reads.push_back(
          [number](Decoder& in) { EXPECT_EQ(in.ReadSigned(), number); });
      return;
    }
    case 3: {
      const auto number = static_cast<uint32_t>(input.NextUint64());
      out.WriteFixed(number);
      reads.push_back([number](Decoder& in) {
        EXPECT_EQ(in.ReadFixed<uint32_t>(), number);
      });
      return;
    }
    case 4: {
      const std::string text(input.Text());
      out.WriteBytes(text);
      reads.push_back([text](Decoder& in) { EXPECT_EQ(in.ReadBytes(), text); });
      return;
    }
    case 5: {
      const std::string list(input.Text());
      out.WriteVarint(list.size());
      out.WriteRaw(list.data(), list.size());
      reads.push_back([list](Decoder& in) {
        std::string read(in.ReadCount(), '\0');
        in.ReadRaw(read.data(), read.size());
        EXPECT_EQ(read, list);
      });
      return;
    }
    default:
      if (depth < kMaxDepth) {
        WriteSizedAndExpect(input, out, reads, depth);
      }
  }
}

void WriteThenRead(FuzzInput&& input) {
  Encoder out;
  Reads reads;
  while (!input.empty()) WriteAndExpect(input, out, reads, 0);
  EXPECT_TRUE(out.ok()) << out.status();
  Decoder in(out.bytes());
  for (const auto& read : reads) {
    read(in);
    EXPECT_TRUE(in.ok()) << in.status();
  }
  EXPECT_TRUE(in.AtEnd());
}

// One read of what may be anything. What has failed stays failed, and gives
// nothing any more.
void ReadOne(FuzzInput& choices, Decoder& in, int depth) {
  const size_t left = in.left();
  const bool was_ok = in.ok();
  uint64_t read = 0;
  switch (choices.Uniform(8)) {
    case 0:
      read = in.ReadByte();
      break;
    case 1:
      read = in.ReadVarint();
      break;
    case 2:
      read = static_cast<uint64_t>(in.ReadSigned());
      break;
    case 3:
      read = in.ReadFixed<uint64_t>();
      break;
    case 4: {
      const absl::string_view bytes = in.ReadBytes();
      read = bytes.size();
      EXPECT_LE(bytes.size(), left);
      // Each of them can be touched.
      for (const char c : bytes) read += static_cast<uint8_t>(c) & 0;
      break;
    }
    case 5:
      read = in.ReadCount();
      EXPECT_LE(read, in.left());
      break;
    case 6:
      in.ReadSized([&](Decoder& inner) {
        EXPECT_LE(inner.left(), left);
        for (uint64_t n = choices.Uniform(8); n > 0; --n) {
          ReadOne(choices, inner, depth + 1);
        }
      });
      break;
    default: {
      const size_t wanted = choices.Uniform(70'000);
      const bool granted = in.TakeMemory(wanted, 1 + choices.Uniform(70'000));
      EXPECT_EQ(granted && was_ok, in.ok());
      break;
    }
  }
  EXPECT_LE(in.left(), left);
  if (!was_ok) {
    EXPECT_FALSE(in.ok());
    EXPECT_EQ(read, 0u);
  }
  if (!in.ok()) {
    EXPECT_EQ(in.left(), 0u);
    EXPECT_EQ(in.status().code(), absl::StatusCode::kDataLoss);
  }
}

void ReadAnything(FuzzInput&& input) {
  const absl::string_view bytes = input.Text();
  Decoder in(bytes);
  while (!input.empty()) ReadOne(input, in, 0);
}

}  // namespace
}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::WriteThenRead(troupe::FuzzInput(data, size));
  troupe::ReadAnything(troupe::FuzzInput(data, size));
  return 0;
}
