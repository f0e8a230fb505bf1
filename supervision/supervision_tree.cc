#include "troupe/supervision/supervision_tree.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_status.h"

namespace troupe {
namespace {

void AppendLine(const SupervisionTree& node, std::string& text) {
  if (!node.id.empty()) {
    absl::StrAppend(&text, absl::Utf8SafeCEscape(node.id), ": ");
  }
  // The type of a supervisor is always the same.
  absl::StrAppend(&text,
                  node.kind == kSupervisor
                      ? std::string(ToString(node.kind))
                      : absl::Utf8SafeCEscape(node.type_name),
                  ", ", ToString(node.status));
  if (node.mailbox_messages > 0) {
    absl::StrAppend(&text, ", mailbox ", node.mailbox_messages);
  }
  if (node.restarts > 0) {
    absl::StrAppend(&text, ", restarts ", node.restarts);
  }
  text += '\n';
}

// `indent` is what the lines of the children begin with; as it was at return.
void AppendChildren(const SupervisionTree& node, const TreeTextOptions& options,
                    std::string& indent, std::string& text) {
  const size_t shown = std::min(node.children.size(), options.max_children);
  const size_t hidden = node.children.size() - shown;
  for (size_t i = 0; i < shown; ++i) {
    const bool is_last = i + 1 == shown && hidden == 0;
    absl::StrAppend(&text, indent, is_last ? "└── " : "├── ");
    AppendLine(node.children[i], text);
    const size_t outer = indent.size();
    indent += is_last ? "    " : "│   ";
    AppendChildren(node.children[i], options, indent, text);
    indent.resize(outer);
  }
  if (hidden > 0) absl::StrAppend(&text, indent, "└── ", hidden, " more\n");
}

}  // namespace

std::string TreeText(const SupervisionTree& tree,
                     const TreeTextOptions& options) {
  std::string text;
  std::string indent;
  AppendLine(tree, text);
  AppendChildren(tree, options, indent, text);
  return text;
}

}  // namespace troupe
