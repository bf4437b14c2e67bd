"""`python -m diffing` is `diffing`."""

from diffing.cli import main

if __name__ == "__main__":
    main()
