import pytest

from doorward.core.errors import Invalid, NotFound
from doorward.gallery import service as gallery
from doorward.gallery.rules import MOST_REFUSED
from doorward.people import service
from doorward.people.drivers.blind_matcher import BlindMatcher
from doorward.people.model import Basis
from doorward.vault.service import list_photos
from doorward.vision.model import FaceProblem
from tests.gallery.site import Liar, one_word
from tests.people.office import Office, near, photo, photos


def test_three_good_photos_enrol_a_face_that_is_known_again(office: Office) -> None:
    person_id = office.known(1)
    assert (office.who(1), office.who(2)) == (person_id, None)


def test_a_refused_photo_never_counts_although_it_shows_a_face(office: Office) -> None:
    person_id = office.person()
    shown = [photo(1), photo(1, 1, FaceProblem.BLURRED), photo(1, 2, FaceProblem.TOO_DARK)]
    answer = office.enrol(person_id, shown)
    assert not answer.enrolled
    assert [frame.accepted for frame in answer.frames] == [True, False, False]
    assert [frame.reason for frame in answer.frames[1:]] == [
        FaceProblem.BLURRED.advice,
        FaceProblem.TOO_DARK.advice,
    ]
    assert office.who(1) is None


def test_photos_refused_alone_enrol_nobody_even_with_a_stated_reason(office: Office) -> None:
    person_id = office.person()
    answer = office.enrol(person_id, [photo(1, 0, FaceProblem.BLURRED)], override_reason="bad lighting here")
    assert not answer.enrolled
    assert office.who(1) is None


def test_one_good_photo_needs_a_stated_reason_that_stays_sealed(office: Office) -> None:
    person_id = office.person()
    assert not office.enrol(person_id, photos(1, 1)).enrolled
    with pytest.raises(Invalid):
        office.enrol(person_id, photos(1, 1), override_reason="no")
    assert office.enrol(person_id, photos(1, 1), override_reason="camera broke, Ms Lovelace left").enrolled
    ((_, _, facts),) = office.events("face.enrolled")
    assert facts["overridden"] is True
    assert "Lovelace" not in str(facts)


def test_a_photo_of_somebody_else_is_refused_among_the_others(office: Office) -> None:
    person_id = office.person()
    answer = office.enrol(person_id, [*photos(1), photo(2)])
    assert answer.enrolled
    assert [frame.accepted for frame in answer.frames] == [True, True, True, False]
    assert "somebody else" in answer.frames[3].reason
    assert office.who(2) is None


def test_one_photo_sent_three_times_is_one_photo(office: Office) -> None:
    answer = office.enrol(office.person(), [photo(1), photo(1), photo(1)])
    assert not answer.enrolled
    assert [frame.accepted for frame in answer.frames] == [True, False, False]
    assert "same as another" in answer.frames[1].reason


def test_a_photo_sent_twice_outvotes_nobody(office: Office) -> None:
    shown = [photo(2), photo(2), photo(2), photo(1), photo(1, 1)]
    answer = office.enrol(office.person(), shown, override_reason="the camera is broken")
    assert [frame.accepted for frame in answer.frames] == [False, False, False, True, True]


def test_two_photos_that_disagree_are_both_refused(office: Office) -> None:
    answer = office.enrol(office.person(), [photo(1), photo(2)], override_reason="only these two exist")
    assert [frame.accepted for frame in answer.frames] == [False, False]
    assert not answer.enrolled


def test_a_face_like_another_enrolled_one_waits_for_a_second_look(office: Office) -> None:
    first, twin = office.known(1), office.person()
    answer = office.enrol(twin, photos(1))
    assert (answer.enrolled, answer.likely_same_as) == (False, (first,))
    assert office.who(1) == first
    assert office.enrol(twin, photos(1), distinct_reason="twins, both seen at once").enrolled


def test_a_former_face_of_ones_own_hides_no_other_person_who_looks_alike(office: Office) -> None:
    first, twin = office.known(1), office.person()
    assert office.enrol(twin, photos(1), distinct_reason="twins, both seen at once").enrolled
    again = office.enrol(twin, photos(1))
    assert (again.enrolled, again.likely_same_as) == (False, (first,))


@pytest.mark.parametrize("basis", [Basis.CONTRACT, Basis.LEGITIMATE_INTEREST])
def test_no_face_is_kept_on_a_basis_that_does_not_allow_one(office: Office, basis: Basis) -> None:
    person_id = office.person()
    with pytest.raises(Invalid, match="consent"):
        office.enrol(person_id, photos(1), basis=basis)


def test_no_face_is_kept_without_the_version_of_a_notice(office: Office) -> None:
    with pytest.raises(Invalid, match="notice"):
        office.enrol(office.person(), photos(1), notice="")


def test_enrolling_again_replaces_the_former_face(office: Office) -> None:
    person_id = office.known(1)
    assert office.enrol(person_id, photos(5)).enrolled
    assert (office.who(1), office.who(5)) == (None, person_id)


def test_photos_are_kept_only_beside_a_face_whose_basis_covers_them(office: Office) -> None:
    person_id = office.person()
    with office.unit() as unit, pytest.raises(NotFound):
        service.keep_photos(unit, office.recogniser, person_id, [b"jpeg"])
    office.enrol(person_id, photos(1), basis=Basis.VITAL_INTEREST)
    with office.unit() as unit, pytest.raises(Invalid):
        service.keep_photos(unit, office.recogniser, person_id, [b"jpeg"])
    office.enrol(person_id, photos(1), basis=Basis.CONSENT)
    with office.unit() as unit:
        kept = service.keep_photos(unit, office.recogniser, person_id, [b"one", b"two"])
        assert len(kept) == 2
        assert sorted(list_photos(unit, person_id)) == sorted(kept)


def test_photos_go_when_a_new_basis_of_the_face_does_not_cover_them(office: Office) -> None:
    person_id = office.known(1)
    with office.unit() as unit:
        service.keep_photos(unit, office.recogniser, person_id, [b"jpeg"])
    assert office.enrol(person_id, photos(1)).enrolled
    with office.unit() as unit:
        assert len(list_photos(unit, person_id)) == 1
    assert office.enrol(person_id, photos(1), basis=Basis.VITAL_INTEREST).enrolled
    with office.unit() as unit:
        assert list_photos(unit, person_id) == []


def test_withdrawing_a_face_forgets_photos_too_and_leaves_the_card(office: Office) -> None:
    person_id = office.known(1)
    with office.unit() as unit:
        service.keep_photos(unit, office.recogniser, person_id, [b"jpeg"])
        service.add_card(unit, office.vault, person_id, "04A1B2C3")
    with office.unit() as unit:
        service.withdraw_face(unit, office.recogniser, person_id)
    with office.unit() as unit:
        assert list_photos(unit, person_id) == []
        assert service.find_by_card(unit, office.vault, "04A1B2C3") == person_id
    assert office.who(1) is None


def test_a_rolled_back_enrolment_opens_nothing_and_hides_no_later_change(office: Office) -> None:
    stays, goes = office.known(1), office.person()
    with pytest.raises(KeyError), office.unit() as unit:
        shown = [photo(2, shot) for shot in range(3)]
        service.enrol_face(unit, office.recogniser, goes, shown, basis=Basis.CONSENT, notice="1")
        assert service.identify_face(unit, office.recogniser, near(2), one_in=200) == goes
        raise KeyError
    with office.unit() as unit:
        service.withdraw_face(unit, office.recogniser, stays)
    assert (office.who(1), office.who(2)) == (None, None)


def test_a_rolled_back_change_followed_by_several_others_is_noticed_as_well(office: Office) -> None:
    stays, goes = office.known(1), office.person()
    with pytest.raises(KeyError), office.unit() as unit:
        service.withdraw_face(unit, office.recogniser, stays)
        assert service.identify_face(unit, office.recogniser, near(1), one_in=200) is None
        raise KeyError
    office.known(3)
    office.enrol(goes, photos(4))
    assert (office.who(1), office.who(4)) == (stays, goes)


def test_another_process_learns_of_every_change(office: Office) -> None:
    other = office.another_process()
    first = office.known(1)
    assert office.who(1, other) == first
    second = office.known(2)
    with office.unit() as unit:
        service.withdraw_face(unit, office.recogniser, first)
    assert (office.who(1, other), office.who(2, other)) == (None, second)


def test_loading_the_gallery_is_audited_once_with_its_size(office: Office) -> None:
    office.known(1)
    fresh = office.another_process()
    before = len(office.events("gallery.loaded"))
    with office.unit() as unit:
        assert service.load_gallery(unit, fresh) == 1
    office.who(1, fresh)
    entries = office.events("gallery.loaded")
    assert (len(entries), entries[0][2]) == (before + 1, {"faces": 1, "plates": 0})


def test_a_face_of_one_site_is_unknown_at_another(office: Office) -> None:
    person_id = office.known(1)
    with office.unit("site_other") as unit:
        assert service.identify_face(unit, office.recogniser, near(1), one_in=200) is None
        assert not service.verify_face(unit, office.recogniser, person_id, near(1), one_in=10_000)


def test_nobody_is_enrolled_whom_a_doubted_search_could_not_compare(office: Office) -> None:
    """Else a wrong answer, or many questions, would spare the second look at a face like another's."""
    first = office.known(1)
    assert isinstance(office.recogniser.matcher, BlindMatcher)
    keyholder = office.recogniser.matcher.keyholder
    honest, keyholder.matcher = keyholder.matcher, Liar(keyholder.matcher, one_word)
    twin = office.person()
    refused = office.enrol(twin, photos(1))
    assert not refused.enrolled and "compared" in refused.reason
    keyholder.matcher = honest
    assert not office.enrol(twin, photos(1)).enrolled
    with office.unit() as unit:
        gallery.trust_again(unit, keyholder)
    assert office.enrol(twin, photos(1)).likely_same_as == (first,)
    for seed in range(100, 100 + int(MOST_REFUSED)):
        assert office.who(seed) is None
    refused = office.enrol(office.person(), photos(2))
    assert not refused.enrolled and "compared" in refused.reason
