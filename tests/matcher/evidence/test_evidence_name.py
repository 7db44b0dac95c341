"""`matcher.evidence.name`: the best pair of names, the bounds of what differs, nicknames."""

from dataclasses import replace

import numpy as np
import pytest

from matcher.evidence import name
from matcher.evidence.base import Comparator, load_parameters
from matcher.profile import Name, Profile
from matcher.vocabulary import Basis, NameKind

P = load_parameters()


def lr(comparator: Comparator, a: Profile, b: Profile) -> float:
    evidence = comparator(a, b, P)
    assert evidence is not None
    return evidence.log10_lr


def named(text: str, kind: NameKind = NameKind.FULL, basis: Basis = Basis.DOCUMENTED) -> Name:
    return Name(text, kind, basis)


def test_name_takes_the_best_pair_and_wrong_names_are_bounded() -> None:
    report = Profile(names=(named("覃国强"), named("阿强", NameKind.NICKNAME)))
    assert lr(name.compare, report, Profile(names=(named("王明"), named("覃国强")))) == 4
    stranger = Profile(names=(named("王明"),))
    assert lr(name.compare, Profile(names=(named("李伟"),)), stranger) == pytest.approx(np.log10(P["name.wrong"]))
    heard = Profile(names=(named("李伟", NameKind.HEARD, Basis.HEARD),))
    assert lr(name.compare, heard, stranger) == pytest.approx(np.log10(P["name.wrong_heard"]))


def test_a_nickname_only_speaks_for() -> None:
    heard = Profile(names=(named("小花", NameKind.HEARD, Basis.HEARD),))
    flower, other = named("阿花", NameKind.NICKNAME), named("王建国")
    assert name.compare(Profile(names=(flower,)), Profile(names=(other,)), P) is None
    against = lr(name.compare, heard, Profile(names=(other,)))
    assert against < -0.5
    # A nickname that says nothing hides no name that disagrees.
    assert lr(name.compare, heard, Profile(names=(other, named("阿牛", NameKind.NICKNAME)))) == against
    agreeing = lr(name.compare, heard, Profile(names=(other, flower)))
    as_name = Profile(names=(replace(flower, kind=NameKind.FULL),))
    assert 0 < agreeing == pytest.approx(lr(name.compare, heard, as_name) + np.log10(P["name.nickname"]))
