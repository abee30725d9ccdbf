"""`python train.py [RECIPE] [--flags]`: short for `python -m gan_core train`."""

import sys

from gan_core.cli import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
