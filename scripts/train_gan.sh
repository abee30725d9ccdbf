#!/usr/bin/env bash
# Trains the recipe that this script's own name names; train_<recipe>.sh beside it are links to it.
#   ./scripts/train_gan.sh --dataset digits --epochs 20
set -euo pipefail
name=$(basename "$0" .sh)
exec python "$(dirname "$0")/../train.py" "${name#train_}" "$@"
