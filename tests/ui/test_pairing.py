"""Which lines of two texts stand in one row."""

from __future__ import annotations

import random

from tapeinspect.ui.widgets.pairing import LEFT, PADDING, RIGHT, Fold, Links, one_side, side_by_side


def rows(
    sizes: tuple[int, int], anchors: dict[int, int], right: tuple[Fold, ...] = ()
) -> list[tuple[int, int]]:
    pairing = side_by_side(sizes, anchors, ((), right))
    return list(zip(pairing.cells[LEFT], pairing.cells[RIGHT], strict=True))


def test_what_belongs_together_stands_in_one_row() -> None:
    assert rows((3, 4), {0: 0, 2: 1, 3: 2}) == [(0, 0), (PADDING, 1), (1, 2), (2, 3)]


def test_lines_that_come_back_do_not_break_the_order() -> None:
    # the call of `for_stmt` comes after the body that it runs
    assert rows((3, 5), {0: 0, 1: 1, 2: 2, 3: 0, 4: 2}) == [
        (0, 0),
        (1, 1),
        (2, 2),
        (PADDING, 3),
        (PADDING, 4),
    ]


def test_the_first_of_several_lines_is_beside_its_origin() -> None:
    assert rows((2, 4), {0: 0, 1: 0, 2: 0, 3: 1}) == [(0, 0), (PADDING, 1), (PADDING, 2), (1, 3)]


def test_nothing_in_common_stands_from_the_top() -> None:
    assert rows((2, 3), {}) == [(0, 0), (1, 1), (PADDING, 2)]
    assert rows((0, 2), {}) == [(PADDING, 0), (PADDING, 1)]
    assert rows((0, 0), {}) == []


def test_a_fold_is_one_row_and_finds_its_lines() -> None:
    fold = Fold(1, 3, "get_state")
    pairing = side_by_side((2, 6), {0: 0, 4: 1}, ((), (fold,)))
    assert len(pairing) == 4
    assert pairing.fold_at(RIGHT, 1) == fold and pairing.line_at(RIGHT, 1) == 1
    assert [pairing.row_of(RIGHT, line) for line in range(6)] == [0, 1, 1, 1, 2, 3]
    assert pairing.line_at(LEFT, 1) is None and pairing.row_of(LEFT, 1) == 2


def test_the_nearest_line_skips_padding() -> None:
    pairing = side_by_side((2, 4), {0: 0, 3: 1}, ((), ()))
    assert pairing.nearest(LEFT, 1, 1) == 3 and pairing.nearest(LEFT, 2, -1) == 0
    assert pairing.nearest(RIGHT, 9, 1) is None


def test_one_side_has_no_padding() -> None:
    pairing = one_side(RIGHT, 5, (Fold(0, 1, "x"),))
    assert len(pairing) == 4 and PADDING not in pairing.cells[RIGHT]


def test_links_go_both_ways() -> None:
    links = Links([(0, 3), (0, 1), (2, 1), (0, 3)])
    assert links.partners(LEFT, 0) == [1, 3] and links.partners(RIGHT, 1) == [0, 2]
    assert links.partners(LEFT, 1) == ()


def test_every_line_stands_in_exactly_one_row_in_order() -> None:
    chance = random.Random(5)
    for _ in range(200):
        sizes = (chance.randrange(12), chance.randrange(20))
        anchors = {
            j: chance.randrange(sizes[0]) for j in range(sizes[1]) if sizes[0] and chance.random() < 0.7
        }
        pairing = side_by_side(sizes, anchors, ((), ()))
        for side in (LEFT, RIGHT):
            assert [cell for cell in pairing.cells[side] if cell != PADDING] == list(range(sizes[side]))
        beside = list(zip(*pairing.cells, strict=True))
        assert (PADDING, PADDING) not in beside
        anchored = sum(anchors.get(right) == left for left, right in beside if left != PADDING)
        assert anchored >= longest_rise([anchors[j] for j in sorted(anchors)])


def longest_rise(values: list[int]) -> int:
    """The length of the longest strictly ascending part, worked out the slow way."""
    best: list[int] = []
    for i, value in enumerate(values):
        best.append(1 + max((best[j] for j in range(i) if values[j] < value), default=0))
    return max(best, default=0)
