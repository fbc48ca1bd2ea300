"""`python -m signals.cli`: the same as the console script `signals`."""

from signals.cli import main

main(prog_name="signals")
