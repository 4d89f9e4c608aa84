"""How a soak is judged: what breaks a bound, and what does not count because something was away."""

from dataclasses import replace

import pytest

from soak.judging import (
    AFTERMATH,
    CREATE,
    READ,
    Answer,
    Away,
    Measured,
    Post,
    Sample,
    growth,
    judge,
    percentile,
)

HASURA_AWAY = Away("hasura", began=100.0, ended=160.0)


def answer(at: float, seconds: float = 0.1, status: str = "201", who: str = CREATE, cause: str = "") -> Answer:
    return Answer(who, at, seconds, status, cause)


def samples(
    *, memory: float = 50.0, threads: int = 8, grows_by: float = 0.0, service: str = "functions"
) -> list[Sample]:
    """Ten minutes of it; `grows_by` in MiB over the whole time."""
    return [Sample(service, at, memory + grows_by * at / 600, threads, pid=1) for at in range(0, 600, 2)]


def measured(**changed: object) -> Measured:
    """Ten minutes in which all was well; Hasura was away for one of them."""
    well = Measured(
        seconds=600.0,
        poll_interval=1.0,
        answers=[answer(10), answer(20, who=READ, status="200")],
        posts=[Post(due=15.0, tweets=[15.5])],
        samples=samples(),
        aways=[HASURA_AWAY],
    )
    return replace(well, **changed)  # type: ignore[arg-type]


def broken(run: Measured) -> list[str]:
    """The names of the bounds that a run breaks."""
    return [bound.name for bound in judge(run) if not bound.holds]


class TestTheNormalAuthors:
    def test_a_run_in_which_all_was_well_breaks_no_bound(self) -> None:
        assert broken(measured()) == []

    @pytest.mark.parametrize(("who", "bound"), [(CREATE, "createPost, slowest answer"), (READ, "page, slowest answer")])
    def test_one_answer_of_a_second_breaks_the_bound(self, who: str, bound: str) -> None:
        fast = [answer(10), answer(20, who=READ, status="200")]

        assert broken(measured(answers=[*fast, answer(30, seconds=1.0, who=who)])) == [bound]

    @pytest.mark.parametrize("at", [95.0, 130.0, 160.0 + AFTERMATH - 0.5])
    def test_an_answer_that_something_away_can_have_delayed_does_not_count(self, at: float) -> None:
        slow = answer(at, seconds=8.0, status="503", cause="/problems/hasura-unavailable")

        assert broken(measured(answers=[*measured().answers, slow])) == []

    def test_an_author_who_is_refused_breaks_a_bound(self) -> None:
        refused = answer(30, status="429", cause="/problems/too-many-posts")

        assert broken(measured(answers=[*measured().answers, refused])) == ["authors who were refused"]

    def test_a_run_without_answers_has_shown_nothing(self) -> None:
        assert broken(measured(answers=[])) == ["createPost, slowest answer", "page, slowest answer"]


class TestTheirPosts:
    def test_a_post_may_be_two_seconds_and_one_poll_late(self) -> None:
        assert broken(measured(posts=[Post(15.0, [17.9])])) == []
        assert broken(measured(posts=[Post(15.0, [18.1])])) == ["posts, latest"]

    def test_a_post_that_was_due_while_something_was_away_may_be_later(self) -> None:
        posts = [Post(15.0, [15.5]), Post(120.0, [400.0])]

        assert broken(measured(posts=posts)) == []

    def test_a_post_that_is_due_just_before_is_delayed_too(self) -> None:
        assert broken(measured(posts=[Post(15.0, [15.5]), Post(99.0, [161.0])])) == []

    @pytest.mark.parametrize("tweets", [[], [15.5, 16.0]], ids=["never", "twice"])
    def test_each_post_is_published_once(self, tweets: list[float]) -> None:
        assert "posts not published just once" in broken(measured(posts=[Post(15.0, [15.5]), Post(120.0, tweets)]))


class TestServerErrors:
    def test_any_5xx_breaks_a_bound_while_nothing_is_away_whoever_gets_it(self) -> None:
        error = answer(30, status="503", who="flood: createPost", cause="/problems/hasura-unavailable")

        assert broken(measured(answers=[*measured().answers, error])) == ["5xx while nothing is away"]

    def test_while_something_is_away_503_is_the_documented_answer_and_500_is_not(self) -> None:
        error = answer(120, status="500", cause="/problems/internal-error")

        assert broken(measured(answers=[*measured().answers, error])) == ["5xx other than 503"]


class TestProcesses:
    def test_growth_compares_the_last_fifth_with_the_second(self) -> None:
        assert growth([float(at) for at in range(100)]) == pytest.approx(60.0)

    def test_what_is_allocated_at_the_start_is_no_growth(self) -> None:
        assert growth([10.0] * 10 + [80.0] * 90) == 0.0

    def test_memory_that_grows_by_more_than_a_tenth_and_16_mib_breaks_the_bound_of_its_process(self) -> None:
        assert broken(measured(samples=samples(grows_by=20.0))) == []
        assert broken(measured(samples=samples(grows_by=40.0))) == ["functions, growth of memory"]
        assert broken(measured(samples=samples(memory=500.0, grows_by=40.0))) == []

    def test_threads_that_are_left_behind_break_the_bound_of_their_process(self) -> None:
        more = [replace(sample, threads=8 + int(sample.at // 60)) for sample in samples()]

        assert broken(measured(samples=more)) == ["functions, growth of threads"]

    def test_child_processes_that_are_left_behind_break_the_bound_of_their_service(self) -> None:
        more = [replace(sample, processes=1 + int(sample.at // 300)) for sample in samples()]

        assert broken(measured(samples=more)) == ["functions, most processes"]

    def test_postgresql_has_a_process_more_for_each_connection_of_hasuras_pool(self) -> None:
        needs = [(sample, 18 + int(sample.at // 100)) for sample in samples(service="postgres")]
        pool = [replace(sample, mib=8.0 * number, threads=number, processes=number) for sample, number in needs]
        leaks = [replace(sample, mib=sample.mib + sample.at / 10) for sample in pool]
        endless = [replace(sample, processes=sample.processes + int(sample.at // 50)) for sample in pool]

        assert broken(measured(samples=pool)) == []
        assert broken(measured(samples=leaks)) == ["postgres, growth of memory"]
        assert broken(measured(samples=endless)) == ["postgres, most processes"]

    def test_a_process_that_was_started_again_breaks_a_bound(self) -> None:
        another = [replace(sample, pid=1 if sample.at < 300 else 2) for sample in samples()]

        assert broken(measured(samples=another)) == ["processes that ended"]


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert percentile([7.0], 0.99) == 7.0
