"""What a visitor may be answered while versions take turns."""

from support.turns import Turns


def test_an_answer_by_the_version_before_is_right_until_the_next_one_is_confirmed() -> None:
    turns = Turns([1])
    turns.begin(2)
    assert turns.of(1, turns.confirmed) == 0
    turns.confirm()
    assert turns.of(1, turns.confirmed) is None
    assert turns.of(2, turns.confirmed) == 1


def test_a_version_that_has_not_begun_is_wrong() -> None:
    assert Turns([1]).of(2, 0) is None


def test_a_version_that_was_rolled_back_to_has_another_turn() -> None:
    turns = Turns([1, 2], confirmed=1)
    turns.begin(1)
    assert turns.of(1, 1) == 2
    assert turns.of(2, 2) is None
