"""Traits: the latest value wins, in any order; who a person is never becomes a feature."""

import doctest

from hypothesis import given
from hypothesis import strategies as st

from nudge.profile import spec, traits, vector
from nudge.vocabulary import DAY, Event, Profile

held = st.dictionaries(
    st.sampled_from(["plan", "age", "vip"]),
    st.tuples(st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["a", "b"])), st.integers(0, 3)),
)


@given(held, held, held)
def test_merging_traits_is_commutative_associative_and_idempotent(a: dict, b: dict, c: dict) -> None:
    merge = traits.merge
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(a, a) == a


def test_of_too_many_traits_the_newest_stay() -> None:
    many = {f"t{number:04}": ("x" * 1_000, number) for number in range(300)}
    kept = traits.merge({}, many)
    assert 100 < len(kept) < 150
    assert min(at for _, at in kept.values()) == 300 - len(kept)


def test_numbers_booleans_and_short_texts_become_features_and_who_it_is_does_not() -> None:
    said = {
        "email": "ann@example.com", "phone": "+49", "first_name": "Ann", "lastName": "Lee", "homeAddress": "1 Road",
        "zip_code": "10115", "plan": "gold", "age": 31, "vip": True, "email_opt_in": False, "contact": "x@example.com",
        "bio": "x" * 65, "empty": "", "tags": ["a"], "nothing": None, "created_at": 5 * DAY, "ratio": float("inf"),
    }  # fmt: skip
    profile = Profile("ann", traits={name: (value, 1) for name, value in said.items()})
    traits_only = {
        name: value for name, value in vector.features(profile, 15 * DAY).items() if name.startswith("trait.")
    }
    assert traits_only == {
        "trait.plan": "gold",
        "trait.age": 31.0,
        "trait.vip": 1.0,
        "trait.email_opt_in": 0.0,
        "trait.account_days": 10.0,
    }


def test_features_are_read_just_after_the_last_event_when_the_clock_is_behind_it() -> None:
    from nudge.profile.fold import fold

    state = fold({}, Event("1", "ann", "view", 1_000))
    assert vector.features(Profile("ann", state=state), 5)["days_since.view"] == 1 / DAY


def test_a_person_of_whom_nothing_is_known_has_the_formulas_only() -> None:
    assert vector.features(Profile("ann"), 1) == {"open_rate": 0.2, "click_rate": 0.02, "purchase_rate": 0.01}


def test_the_examples_in_the_docstrings_hold() -> None:
    for module in (spec, traits, vector):
        assert doctest.testmod(module).failed == 0
