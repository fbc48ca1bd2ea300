"""`signals statistics`: release the figures of a period, and show the budget that releases spent."""

from typing import TYPE_CHECKING, Any

import click

from signals.cli import answers
from signals.cli.opening import everything, progress_bar

if TYPE_CHECKING:
    from signals.app import Opened
    from signals.statistics.releasing import Releasing


@click.group()
def statistics() -> None:
    """Release the figures once for each closed quarter and year, and show the spent budget.

    Example: signals statistics verify
    """


@statistics.command()
@click.argument("period")
@answers(lambda data: _released(data))
def release(*, period: str) -> dict[str, Any]:
    """Release the figures of a closed PERIOD, once.

    A PERIOD is a quarter, 2026-Q3, or a year, 2026. Counts, draws the noise and stores: a release never
    changes. Brings back first what the ledger (figures.ledger_file) has and a restored database lacks.
    The worker does the same by itself after the days of grace. Exit code 0: released, or released before and
    nothing done. 1: refused.

    Example: signals statistics release 2026-Q3
    """
    with everything() as opened, progress_bar() as bar:
        bar.add_task(f"releasing {period[:9]}", total=None)
        releasing = _releasing(opened)
        adopted = releasing.adopt()
        done = releasing.release(opened.clock, period=period)
    return {
        "period": done.period,
        "drawn_on": done.drawn_on.isoformat(),
        "is_new": done.is_new,
        "tables": done.tables,
        "adopted": adopted,
    }


@statistics.command()
@answers(lambda data: _spent(data))
def verify() -> dict[str, Any]:
    """Check every signature and the ledger; show what each table spent.

    A table spends a part of the budget of one signal. Exit code 0: all is as it was released. 1: a table is
    forged, or the ledger's file says otherwise.

    Example: signals statistics verify
    """
    from signals.statistics.menu import BUDGET
    from signals.statistics.publications import forged_tables, publications
    from signals.statistics.releasing import spent

    with everything() as opened, opened.sessions() as session:
        forged = forged_tables(session, opened.keystore.root_public_key())
        differing = _releasing(opened).differing(session)
        rows = publications(session)
    return {
        "ok": not forged and not differing,
        "spent": float(spent(rows)),
        "budget": float(BUDGET),
        "tables": [{"period": row.period, "table": row.code, "epsilon": float(row.epsilon)} for row in rows],
        "forged": forged,
        "differing": differing,
    }


def _releasing(opened: "Opened") -> "Releasing":
    from signals.operations.making import make_releasing
    from signals.routing.snapshot import Router

    router = Router(opened.engine, root_public_key=None)
    return make_releasing(opened, sessions=opened.sessions, router=router)


def _released(data: dict[str, Any]) -> str:
    lines = [f"{data['adopted']} tables are brought back from the ledger."] if data["adopted"] else []
    if data["is_new"]:
        return "\n".join([*lines, f"{data['period']} is released: {', '.join(data['tables'])}."])
    return "\n".join([*lines, f"{data['period']} was released on {data['drawn_on']}: nothing done."])


def _spent(data: dict[str, Any]) -> str:
    lines = [f"{table['period']:8} {table['table']:10} {table['epsilon']:.2f}" for table in data["tables"]]
    lines += [f"One signal spends at most {data['spent']:.2f} of {data['budget']:.2f}."]
    lines += [f"Forged: {place}" for place in data["forged"]]
    lines += [f"The ledger's file says otherwise: {place}" for place in data["differing"]]
    return "\n".join(lines)
