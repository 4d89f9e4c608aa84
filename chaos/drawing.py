"""Draws the plan of a run from its seed before it begins: the same seed gives the same decisions."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from chaos.drawing_blows import draw_blows, storm_seconds
from chaos.plan import Act, Plan, PlannedPost

TAILS = (
    "good morning",
    "tom & jerry, 2 < 3 > 1",
    "read example.com/a?b=1",
    "read https://example.org/Some/Path/ today",
    "two\nlines",
    "naïve café 🚀",
    "two  spaces and\ttabs",
)
"""What X rewrites when it shows a text, and what it leaves alone."""

EQUAL_TEXTS = 0.2
"""The share of posts that repeat another's text. X's refusal of such texts is switched off."""


def draw(seed: int, posts: int, seconds: float) -> Plan:
    """The plan of this seed for so many posts, all due within so many seconds."""
    dice = random.Random(f"{seed} {posts} {seconds}")
    authors = tuple(f"author{number}" for number in range(max(5, posts // 20)))
    return Plan(
        storm_seconds=storm_seconds(seconds),
        authors=authors,
        posts=_posts(dice, seed, posts, authors, seconds),
        blows=draw_blows(dice, seconds, posts, authors),
    )


def _posts(
    dice: random.Random, seed: int, number_of_posts: int, authors: tuple[str, ...], seconds: float
) -> tuple[PlannedPost, ...]:
    posts: list[PlannedPost] = []
    for number in range(number_of_posts):
        repeated = dice.choice(posts) if posts and dice.random() < EQUAL_TEXTS else None
        posts.append(_post(dice, f"[{seed}.{number}]", repeated, authors, seconds))
    return tuple(_kept_if_repeated(posts))


def _kept_if_repeated(posts: list[PlannedPost]) -> Iterator[PlannedPost]:
    """Nobody deletes one of several posts with equal texts: it may be out by then, and whose tweet is whose nobody can
    tell."""
    how_often = Counter(post.opening for post in posts)
    for post in posts:
        acts = tuple(act for act in post.acts if act.kind != "delete")
        yield replace(post, acts=acts) if how_often[post.opening] > 1 else post


def _post(
    dice: random.Random, mark: str, repeated: PlannedPost | None, authors: tuple[str, ...], seconds: float
) -> PlannedPost:
    """A post; one that repeats another comes close to it, so that one may be looked for while the other is sent."""
    create_at = dice.uniform(0, seconds * 0.8) if dice.random() < 0.2 else None
    due = dice.uniform(0, seconds) if create_at is None else create_at + dice.uniform(1, seconds * 0.2)
    if repeated and create_at is None:
        due = abs(dice.gauss(repeated.due, 2))
    has_key = dice.random() < 0.6
    return PlannedPost(
        mark=mark,
        opening=repeated.opening if repeated else mark,
        author=repeated.author if repeated else dice.choice(authors),
        tail=repeated.tail if repeated else dice.choice(TAILS),
        due=due,
        create_at=create_at,
        when_late=dice.choice(["skip", "publish"]),
        has_key=has_key,
        creates=2 if has_key and dice.random() < 0.3 else 1,
        acts=_acts(dice, due, seconds),
    )


def _acts(dice: random.Random, due: float, seconds: float) -> tuple[Act, ...]:
    """About half of all posts are left alone. Most acts come close to the post's time, to meet it being published."""
    kinds = dice.choices(
        [[], ["edit"], ["edit", "edit"], ["move"], ["edit", "move"], ["postpone"], ["backdate"], ["delete"]],
        [50, 14, 6, 8, 6, 3, 3, 10],
    )[0]
    times = sorted(max(0.0, dice.gauss(due, 3)) for _ in kinds)
    return tuple(
        Act(at, kind, to=dice.uniform(0, seconds))
        for at, kind in zip(times, dice.sample(kinds, len(kinds)), strict=True)
    )
