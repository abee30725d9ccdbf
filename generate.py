"""`python generate.py [--flags]`: short for `python -m gan_core generate`."""

import sys

from gan_core.cli import main

if __name__ == "__main__":
    main(["generate", *sys.argv[1:]])
