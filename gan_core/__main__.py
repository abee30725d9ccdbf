"""`python -m gan_core COMMAND`."""

from gan_core.cli import main

if __name__ == "__main__":
    main()
