#!/bin/bash
# Runs a program and compares what it prints on standard output:
#
#   expect_output.sh EXPECTED_FILE PROGRAM [ARGUMENT...]
set -euo pipefail
expected=$1
shift
"$@" | diff -u "$expected" -
