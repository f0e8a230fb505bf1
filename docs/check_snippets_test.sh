#!/bin/bash
# Tests check_snippets.sh: what it finds, and what it lets pass.
set -uo pipefail

readonly check=$PWD/docs/check_snippets.sh
cd "$TEST_TMPDIR" || exit 1
failures=0

mkdir -p docs examples
cat >examples/account.cc <<'END'
class Account {
 public:
  void Deposit(int cents) {
    cents_ += cents;

    Log();
  }

  int cents() const { return cents_; }

 private:
  int cents_;
};
END
echo 'int main() {}' >docs/main.cc

# Lays out docs/page.md, with all arguments as its lines.
page() {
  printf '%s\n' "$@" >docs/page.md
}

# finds TEXT: the page is reported, with TEXT.
finds() {
  local said
  if said=$("$check" docs/page.md 2>&1); then
    echo "Passed, and must not: $(<docs/page.md)"
    failures=1
  elif [[ $said != *"$1"* ]]; then
    echo "Not the report that was expected ($1): $said"
    failures=1
  fi
}

# accepts COUNT: all COUNT snippets of the page are found.
accepts() {
  local said
  if ! said=$("$check" docs/page.md 2>&1) || [[ $said != "$1 snippets "* ]]; then
    echo "Not accepted, and must be: $said: $(<docs/page.md)"
    failures=1
  fi
}

readonly link='From [account.cc](../examples/account.cc):'

page "$link" '' '```cpp' '  void Deposit(int cents) {' '    cents_ += cents;' '' \
  '    Log();' '  }' '```'
accepts 1

# Less indented than the source, as a whole; or more, in a list.
page "$link" '```cpp' 'void Deposit(int cents) {' '  cents_ += cents;' '```'
accepts 1
page "* $link" '' '  ```cpp' '      void Deposit(int cents) {' '  ```'
accepts 1

page "$link" '```cpp' 'void Deposit(int cents) {' 'cents_ += cents;' '```'
finds 'docs/page.md:4: not so in docs/../examples/account.cc: cents_ += cents;'
page "$link" '```cpp' 'void Deposit(int cents) {' '  cents_ -= cents;' '```'
finds 'docs/page.md:4: not so in docs/../examples/account.cc:   cents_ -= cents;'
page "$link" '```cpp' 'void Withdraw(int cents) {' '```'
finds 'docs/page.md:3: not so in docs/../examples/account.cc: void Withdraw'
# A part of a line is no line.
page "$link" '```cpp' 'int cents() const' '```'
finds 'docs/page.md:3: not so'
# The source ends before the snippet does.
page "$link" '```cpp' '};' '' 'int main() {}' '```'
finds 'docs/page.md:4: not so'
# A line was left out, and nothing says so.
page "$link" '```cpp' 'cents_ += cents;' 'Log();' '```'
finds 'docs/page.md:4: not so'

page "$link" '```cpp' 'class Account {' '  // ...' ' private:' '// ...' '};' '```'
accepts 1
page "$link" '```cpp' '// ...' '  // ...' '  int cents_;' '};' '  // ...' '```'
accepts 1
# In the order of the source, each behind the other.
page "$link" '```cpp' ' private:' '  // ...' ' public:' '```'
finds 'docs/page.md:5: not so in docs/../examples/account.cc: public:'
page "$link" '```cpp' 'class Account {' '  // ...' 'class Account {' '```'
finds 'docs/page.md:5: not so'
# The margin is one for all pieces.
page "$link" '```cpp' 'class Account {' '  // ...' 'int cents_;' '```'
finds 'docs/page.md:5: not so'

page 'See below.' '```cpp' 'class Account {' '```'
finds 'docs/page.md:2: the paragraph above the snippet names no source'
page "$link" '' 'Another paragraph.' '' '```cpp' 'class Account {' '```'
finds 'docs/page.md:5: the paragraph above the snippet names no source'
page "$link" '```cpp' 'class Account {' '```' '' '```cpp' 'class Account {' '```'
finds 'docs/page.md:6: the paragraph above the snippet names no source'
page 'See [a page](../examples/account.md).' '```cpp' 'class Account {' '```'
finds 'docs/page.md:2: the paragraph above the snippet names no source'

# The last link counts, on whatever line of the paragraph it stands.
page 'Not [main.cc](main.cc) but' '[this](../examples/account.cc#L1) one:' '' \
  '```cpp' 'class Account {' '```'
accepts 1
page "$link" 'or [main.cc](main.cc).' '' '```cpp' 'class Account {' '```'
finds 'not so in docs/main.cc'

page 'From [lost.cc](../examples/lost.cc):' '```cpp' 'class Lost;' '```'
finds 'docs/page.md:2: cannot read docs/../examples/lost.cc'

page "$link" '```cpp' '```'
finds 'docs/page.md:2: the snippet is empty'
page "$link" '```cpp' '' '// ...' '```'
finds 'docs/page.md:2: the snippet is empty'
page "$link" '```cpp' 'class Account {'
finds 'docs/page.md:2: the block is not closed'

# No way round it.
for name in c++ cc C++ CPP; do
  page "$link" "\`\`\`$name" 'class Lost;' '```'
  finds "docs/page.md:2: a block of $name is not checked; call it cpp"
done
page "$link" '```cpp title="Account"' 'class Lost;' '```'
finds 'docs/page.md:3: not so'

# Other languages are none of its business.
page '```' 'bazel test' '```' '```python' 'cc_library()' '```' '```cmake' '```'
accepts 0

# Each page is checked, and told apart.
page "$link" '```cpp' 'class Account {'
printf '%s\n' 'From [it](main.cc):' '```cpp' 'int main();' '```' >docs/other.md
said=$("$check" docs/page.md docs/other.md)
if [[ $said != *docs/page.md:2:*closed*docs/other.md:3:*"not so"* ]]; then
  echo "Two bad pages, and it says: $said"
  failures=1
fi

if "$check" docs/missing.md 2>/dev/null; then
  echo "A page that does not exist passes"
  failures=1
fi
if "$check" 2>/dev/null; then
  echo "No page at all passes"
  failures=1
fi

exit "$failures"
