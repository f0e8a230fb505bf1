#include "troupe/testing/trace.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace troupe::testing {
namespace {

// As in the query of a URL.
std::string Encode(absl::string_view name) {
  std::string encoded;
  for (const char c : name) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
        c == '_' || c == '.') {
      encoded += c;
    } else if (c == ' ') {
      encoded += '+';
    } else {
      absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

// Empty: Encode() gives no such text.
std::string Decode(absl::string_view encoded) {
  std::string name;
  for (size_t i = 0; i < encoded.size(); ++i) {
    uint32_t code = static_cast<unsigned char>(encoded[i]);
    if (code == '+') {
      code = ' ';
    } else if (code == '%') {
      if (!absl::SimpleHexAtoi(encoded.substr(i + 1, 2), &code)) return "";
      i += 2;
    }
    name += static_cast<char>(code);
  }
  return Encode(name) == encoded ? name : "";
}

// Digits alone: not what else a number may be written as.
template <typename Number>
bool ParseNumber(absl::string_view text, Number& number) {
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return false;
  }
  return absl::SimpleAtoi(text, &number);
}

std::optional<Trace::Fault> ParseFault(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('@', 1));
  const std::pair<absl::string_view, absl::string_view> numbers =
      absl::StrSplit(parts.second, absl::MaxSplits(':', 1));
  Trace::Fault fault{Decode(parts.first)};
  if (fault.name.empty() || !ParseNumber(numbers.first, fault.occasion)) {
    return std::nullopt;
  }
  const bool has_amount = numbers.first.size() != parts.second.size();
  if (has_amount &&
      (!ParseNumber(numbers.second, fault.amount) || fault.amount == 0)) {
    return std::nullopt;
  }
  return fault;
}

std::optional<Trace::Choice> ParseChoice(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  Trace::Choice choice;
  if (!ParseNumber(parts.first, choice.number) ||
      !ParseNumber(parts.second, choice.taken) || choice.taken == 0) {
    return std::nullopt;
  }
  return choice;
}

absl::Status Malformed(absl::string_view text, absl::string_view part) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", part, "' in the trace '", text, "'"));
}

}  // namespace

std::string Trace::Choice::ToString() const {
  using Kind = DeterministicExecutor::Choice;
  if (alternatives == 0) return absl::StrCat("choice ", number, ": ", taken);
  const auto what = [this]() -> std::string {
    switch (kind) {
      case Kind::kPlayer:
        return absl::StrCat("number ", taken, " of ", alternatives,
                            " systems or networks plays, not number 0");
      case Kind::kWorker:
        return absl::StrCat("number ", taken, " of ", alternatives,
                            " workers plays, not number 0");
      case Kind::kRunnable:
        return absl::StrCat("number ", taken, " of ", alternatives,
                            " ready actors runs, not number 0");
      case Kind::kHandOver:
        return "the actor is to go to another worker";
      case Kind::kReceiver:
        return absl::StrCat("it goes to number ", taken, " of ", alternatives,
                            " others, not to number 0");
      case Kind::kLoseSeat:
        return "the actor's turn loses its worker";
      case Kind::kMeanwhile:
        return absl::StrCat("up to ", taken, " steps of others meanwhile");
      case Kind::kTakeBack:
        return "the actor's thread drives the worker again";
      case Kind::kInject:
        return absl::StrCat("a new actor goes to number ", taken, " of ",
                            alternatives, " workers, not to number 0");
    }
    return "";
  };
  return absl::StrCat("step ", step, ": ", what());
}

std::string Trace::ToString() const {
  const auto append_fault = [](std::string* out, const Fault& fault) {
    absl::StrAppend(out, Encode(fault.name), "@", fault.occasion);
    if (fault.amount != 0) absl::StrAppend(out, ":", fault.amount);
  };
  const auto append_choice = [](std::string* out, const Choice& choice) {
    absl::StrAppend(out, choice.number, ":", choice.taken);
  };
  return absl::StrCat(absl::StrJoin(faults, ",", append_fault), "/",
                      absl::StrJoin(choices, ",", append_choice));
}

absl::StatusOr<Trace> Trace::Parse(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('/', 1));
  if (parts.first.size() == text.size()) return Malformed(text, text);
  Trace trace;
  if (!parts.first.empty()) {
    for (const absl::string_view part : absl::StrSplit(parts.first, ',')) {
      std::optional<Fault> fault = ParseFault(part);
      if (!fault.has_value()) return Malformed(text, part);
      trace.faults.push_back(*std::move(fault));
    }
  }
  if (!parts.second.empty()) {
    for (const absl::string_view part : absl::StrSplit(parts.second, ',')) {
      const std::optional<Choice> choice = ParseChoice(part);
      if (!choice.has_value() ||
          (!trace.choices.empty() &&
           trace.choices.back().number >= choice->number)) {
        return Malformed(text, part);
      }
      trace.choices.push_back(*choice);
    }
  }
  return trace;
}

}  // namespace troupe::testing
