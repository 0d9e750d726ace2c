#!/bin/sh
# The recipe of this archive on this machine: ./run --help. Nothing outside of this folder is needed but Python and PyTorch.
here=$(cd "$(dirname "$0")" && pwd) || exit
export PATH="$here/programs/bin:$PATH" PYTHONPATH="$here/code:$here/site" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
exec "${PYTHON:-python3}" -m ds_training.box.run "$here" "$@"
