"""Numbers: what the check digit catches, and that nobody gets the same number twice."""

import contextlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracing.numbers import check_digit, format_number, is_valid, next_number
from tracing.platform.db import unit_of_work
from tracing.services import Services

parts = st.tuples(
    st.integers(0, 999_999).map(lambda code: f"{code:06d}"), st.integers(1990, 2099), st.integers(1, 999_999)
)


@given(parts, st.booleans())
def test_a_number_given_out_is_a_number(given_parts: tuple[str, int, int], report: bool) -> None:
    number = format_number(*given_parts, report=report)
    assert is_valid(number)
    assert number.startswith("R") is report


@given(parts, st.integers(0, 17), st.integers(1, 10))
def test_every_single_wrong_digit_is_found(given_parts: tuple[str, int, int], place: int, shift: int) -> None:
    number = format_number(*given_parts)
    at = [position for position, sign in enumerate(number) if sign != "-"][place % 17]
    signs = "0123456789X" if at == len(number) - 1 else "0123456789"
    wrong = signs[(signs.index(number[at]) + shift) % len(signs)]
    changed = number[:at] + wrong + number[at + 1 :]
    assert is_valid(changed) is (changed == number)


@given(parts, st.integers(0, 15))
def test_every_swap_of_neighbours_is_found(given_parts: tuple[str, int, int], place: int) -> None:
    number = format_number(*given_parts)
    digits = [position for position, sign in enumerate(number) if sign != "-"]
    first, second = digits[place], digits[place + 1]
    signs = list(number)
    signs[first], signs[second] = signs[second], signs[first]
    changed = "".join(signs)
    assert is_valid(changed) is (changed == number)


def test_the_check_digit_is_that_of_the_standard() -> None:
    # GB 11643 gives this identity number as its example.
    assert check_digit("11010519491231002") == "X"


GOOD = format_number("450702", 2026, 123)


@pytest.mark.parametrize("text", ["", GOOD[:-2], GOOD[:-1], "R", GOOD.replace("-", " "), f"{GOOD}\n", f" {GOOD}"])
def test_what_is_no_number(text: str) -> None:
    assert is_valid(GOOD)
    assert not is_valid(text)


def test_digits_of_other_scripts_are_no_digits() -> None:
    assert not is_valid(GOOD.replace("2", "２"))


def test_cases_reports_divisions_and_years_count_apart(any_services: Services) -> None:
    with unit_of_work(any_services.db) as session:
        given_out = [
            next_number(session, division="450702", year=2026),
            next_number(session, division="450702", year=2026),
            next_number(session, division="450702", year=2026, report=True),
            next_number(session, division="450702", year=2027),
            next_number(session, division="45", year=2026),
        ]
    assert [number[:-2] for number in given_out] == [
        "450702-2026-000001", "450702-2026-000002", "R450702-2026-000001", "450702-2027-000001", "450000-2026-000001",
    ]  # fmt: skip


def test_threads_never_get_the_same_number(any_services: Services) -> None:
    given_out: list[str] = []
    start = threading.Barrier(4)

    def take() -> None:
        start.wait()
        for _ in range(10):
            with unit_of_work(any_services.db) as session:
                given_out.append(next_number(session, division="450702", year=2026))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given_out) == [format_number("450702", 2026, running) for running in range(1, 41)]


def test_a_number_taken_in_a_transaction_that_fails_is_given_again(any_services: Services) -> None:
    with contextlib.suppress(InterruptedError), unit_of_work(any_services.db) as session:
        assert next_number(session, division="450702", year=2026).startswith("450702-2026-000001-")
        raise InterruptedError
    with unit_of_work(any_services.db) as session:
        assert next_number(session, division="450702", year=2026).startswith("450702-2026-000001-")
