"""Photographs: taken in once, sealed, limited, removed, and shown to those who may look."""

import uuid
from datetime import datetime
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import func, select

from matcher.vocabulary import GalleryKind
from models.case import Case, CaseState
from models.face import Face
from models.photo import AnalysisState, Photo
from models.profile import Profile
from models.user import Role
from tests.factories.faces import BLUE, GREEN, GREY, RED, ColourFaceEngine, make_photo_bytes, with_colour_faces
from tests.factories.records import attach, make_case
from tests.factories.stories import judged_case, run_jobs
from tests.factories.world import World
from tracing.access import Viewer
from tracing.photo_refusals import (
    PhotoAnimated,
    PhotoEmpty,
    PhotoRefused,
    PhotoTooLarge,
    PhotoTooManyPixels,
    PhotoTooSmall,
    PhotoTruncated,
    PhotoUnknownFormat,
)
from tracing.photos import (
    FaceUnknown,
    OwnerClosed,
    PhotoSize,
    TooManyPhotos,
    choose_face,
    get_photo,
    list_photos,
    open_photo,
    prepare_photo,
    remove_photo,
)
from tracing.platform import errors
from tracing.platform.db import read_only, unit_of_work
from tracing.services import Services

CASE = GalleryKind.CASE


@pytest.fixture
def case(any_services: Services, staff: Viewer, now: datetime) -> Case:
    with unit_of_work(any_services.db) as session:
        return make_case(session, any_services, staff, now=now)


def add(services: Services, viewer: Viewer, owner_id: uuid.UUID, now: datetime, data: bytes | None = None) -> Photo:
    with unit_of_work(services.db) as session:
        return attach(session, services, viewer, CASE, owner_id, data, now=now)


def remove(services: Services, viewer: Viewer, photo_id: uuid.UUID, now: datetime) -> None:
    with unit_of_work(services.db) as session:
        remove_photo(session, services, viewer, photo_id, now=now)


def look(
    services: Services, viewer: Viewer, photo_id: uuid.UUID, now: datetime, size: PhotoSize = PhotoSize.FULL
) -> Image.Image:
    with unit_of_work(services.db) as session:
        return Image.open(BytesIO(open_photo(session, services, viewer, photo_id, size=size, now=now)))


def shown(services: Services, profile_id: uuid.UUID) -> list[Photo]:
    with read_only(services.db) as session:
        return list_photos(session, profile_id)


def revision(services: Services, profile_id: uuid.UUID) -> int:
    with read_only(services.db) as session:
        return session.get_one(Profile, profile_id).revision


def gif(frames: int) -> bytes:
    target = BytesIO()
    pictures = [Image.new("RGB", (100, 100), (index * 60, 0, 0)) for index in range(frames)]
    pictures[0].save(target, "PNG", save_all=True, append_images=pictures[1:])
    return target.getvalue()


def test_the_same_file_twice_is_one_photograph(
    any_services: Services, staff: Viewer, case: Case, now: datetime
) -> None:
    first = add(any_services, staff, case.id, now)
    before = revision(any_services, case.profile_id)
    second = add(any_services, staff, case.id, now)
    assert second.id == first.id
    assert revision(any_services, case.profile_id) == before
    assert len(shown(any_services, case.profile_id)) == 1
    assert add(any_services, staff, case.id, now, make_photo_bytes(GREEN)).id != first.id
    assert len(list(any_services.store.keys())) == 2


def test_the_same_file_for_two_people_has_two_digests(
    any_services: Services, staff: Viewer, case: Case, now: datetime
) -> None:
    with unit_of_work(any_services.db) as session:
        other = make_case(session, any_services, staff, now=now)
    first, second = add(any_services, staff, case.id, now), add(any_services, staff, other.id, now)
    assert first.id != second.id
    assert first.digest != second.digest


def test_a_file_is_sealed_and_comes_back_without_its_metadata(
    any_services: Services, staff: Viewer, case: Case, now: datetime
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[1] = "N"
    target = BytesIO()
    Image.open(BytesIO(make_photo_bytes(RED))).save(target, "JPEG", exif=exif)
    assert b"SECRETCAMERA" in target.getvalue()
    photo = add(any_services, staff, case.id, now, target.getvalue())
    stored = any_services.store.get(str(photo.id))
    assert b"JFIF" not in stored
    assert not stored.startswith(b"\xff\xd8")
    picture = look(any_services, staff, photo.id, now)
    assert picture.format == "JPEG"
    assert (picture.width, picture.height) == (photo.width, photo.height) == (100, 120)
    assert not picture.getexif()


def test_a_person_has_a_limited_number_of_photographs(
    any_services: Services, staff: Viewer, case: Case, now: datetime
) -> None:
    limit = any_services.settings.photos.max_per_person
    for index in range(limit):
        add(any_services, staff, case.id, now, make_photo_bytes((index * 20, 200, 0)))
    with pytest.raises(TooManyPhotos) as refused:
        add(any_services, staff, case.id, now, make_photo_bytes(BLUE))
    assert refused.value.params["limit"] == limit
    add(any_services, staff, case.id, now, make_photo_bytes((0, 200, 0)))  # one that is there already
    remove(any_services, staff, shown(any_services, case.profile_id)[0].id, now)
    add(any_services, staff, case.id, now, make_photo_bytes(BLUE))
    assert len(shown(any_services, case.profile_id)) == limit


def test_a_removed_photograph_is_gone_until_it_is_sent_again(
    any_services: Services, staff: Viewer, case: Case, now: datetime
) -> None:
    photo = add(any_services, staff, case.id, now)
    before = revision(any_services, case.profile_id)
    remove(any_services, staff, photo.id, now)
    assert revision(any_services, case.profile_id) == before + 1
    assert shown(any_services, case.profile_id) == []
    with pytest.raises(errors.NotFound):
        look(any_services, staff, photo.id, now)
    with pytest.raises(errors.NotFound):
        remove(any_services, staff, photo.id, now)
    assert add(any_services, staff, case.id, now).id == photo.id
    assert look(any_services, staff, photo.id, now).width == 100


def test_who_adds_and_removes_and_who_does_not_even_see(
    services: Services, world: World, staff: Viewer, now: datetime
) -> None:
    with unit_of_work(services.db) as session:
        case = make_case(session, services, staff, now=now)
    photo = add(services, staff, case.id, now)
    lookers = set()
    for viewer in world.viewers():
        try:
            look(services, viewer, photo.id, now)
            lookers.add(viewer.user_id)
        except errors.NotFound:
            pass
        if viewer.user_id == staff.user_id:
            continue
        with pytest.raises((errors.Forbidden, errors.NotFound)):
            add(services, viewer, case.id, now, make_photo_bytes(BLUE))
        with pytest.raises((errors.Forbidden, errors.NotFound)):
            remove(services, viewer, photo.id, now)
    roles = (Role.POLICE_EXAMINER, Role.POLICE_SUPERVISOR, Role.CASEWORKER, Role.BUREAU_SUPERVISOR)
    expected = {staff.user_id, world.a.examiners[1].id} | {world.a.users[role].id for role in roles}
    assert lookers == expected
    assert len(shown(services, case.profile_id)) == 1


def test_a_closed_case_takes_no_photograph(services: Services, world: World, staff: Viewer, now: datetime) -> None:
    story = judged_case(services, world, CaseState.CLOSED, now=now)
    with pytest.raises(OwnerClosed):
        add(services, staff, story.case_id, now)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", PhotoEmpty),
        (b"not a picture at all", PhotoUnknownFormat),
        (make_photo_bytes(RED)[:400], PhotoTruncated),
        (make_photo_bytes(RED, width=79), PhotoTooSmall),
        (gif(3), PhotoAnimated),
    ],
)
def test_what_is_refused(services: Services, data: bytes, refusal: type[PhotoRefused]) -> None:
    with pytest.raises(refusal) as refused:
        prepare_photo(data, services.settings)
    assert refused.value.field == "photo"
    assert "{" not in refused.value.message.format(**refused.value.params)


def test_limits_of_the_settings_hold(services: Services) -> None:
    photo = make_photo_bytes(RED, width=200, height=200)
    limits = services.settings.photos
    few_bytes = services.settings.model_copy(update={"photos": limits.model_copy(update={"max_bytes": len(photo) - 1})})
    few_pixels = services.settings.model_copy(update={"photos": limits.model_copy(update={"max_pixels": 39_999})})
    small = services.settings.model_copy(update={"photos": limits.model_copy(update={"max_side": 100})})
    with pytest.raises(PhotoTooLarge):
        prepare_photo(photo, few_bytes)
    with pytest.raises(PhotoTooManyPixels):
        prepare_photo(photo, few_pixels)
    shrunk = prepare_photo(photo, small)
    assert (shrunk.width, shrunk.height) == (100, 100)


@pytest.mark.parametrize(
    ("colours", "state", "chosen"),
    [
        ((GREY,), AnalysisState.NO_FACE, []),
        ((RED,), AnalysisState.READY, [True]),
        ((RED, GREEN), AnalysisState.SEVERAL_FACES, [False, False]),
    ],
)
def test_what_the_engine_made_of_it(
    any_services: Services,
    staff: Viewer,
    case: Case,
    now: datetime,
    colours: tuple[tuple[int, int, int], ...],
    state: AnalysisState,
    chosen: list[bool],
) -> None:
    services = with_colour_faces(any_services)
    photo = add(services, staff, case.id, now, make_photo_bytes(*colours))
    assert photo.analysis is AnalysisState.PENDING
    run_jobs(services, now)
    (found,) = shown(services, case.profile_id)
    assert (found.analysis, found.analysed_with) == (state, ColourFaceEngine.model_version)
    assert [face.chosen for face in found.faces] == chosen
    with read_only(services.db) as session:
        sealed = session.scalars(select(Face.embedding_sealed)).all()
    assert all(len(one) > 12 + 3 * 4 for one in sealed)


def test_without_an_engine_it_says_so(any_services: Services, staff: Viewer, case: Case, now: datetime) -> None:
    add(any_services, staff, case.id, now)
    run_jobs(any_services, now)
    (found,) = shown(any_services, case.profile_id)
    assert (found.analysis, found.faces) == (AnalysisState.UNAVAILABLE, [])


def test_the_operator_chooses_among_several_faces(
    any_services: Services, staff: Viewer, case: Case, now: datetime
) -> None:
    services = with_colour_faces(any_services)
    photo = add(services, staff, case.id, now, make_photo_bytes(RED, GREEN))
    run_jobs(services, now)
    first, second = shown(services, case.profile_id)[0].faces
    before = revision(services, case.profile_id)
    for chosen in (first, second, second):
        with unit_of_work(services.db) as session:
            assert choose_face(session, services, staff, photo.id, chosen.id, now=now).analysis is AnalysisState.READY
    assert [face.chosen for face in shown(services, case.profile_id)[0].faces] == [False, True]
    assert revision(services, case.profile_id) == before + 2  # choosing the same face again changes nothing
    with pytest.raises(FaceUnknown), unit_of_work(services.db) as session:
        choose_face(session, services, staff, photo.id, uuid.uuid4(), now=now)


def test_a_photograph_is_shown_small_and_cut_to_the_face(
    any_services: Services, staff: Viewer, case: Case, now: datetime
) -> None:
    services = with_colour_faces(any_services)
    wide = add(services, staff, case.id, now, make_photo_bytes(GREY, GREY, RED, GREY, GREY, GREY))
    run_jobs(services, now)
    assert look(services, staff, wide.id, now).size == (600, 120)
    assert look(services, staff, wide.id, now, PhotoSize.THUMBNAIL).width == 320
    face = look(services, staff, wide.id, now, PhotoSize.FACE)
    assert face.size == (220, 120)  # the panel and 0.6 of its width either side
    middle = face.convert("RGB").getpixel((110, 60))
    assert isinstance(middle, tuple)
    assert middle[0] > 200 > 60 > middle[2]
    assert look(services, staff, wide.id, now, PhotoSize.ALIGNED).size == face.size, (
        "two points do not say how it stands"
    )


def test_a_face_with_five_landmarks_is_shown_upright(
    any_services: Services, staff: Viewer, case: Case, now: datetime
) -> None:
    services = with_colour_faces(any_services)
    photo = add(services, staff, case.id, now, make_photo_bytes(RED, BLUE))
    run_jobs(services, now)
    side = [(70, 74), (70, 66), (70, 46), (70, 54), (50, 60)]  # lying on its side, in the left panel
    with unit_of_work(services.db) as session:
        face = session.scalars(select(Face).where(Face.photo_id == photo.id).order_by(Face.ordinal)).first()
        assert face is not None
        face.landmarks, face.chosen = [list(point) for point in side], True
    upright = look(services, staff, photo.id, now, PhotoSize.ALIGNED).convert("RGB")
    assert upright.size == (640, 640)
    below, above = upright.getpixel((320, 500)), upright.getpixel((320, 60))
    assert isinstance(below, tuple)
    assert isinstance(above, tuple)
    assert below[0] > 200 > 60 > below[2], "down the face is to the left in the photograph"
    assert above[2] > 200 > 60 > above[0], "up it is to the right, into the other panel"


def test_a_broken_transaction_leaves_no_photograph(
    any_services: Services, staff: Viewer, case: Case, now: datetime
) -> None:
    def attach_and_fail() -> None:
        with unit_of_work(any_services.db) as session:
            attach(session, any_services, staff, CASE, case.id, now=now)
            get_photo(session, staff, uuid.uuid4(), now=now)

    with pytest.raises(errors.NotFound):
        attach_and_fail()
    assert shown(any_services, case.profile_id) == []
    with read_only(any_services.db) as session:
        assert not session.scalar(select(func.count()).select_from(Photo))
    assert add(any_services, staff, case.id, now).analysis is AnalysisState.PENDING
