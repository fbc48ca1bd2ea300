"""`signals statistics`: releases of the figures, and the proof from outside that they give nobody away."""

import click


@click.group()
def statistics() -> None:
    """The figures: released once for each closed quarter and year.

    Example: signals statistics verify downloads/figures
    """
