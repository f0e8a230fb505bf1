#include "troupe/registry/internal/group_letter.h"

#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/send_result.h"
#include "troupe/base/check.h"

namespace troupe::internal {

size_t SendLetters(const GroupName& group,
                   absl::Span<const MembersElsewhere> elsewhere,
                   const GroupLetterType& type, const SharedBody& body) {
  size_t reached = 0;
  for (const MembersElsewhere& members : elsewhere) {
    FarCell* const node = FarCell::Of(members.first.cell());
    TROUPE_CHECK(node != nullptr, "members elsewhere are of another node");
    Envelope* const letter = MakeEnvelope<GroupLetter>(group, body);
    letter->type = &type;
    letter->tag = kGroupLetterTag;
    const SendResult result = node->Take(/*id=*/0, letter);
    if (IsRefused(result)) {
      BecomeDeadLetter(*members.first.cell(), node->IdOf(0), letter, result);
    } else {
      reached += members.count;
    }
  }
  return reached;
}

}  // namespace troupe::internal
