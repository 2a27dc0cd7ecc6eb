"""`python -m rostra` is `rostra`."""

from rostra.cli import main

main()
