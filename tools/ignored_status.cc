// Must not compile: drops a Status.

#include "absl/status/status.h"

absl::Status Open();

void Use() { Open(); }
