"""Items that are made whenever they are read."""

from diffing.mapped_sequence import MappedSequence


def test_items_and_slices_are_made_when_they_are_read_and_not_kept() -> None:
    made: list[int] = []

    def double(number: int) -> int:
        made.append(number)
        return 2 * number

    doubled = MappedSequence(double, [1, 2, 3, 4])
    part = doubled[1:3]
    assert (len(doubled), len(part), made) == (4, 2, [])
    assert (doubled[0], doubled[-1], list(part)) == (2, 8, [4, 6])
    assert (doubled[0], made) == (2, [1, 4, 2, 3, 1])
