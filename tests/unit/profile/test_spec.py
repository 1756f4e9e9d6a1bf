"""The table: its formulas are plain arithmetic, its hash is stable, and it needs no library."""

import subprocess
import sys

import pytest

from nudge.profile import spec
from nudge.profile.spec import Decayed, Formula, absent, fingerprint, written


def test_a_formula_that_does_more_than_arithmetic_is_refused() -> None:
    for of in (lambda x: x["a"] if x["b"] else 0, lambda x: abs(x["a"]), lambda x: x["a"] ** 2):
        with pytest.raises(TypeError):
            written(Formula("bad", of))


def test_a_formula_is_written_down_with_its_names() -> None:
    text, names = written(Formula("f", lambda x: (1 - x["a"] * 2) / (x["b"] + 1) + (x["a"] > 3)))
    assert text == "(((1.0 - ([a] * 2.0)) / ([b] + 1.0)) + ([a] > 3.0))"
    assert names == ("a", "b", "a")


def test_the_formulas_of_the_table_read_only_sums() -> None:
    for formula in (*spec.FORMULAS, *spec.TYPE_FORMULAS):
        for name in written(formula)[1]:
            assert absent(name) == 0.0
            assert name.startswith(("count.", "value.", "total."))
            assert ("{type}" in formula.name) == ("{type}" in name)


def test_the_hash_changes_exactly_when_a_meaning_does() -> None:
    assert fingerprint(spec.SPEC) == spec.HASH
    one = (Decayed("count.{type}.7d", 7), Formula("f", lambda x: x["a"] + 1))
    assert fingerprint(one) == fingerprint((Decayed("count.{type}.7d", 7), Formula("f", lambda y: y["a"] + 1.0)))
    assert fingerprint(one) != fingerprint((Decayed("count.{type}.7d", 8), one[1]))
    assert fingerprint(one) != fingerprint((one[0], Formula("f", lambda x: x["a"] + 2)))


def test_the_hash_is_the_same_in_another_process() -> None:
    code = "import sys; from nudge.profile import spec, fold, seen, traits, vector; print(spec.HASH, 'polars' in sys.modules, 'numpy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == [spec.HASH, "False", "False"]
