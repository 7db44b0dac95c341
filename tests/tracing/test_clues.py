"""Interviews and clues through the use cases, on both databases: facts follow, nothing is lost."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from matcher.vocabulary import AttributeKind, Basis, GalleryKind, KinRelation, NameKind, PlaceKind
from models.blocking import BlockingKey
from models.case import Case, CaseState
from models.clue import Clue, ClueConfidence, ClueKind
from models.interview import AudioFormat, Interview, InterviewAudio, InterviewMethod
from models.user import Role
from tests.factories.desk import Desk
from tests.factories.records import make_case
from tests.factories.world import World
from tracing import clues, interviews
from tracing.access import Viewer
from tracing.cases import CaseClosed, Circumstances, ReasonMissing, edit_case, load_case, move_case
from tracing.clues import ClueText
from tracing.facts import Facts, InvalidFacts
from tracing.interviews import Talk
from tracing.platform import audit, errors
from tracing.platform.db import read_only, unit_of_work
from tracing.profiles import current_facts, for_matcher
from tracing.services import Services

K, C = ClueKind, ClueConfidence
WAV = b"RIFF\x24\x08\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x44\xac\x00\x00" + bytes(64)


@pytest.fixture
def desk(any_services: Services, staff: Viewer, now: datetime) -> Desk:
    """A desk with a new case."""
    with unit_of_work(any_services.db) as session:
        case = make_case(session, any_services, staff, now=now)
    return Desk(any_services, staff, case.id, now)


def name(text: str, confidence: ClueConfidence = C.LIKELY) -> ClueText:
    return ClueText(K.NAME, text, confidence)


def test_what_is_heard_becomes_facts_and_the_search_runs_again(desk: Desk) -> None:
    before = desk.passes()
    place = ClueText(K.PLACE, "老家在思明那边", C.UNSURE, "350203")
    interview_id = desk.talk(name("阿珍"), place, ClueText(K.FOOD, "沙茶面", C.SURE), accent="3502")
    facts, source = desk.facts(), f"interview 2026-03-02 {str(interview_id)[:8]}"
    (heard,) = [one for one in facts.names if one.source == source]
    assert (heard.text, heard.kind, heard.basis) == ("阿珍", NameKind.HEARD, Basis.HEARD)
    (spot,) = [one for one in facts.places if one.source == source]
    assert (spot.division, spot.kind, spot.detail) == ("350203", PlaceKind.MENTIONED, "老家在思明那边")
    (accent,) = [one for one in facts.attributes if one.kind is AttributeKind.ACCENT]
    assert (accent.value, accent.basis, accent.source) == ("3502", Basis.HEARD, source)
    assert desk.passes() == before + 1
    desk.add(ClueText(K.SONG, "茉莉花", C.SURE))
    assert desk.passes() == before + 1, "a clue that the search cannot use yet asks for no pass"


def test_a_fact_keeps_how_sure_its_hearer_was_and_a_correction_of_that_alone_asks_for_a_pass(desk: Desk) -> None:
    first, *_ = desk.add(
        name("阿珍", C.UNSURE), ClueText(K.PLACE, "思明", C.LIKELY, "350203"), ClueText(K.KIN, "小军", C.SURE),
        ClueText(K.PHONE, "1367", C.UNSURE), ClueText(K.SCHOOL, "塘坑小学", C.LIKELY),
    )  # fmt: skip

    def sure(facts: Facts) -> list[ClueConfidence | None]:
        said = (facts.names, facts.places, facts.kin, facts.phones)
        school = [one for one in facts.attributes if one.kind is AttributeKind.SCHOOL]
        return [one.confidence for group in (*said, school) for one in group if one.source and "2026" in one.source]

    assert sure(desk.facts()) == [C.UNSURE, C.LIKELY, C.SURE, C.UNSURE, C.LIKELY]
    profile = for_matcher(desk.facts(), kind=GalleryKind.CASE, seen_on=None, seen_at=None, templates=[])
    assert C.UNSURE in [one.confidence for one in profile.names]
    assert profile.school is not None
    assert profile.school.confidence is C.LIKELY
    before = desk.passes()
    desk.correct(first, name("阿珍", C.SURE))
    assert sure(desk.facts())[0] is C.SURE
    assert desk.passes() == before + 1


def test_facts_that_are_typed_again_keep_the_confidence_of_their_clue(desk: Desk) -> None:
    desk.add(name("阿珍", C.UNSURE))
    with read_only(desk.services.db) as session:
        case = load_case(session, desk.staff, desk.case_id)
        version, facts = case.version, current_facts(case.profile)
    typed = replace(facts, names=tuple(replace(one, confidence=None) for one in facts.names))
    with unit_of_work(desk.services.db) as session:
        edit_case(
            session, desk.services, desk.staff, desk.case_id, Circumstances(desk.now.date()), typed,
            version=version, now=desk.now,
        )  # fmt: skip
    assert desk.facts() == facts


def test_a_correction_takes_the_place_of_the_old_one_and_keeps_it(desk: Desk) -> None:
    (first,) = desk.add(name("韦建国"))
    second = desk.correct(first, name("魏建国"))
    third = desk.correct(second, name("魏建国", C.SURE))
    assert desk.heard() == ["魏建国"]
    with read_only(desk.services.db) as session:
        chain = {row.id: row for row in clues.list_clues(session, desk.case_id)}
        assert [(one.id, one.text) for one in clues.list_clues(session, desk.case_id, standing=True)] == [
            (third, "魏建国")
        ]
    assert (chain[third].supersedes_id, chain[second].supersedes_id, chain[first].text) == (second, first, "韦建国")
    for gone in (first, second):
        with pytest.raises(clues.ClueEnded):
            desk.correct(gone, name("x"))
        with pytest.raises(clues.ClueEnded):
            desk.withdraw(gone)


def test_a_withdrawn_clue_takes_its_fact_along_unless_another_says_the_same(desk: Desk) -> None:
    first, second = desk.add(name("阿珍"), name("阿珍"))
    desk.withdraw(first)
    assert desk.heard() == ["阿珍"]
    desk.withdraw(second)
    assert desk.heard() == []
    with pytest.raises(ReasonMissing):
        desk.withdraw(desk.add(name("阿明"))[0], " ")


def test_an_accent_that_is_recorded_already_is_not_replaced_by_one_that_was_heard(desk: Desk) -> None:
    first, second = desk.add(
        ClueText(K.DIALECT, "讲闽南话", C.SURE, "3502"), ClueText(K.DIALECT, "“侬”", C.UNSURE, "31")
    )

    def accent() -> list[str]:
        return [one.value for one in desk.facts().attributes if one.kind is AttributeKind.ACCENT]

    assert accent() == ["3502"]
    desk.withdraw(second)
    assert accent() == ["3502"]
    desk.withdraw(first)
    assert accent() == []


def test_an_editor_who_has_the_case_open_does_not_wipe_out_what_was_heard(desk: Desk) -> None:
    with read_only(desk.services.db) as session:
        case = load_case(session, desk.staff, desk.case_id)
        version, facts = case.version, current_facts(case.profile)
    desk.add(name("阿珍"))
    with pytest.raises(errors.StaleVersion), unit_of_work(desk.services.db) as session:
        edit_case(
            session, desk.services, desk.staff, desk.case_id, Circumstances(desk.now.date()), facts,
            version=version, now=desk.now,
        )  # fmt: skip
    assert desk.heard() == ["阿珍"]


def test_a_withdrawn_interview_takes_its_clues_along(desk: Desk) -> None:
    interview_id = desk.talk(name("阿珍"), name("阿珍"), notes="弄错了人")
    with unit_of_work(desk.services.db) as session:
        interviews.withdraw_interview(
            session, desk.services, desk.staff, interview_id, reason="记到别人名下", now=desk.now
        )
    assert desk.heard() == []
    with read_only(desk.services.db) as session:
        assert session.scalar(select(func.count()).select_from(Clue).where(Clue.withdrawn_at.is_not(None))) == 2
    with pytest.raises(clues.InterviewEnded):
        desk.add(name("阿珍"), interview_id=interview_id)


def test_the_notes_are_sealed_and_opened_for_whoever_may_look(desk: Desk) -> None:
    desk.talk(notes="她说家里有条河")
    with unit_of_work(desk.services.db) as session:
        (view,) = interviews.list_interviews(session, desk.services, desk.staff, desk.case_id, now=desk.now)
        stored = session.scalars(select(Interview.notes_sealed)).one()
    assert view.notes == "她说家里有条河"
    assert stored is not None
    assert "河".encode() not in stored


def test_everything_wrong_is_told_at_once_and_nothing_is_kept(desk: Desk) -> None:
    talk = Talk(desk.now + timedelta(days=2), InterviewMethod.TALK, accent="99", language="x" * 90)
    given = (name("阿珍"), name(" "), ClueText(K.PLACE, "河边", C.SURE, "990000"))
    with pytest.raises(InvalidFacts) as refused, unit_of_work(desk.services.db) as session:
        interviews.record_interview(session, desk.services, desk.staff, desk.case_id, talk, given, now=desk.now)
    assert {one.field for one in refused.value.problems} == {
        "held_at", "accent", "language", "clues.1.text", "clues.2.division",
    }  # fmt: skip
    with read_only(desk.services.db) as session:
        assert session.scalar(select(func.count()).select_from(Interview)) == 0


def test_relatives_telephones_schools_and_workplaces_become_facts_that_a_correction_replaces(desk: Desk) -> None:
    son, _, school, work, number = desk.add(
        ClueText(K.KIN, "小军", C.SURE, relation=KinRelation.SON),
        ClueText(K.KIN, "阿珍", C.UNSURE),
        ClueText(K.SCHOOL, "红星小学", C.LIKELY),
        ClueText(K.WORK, "鞋厂", C.LIKELY),
        ClueText(K.PHONE, "幺三八开头，尾号 56-78", C.LIKELY),
    )

    def said() -> tuple[dict[str, KinRelation], dict[AttributeKind, str], list[str]]:
        facts = desk.facts()
        wanted = (AttributeKind.SCHOOL, AttributeKind.EMPLOYER)
        return (
            {one.text: one.relation for one in facts.kin},
            {one.kind: one.value for one in facts.attributes if one.kind in wanted},
            [one.digits for one in facts.phones],
        )

    places = {AttributeKind.SCHOOL: "红星小学", AttributeKind.EMPLOYER: "鞋厂"}
    assert said() == ({"小军": KinRelation.SON, "阿珍": KinRelation.OTHER}, places, ["5678"])
    desk.add(ClueText(K.SCHOOL, "第二小学", C.SURE), ClueText(K.PHONE, "记不清了", C.UNSURE))
    assert said()[1:] == (places, ["5678"]), "what is recorded stays, and words without digits are kept as a clue"
    with read_only(desk.services.db) as session:
        rows = {row.text: row for row in clues.list_clues(session, desk.case_id)}
        keys = set(session.scalars(select(BlockingKey.key)))
    assert {text for text, row in rows.items() if not row.in_profile} == {"第二小学", "记不清了"}
    assert {"t:5678"} <= keys, "who knows such a number is found by it"
    desk.correct(son, ClueText(K.KIN, "小君", C.SURE, relation=KinRelation.DAUGHTER))
    desk.correct(number, ClueText(K.PHONE, "138 1234 5678", C.SURE))
    desk.withdraw(school)
    desk.withdraw(work)
    assert said() == ({"小君": KinRelation.DAUGHTER, "阿珍": KinRelation.OTHER}, {}, ["13812345678"])


def test_a_relation_belongs_to_kin_alone(desk: Desk) -> None:
    wrong = ClueText(K.NAME, "小军", C.SURE, relation=KinRelation.SON)
    with pytest.raises(InvalidFacts) as refused:
        desk.add(ClueText(K.FOOD, "沙茶面", C.SURE), wrong)
    assert [one.field for one in refused.value.problems] == ["clues.1.relation"]
    (clue_id,) = desk.add(name("阿珍"))
    with pytest.raises(clues.RelationWithoutKin) as named:
        desk.correct(clue_id, wrong)
    assert named.value.field == "relation"


def test_a_closed_case_takes_no_more(desk: Desk) -> None:
    (clue_id,) = desk.add(name("阿珍"))
    with unit_of_work(desk.services.db) as session:
        for state in (CaseState.LEFT, CaseState.CLOSED):
            move_case(session, desk.services, desk.staff, desk.case_id, state, reason="离站", now=desk.now)
    attempts: tuple[Callable[[], object], ...] = (
        lambda: desk.add(name("阿明")), desk.talk, lambda: desk.withdraw(clue_id),
    )  # fmt: skip
    for attempt in attempts:
        with pytest.raises(CaseClosed):
            attempt()


def test_a_recording_is_checked_sealed_and_heard_on_record(desk: Desk) -> None:
    interview_id, services, now = desk.talk(), desk.services, desk.now
    small = services.settings.model_copy(update={"audio": services.settings.audio.model_copy(update={"max_bytes": 50})})
    for data, limits, refused in (
        (b"", services.settings, interviews.AudioEmpty),
        (b"MZ" + bytes(200), services.settings, interviews.AudioUnknownFormat),
        (WAV, small, interviews.AudioTooLarge),
    ):
        with pytest.raises(refused):
            interviews.prepare_audio(data, limits)
    prepared = interviews.prepare_audio(WAV, services.settings)
    ids = set()
    for _ in range(2):
        with unit_of_work(services.db) as session:
            ids.add(interviews.add_audio(session, services, desk.staff, interview_id, prepared, now=now).id)
    (audio_id,) = ids
    assert WAV not in services.store.get(str(audio_id))
    with unit_of_work(services.db) as session:
        assert interviews.open_audio(session, services, desk.staff, audio_id, now=now) == (WAV, AudioFormat.WAV)
        interviews.remove_audio(session, services, desk.staff, audio_id, now=now)
    with pytest.raises(errors.NotFound), unit_of_work(services.db) as session:
        interviews.open_audio(session, services, desk.staff, audio_id, now=now)
    limit = services.settings.audio.max_per_interview
    others = [interviews.prepare_audio(WAV + bytes([number]), services.settings) for number in range(limit + 1)]
    with unit_of_work(services.db) as session:
        for other in others[:limit]:
            interviews.add_audio(session, services, desk.staff, interview_id, other, now=now)
    with pytest.raises(interviews.TooManyRecordings), unit_of_work(services.db) as session:
        interviews.add_audio(session, services, desk.staff, interview_id, others[limit], now=now)
    with read_only(services.db) as session:
        assert session.scalar(select(func.count()).select_from(InterviewAudio)) == limit + 1


@pytest.mark.parametrize("role", [one for one in Role if one not in (Role.STATION_STAFF, Role.CASEWORKER)])
def test_who_may_not_write(role: Role, services: Services, staff: Viewer, world: World, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, now=now)
    other = Desk(services, world.viewer(world.a.users[role]), case.id, now)
    with pytest.raises(errors.Forbidden):
        other.add(name("阿珍"))


TEXTS = st.sampled_from(["阿珍", "阿明", "韦建国", "老家", "二妹"])
GIVEN = st.builds(
    ClueText,
    st.sampled_from([K.NAME, K.NAME, K.PLACE, K.KIN, K.SCHOOL]),
    TEXTS,
    st.sampled_from(list(C)),
    st.sampled_from([None, "350203", "45"]),
)


def machine(services: Services, staff: Viewer, now: datetime) -> type[RuleBasedStateMachine]:
    """Clues added, corrected and withdrawn in any order, beside a plain list of what was said."""

    class Clues(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.said: dict[uuid.UUID, ClueText] = {}
            self.standing: list[uuid.UUID] = []
            self.older: dict[uuid.UUID, uuid.UUID] = {}
            self.clock = now

        @initialize()
        def admit(self) -> None:
            with unit_of_work(services.db) as session:
                case = make_case(session, services, staff, now=now)
            self.desk = Desk(services, staff, case.id, now)

        @rule(given=st.lists(GIVEN, min_size=1, max_size=3), of_talk=st.booleans())
        def hear(self, given: list[ClueText], of_talk: bool) -> None:
            interview_id = self.desk.talk() if of_talk else None
            for one, clue_id in zip(given, self.desk.add(*given, interview_id=interview_id), strict=True):
                self.said[clue_id] = one
                self.standing.append(clue_id)

        @precondition(lambda self: self.standing)
        @rule(data=st.data(), given=GIVEN)
        def correct(self, data: st.DataObject, given: ClueText) -> None:
            old = data.draw(st.sampled_from(self.standing))
            new = self.desk.correct(old, given)
            self.standing[self.standing.index(old)] = new
            self.said[new], self.older[new] = given, old

        @precondition(lambda self: self.standing)
        @rule(data=st.data())
        def withdraw(self, data: st.DataObject) -> None:
            gone = data.draw(st.sampled_from(self.standing))
            self.desk.withdraw(gone)
            self.standing.remove(gone)

        @precondition(lambda self: len(self.said) > len(self.standing))
        @rule(data=st.data())
        def touch_what_has_ended(self, data: st.DataObject) -> None:
            ended = data.draw(st.sampled_from(sorted(set(self.said) - set(self.standing), key=str)))
            with pytest.raises(clues.ClueEnded):
                self.desk.withdraw(ended)

        @invariant()
        def nothing_is_lost(self) -> None:
            if not self.said:
                return
            with read_only(services.db) as session:
                rows = clues.list_clues(session, self.desk.case_id)
            assert {row.id: ClueText(row.kind, row.text, row.confidence, row.division) for row in rows} == self.said
            assert {row.id for row in rows if row.stands} == set(self.standing)
            assert {row.id: row.supersedes_id for row in rows if row.supersedes_id} == self.older

        @invariant()
        def the_profile_says_what_stands(self) -> None:
            if not self.said:
                return
            stands = [self.said[one] for one in self.standing]
            facts = self.desk.facts()
            assert set(self.desk.heard()) == {one.text for one in stands if one.kind is K.NAME}
            spots = {(one.division, one.detail) for one in facts.places if one.kind is PlaceKind.MENTIONED}
            assert spots == {(one.division, one.text) for one in stands if one.kind is K.PLACE and one.division}

        def teardown(self) -> None:
            with read_only(services.db) as session:
                assert audit.verify(session).ok
                assert session.scalar(select(func.count()).select_from(Case))

    return Clues


def test_no_clue_is_ever_lost(any_services: Services, staff: Viewer, now: datetime) -> None:
    run_state_machine_as_test(
        machine(any_services, staff, now),
        settings=settings(
            max_examples=4, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
