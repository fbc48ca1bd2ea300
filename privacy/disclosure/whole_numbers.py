"""Integer programming by HiGHS: the best numbers within bounds, whose sums lie within bounds too."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from highspy import Highs
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

Entry = tuple[int, int, float]
"""Line, column and factor."""


class Matrix:
    """Sums of numbers, one a line; nearly all factors are zero, and only the others are kept."""

    def __init__(self, entries: Sequence[Entry], shape: tuple[int, int]) -> None:
        import numpy as np

        self.shape = shape
        given = np.array(entries, dtype=float).reshape(-1, 3)
        places, place = np.unique(given[:, 0] * shape[1] + given[:, 1], return_inverse=True)
        self.factors = np.bincount(place, given[:, 2], len(places)).astype(np.float64)
        self.lines, self.columns = np.divmod(places.astype(np.int64), shape[1] or 1)

    def __matmul__(self, numbers: "Numbers") -> "Numbers":
        """Return the sum of each line."""
        import numpy as np

        parts = self.factors * numbers[self.columns]
        return np.bincount(self.lines, parts, self.shape[0]).astype(np.float64)

    def weighted(self, weights: "Numbers") -> "Numbers":
        """Return one line: the sum of all, each times its weight."""
        import numpy as np

        parts = self.factors * weights[self.lines]
        return np.bincount(self.columns, parts, self.shape[1]).astype(np.float64)

    def line(self, number: int) -> "Numbers":
        """Return one line with its zeros."""
        import numpy as np

        return self.weighted((np.arange(self.shape[0]) == number).astype(float))


class Solution(NamedTuple):
    """Numbers with their objective, or None; `best` and `impossible` tell how sure that is."""

    numbers: "Numbers | None"
    objective: float
    best: bool
    impossible: bool


def least(
    objective: "Numbers",
    *,
    numbers: "tuple[Numbers, Numbers]",
    matrix: Matrix,
    sums: "tuple[Numbers, Numbers]",
    whole: bool = True,
    **options: float,
) -> Solution:
    """Return the numbers with the smallest objective.

    `numbers` and `sums` are the lowest and highest allowed. `options` are those of HiGHS.
    """
    import highspy
    import numpy as np

    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    for name, value in options.items():
        solver.setOptionValue(name, value)
    programme = highspy.HighsLp()
    programme.num_row_, programme.num_col_ = matrix.shape
    programme.col_cost_ = objective
    programme.col_lower_, programme.col_upper_ = numbers
    programme.row_lower_, programme.row_upper_ = sums
    programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    programme.a_matrix_.start_ = np.searchsorted(matrix.lines, np.arange(matrix.shape[0] + 1))
    programme.a_matrix_.index_ = matrix.columns
    programme.a_matrix_.value_ = matrix.factors
    if whole:
        programme.integrality_ = [highspy.HighsVarType.kInteger] * matrix.shape[1]
    solver.passModel(programme)
    solver.run()
    return _solution(solver)


def _solution(solver: "Highs") -> Solution:
    import highspy
    import numpy as np

    status, info = solver.getModelStatus(), solver.getInfo()
    found = info.primal_solution_status == highspy.kSolutionStatusFeasible
    return Solution(
        numbers=np.array(solver.getSolution().col_value) if found else None,
        objective=info.objective_function_value,
        best=status == highspy.HighsModelStatus.kOptimal,
        impossible=status == highspy.HighsModelStatus.kInfeasible,
    )
