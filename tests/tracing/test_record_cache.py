"""The cache of described records: one revision each, bounded, and nothing of an erased person."""

import uuid
from datetime import datetime

from matcher.vocabulary import GalleryKind
from models.case import Case
from models.profile import Profile
from tests.factories.records import facts, make_case
from tracing.access import Viewer
from tracing.cases import Circumstances, edit_case
from tracing.matching_records import read_records
from tracing.platform.db import read_only, unit_of_work
from tracing.record_cache import RecordCache
from tracing.services import Services


def test_only_the_revision_asked_for_is_given() -> None:
    cache: RecordCache[str] = RecordCache(10, 60)
    one = uuid.uuid4()
    cache.put(one, 1, "a")
    assert cache.get(one, 1) == "a"
    assert cache.get(one, 2) is None
    assert len(cache) == 0


def test_the_oldest_go_when_there_are_too_many_or_too_old() -> None:
    cache: RecordCache[int] = RecordCache(2, 60)
    ids = [uuid.uuid4() for _ in range(3)]
    for number, one in enumerate(ids):
        cache.put(one, 1, number)
    assert [cache.get(one, 1) for one in ids] == [None, 1, 2]
    old: RecordCache[int] = RecordCache(2, -1)
    old.put(ids[0], 1, 0)
    assert old.get(ids[0], 1) is None
    none: RecordCache[int] = RecordCache(0, 60)
    none.put(ids[0], 1, 0)
    assert len(none) == 0


def test_records_are_read_once_a_revision_and_an_erased_person_never_again(
    any_services: Services, staff: Viewer, now: datetime
) -> None:
    services = any_services
    with unit_of_work(services.db) as session:
        case_id = make_case(session, services, staff, known=facts(name="韦建国"), now=now).id

    def name() -> list[str]:
        with read_only(services.db) as session:
            found = read_records(session, services, GalleryKind.CASE, [case_id], "none")
        return [one.profile.names[0].text for one in found.values()]

    assert name() == name() == ["韦建国"]
    assert len(services.records) == 1
    with unit_of_work(services.db) as session:
        day = services.local_day(now)
        edit_case(
            session, services, staff, case_id, Circumstances(day, day), facts(name="李海燕"), version=None, now=now
        )
    assert name() == ["李海燕"]
    with unit_of_work(services.db) as session:
        profile = session.get_one(Profile, session.get_one(Case, case_id).profile_id)
        services.vault.destroy(session, profile.subject_id, now)
    assert name() == []
    assert len(services.records) == 0
