"""What the benchmarks make of the times that they measured."""

import math
from pathlib import Path

import pytest

from benchmarks.__main__ import options
from benchmarks.backlog import Backlog, Run
from benchmarks.backlog import table as backlog_table
from benchmarks.plots import share_until
from benchmarks.punctuality import Result
from benchmarks.simulation import Instance, Simulated, summary
from benchmarks.simulation import table as simulation_table


class TestARun:
    @pytest.mark.parametrize(
        ("arguments", "pictures"),
        [
            pytest.param(["--output", "numbers"], "numbers", id="short"),
            pytest.param(["--full"], "docs/pictures", id="full"),
            pytest.param(["--pictures", "elsewhere"], "elsewhere", id="told-where"),
        ],
    )
    def test_it_replaces_the_plots_of_the_documents_only_with_their_settings(
        self, arguments: list[str], pictures: str
    ) -> None:
        assert options(arguments).pictures == Path(pictures)


class TestLateness:
    RESULT = Result("a case", [0.1, 0.2, 0.3, 0.4], missing=0, twice=0)

    @pytest.mark.parametrize(("part", "lateness"), [(0.25, 0.1), (0.5, 0.2), (0.51, 0.3), (0.99, 0.4), (1, 0.4)])
    def test_a_quantile_is_the_smallest_lateness_that_so_many_posts_do_not_exceed(
        self, part: float, lateness: float
    ) -> None:
        assert self.RESULT.quantile(part) == lateness

    def test_a_case_of_which_no_post_left_has_no_end(self) -> None:
        assert Result("a case", [], missing=3, twice=0).quantile(0.5) == math.inf

    def test_a_post_that_left_before_its_time_is_a_failure(self) -> None:
        result = Result("a case", [-0.001, 0.2], missing=0, twice=0)

        assert (result.early, result.is_well, self.RESULT.is_well) == (1, False, True)

    def test_each_post_is_so_large_a_part_of_all_that_are_out(self) -> None:
        assert share_until([3.0, 1.0, 2.0, 4.0]) == ([1.0, 2.0, 3.0, 4.0], [0.25, 0.5, 0.75, 1.0])


class TestABacklog:
    OURS = Backlog("ours", 1000, 50, 300, [Run(8.0, {"functions": 4.0}), Run(12.0, {"functions": 6.0})], True)

    def test_the_bound_is_what_the_latency_of_x_allows_to_so_many_threads(self) -> None:
        assert self.OURS.bound == pytest.approx(6.0)

    def test_its_table_has_the_median_of_the_runs_and_how_far_it_is_from_the_bound(self) -> None:
        assert backlog_table([self.OURS])[-1] == ("| ours | 10.0 s | 8.0 to 12.0 s | 100.0 | 6.0 s | 1.67 | 5.0 s |")


def instance(*claimed: int, began: float = 10, ended: float = 12, not_recorded: int = 0) -> Instance:
    return Instance(began, ended, list(claimed), [0.004], [0.002], not_recorded)


class TestASimulation:
    def test_it_lasts_from_the_first_start_to_the_last_end(self) -> None:
        simulated = summary(4, [instance(1, 2), instance(3, 4, began=11, ended=14)])

        assert (simulated.seconds, simulated.rate, simulated.is_well) == (4, 1.0, True)

    @pytest.mark.parametrize(
        ("instances", "fault"),
        [
            ([instance(1, 2), instance(2, 3)], {"claimed_twice": 1}),
            ([instance(1), instance(2)], {"missing": 1}),
            ([instance(1, 2, 3, not_recorded=1)], {"not_recorded": 1}),
        ],
    )
    def test_a_post_that_was_claimed_twice_or_never_or_not_recorded_is_a_failure(
        self, instances: list[Instance], fault: dict[str, int]
    ) -> None:
        simulated = summary(3, instances)

        assert not simulated.is_well
        assert {name: getattr(simulated, name) for name in fault} == fault

    def test_its_table_compares_with_the_first_row(self) -> None:
        rows = [Simulated(instances, 100, 2 / instances, 4.0, 2.0, 0, 0, 0) for instances in (1, 2)]

        assert simulation_table(rows)[-1] == "| 2 | 100 | 2.00 | 4.0 ms | 2.0 ms | 0 | 0 |"
