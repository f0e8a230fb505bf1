#include "troupe/supervision/supervision_tree.h"

#include "gtest/gtest.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_status.h"

namespace troupe {
namespace {

SupervisionTree Bank() {
  return {.id = "bank",
          .kind = kSupervisor,
          .children = {
              {.id = "account",
               .type_name = "Account",
               .mailbox_messages = 3,
               .restarts = 1},
              {.id = "tellers",
               .kind = kSupervisor,
               .children = {{.type_name = "Teller"},
                            {.type_name = "Teller",
                             .status = ChildStatus::kWaiting,
                             .restarts = 4}}},
              {.id = "log", .type_name = "Log", .status = ChildStatus::kIdle}}};
}

TEST(SupervisionTreeTest, OneLineForEachUnderItsSupervisor) {
  EXPECT_EQ(TreeText(Bank()),
            "bank: supervisor, running\n"
            "├── account: Account, running, mailbox 3, restarts 1\n"
            "├── tellers: supervisor, running\n"
            "│   ├── Teller, running\n"
            "│   └── Teller, waiting, restarts 4\n"
            "└── log: Log, idle\n");
}

TEST(SupervisionTreeTest, NothingIsDrawnUnderTheLastChild) {
  SupervisionTree bank = Bank();
  bank.children.erase(bank.children.begin());
  bank.children.pop_back();
  EXPECT_EQ(TreeText(bank),
            "bank: supervisor, running\n"
            "└── tellers: supervisor, running\n"
            "    ├── Teller, running\n"
            "    └── Teller, waiting, restarts 4\n");
}

TEST(SupervisionTreeTest, SaysHowManyChildrenItLeavesOut) {
  EXPECT_EQ(TreeText(Bank(), {.max_children = 1}),
            "bank: supervisor, running\n"
            "├── account: Account, running, mailbox 3, restarts 1\n"
            "└── 2 more\n");
  EXPECT_EQ(TreeText(Bank(), {.max_children = 0}),
            "bank: supervisor, running\n"
            "└── 3 more\n");
}

TEST(SupervisionTreeTest, NamesCannotForgeLines) {
  EXPECT_EQ(TreeText({.id = "a\nb: supervisor, running",
                      .type_name = "Type<\"\x1b\">"}),
            "a\\nb: supervisor, running: Type<\\\"\\033\\\">, running\n");
}

TEST(SupervisionTreeTest, NamesInOtherScriptsStayReadable) {
  EXPECT_EQ(TreeText({.id = "Zürich", .type_name = "Bank"}),
            "Zürich: Bank, running\n");
}

TEST(ChildStatusTest, SaysWhatItIs) {
  EXPECT_EQ(ToString(ChildStatus::kIdle), "idle");
  EXPECT_EQ(ToString(ChildStatus::kWaiting), "waiting");
  EXPECT_EQ(ToString(ChildStatus::kStarting), "starting");
  EXPECT_EQ(ToString(ChildStatus::kRunning), "running");
  EXPECT_EQ(ToString(ChildStatus::kStopping), "stopping");
}

}  // namespace
}  // namespace troupe
