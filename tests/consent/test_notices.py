"""Notices: complete or not published, and never edited."""

import pytest
from django.db import DatabaseError, connection, transaction

from audit.actions import Action
from audit.models import Entry
from consent import notice, persuasion, selectors, services
from consent.errors import NoticeIncompleteError, NoticeOutdatedError, NoticePersuadesError
from governance import authorizer
from tests.consent.conftest import INES, PURPOSE
from tests.consent.notices import content


@pytest.mark.parametrize("item", notice.ITEMS, ids=lambda item: f"{item.field}-{item.article}")
@pytest.mark.parametrize("spoiled", [None, "", " ", [], {}, 7, {"name": ""}])
def test_r06_a_notice_without_one_item_of_article_13_is_refused_by_name(
    item: notice.Item, spoiled: object
) -> None:
    with pytest.raises(NoticeIncompleteError) as caught:
        notice.check(content() | {item.field: spoiled})
    assert caught.value.fields == [item.field]


def test_a_notice_with_an_unknown_part_or_an_unexplained_cell_is_refused() -> None:
    notice.check(content())
    with pytest.raises(NoticeIncompleteError, match="reward"):
        notice.check(content() | {"reward": "A mug."})
    with pytest.raises(NoticeIncompleteError, match="retention of freight-desk/pointer"):
        notice.check(content(applications=["freight-desk"]) | {"applications": {"other": "Other"}})


@pytest.mark.django_db
def test_r07_what_was_published_is_kept_as_it_was_read_and_not_even_the_database_edits_it() -> None:
    (first,) = services.publish_notice(purpose=PURPOSE, texts={"en": content()}, actor=INES)
    services.publish_notice(purpose=PURPOSE, texts={"en": content(days=30)}, actor=INES)
    for statement in (
        "UPDATE consent_notice_version SET content_digest = '0'",
        "UPDATE consent_notice_version SET content = '{}'",
        "DELETE FROM consent_notice_version",
    ):
        with (
            connection.cursor() as cursor,
            authorizer.lifted(connection),
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
        ):
            cursor.execute(statement)
    kept = selectors.notice_version(reference=first.reference, language="en")
    assert kept is not None
    assert kept.content == content()
    assert kept.content_digest == first.content_digest == notice.digest(content())


@pytest.mark.django_db
def test_publishing_numbers_up_and_the_same_text_again_changes_nothing() -> None:
    first = services.publish_notice(purpose=PURPOSE, texts={"en": content()}, actor=INES)
    again = services.publish_notice(purpose=PURPOSE, texts={"en": content()}, actor=INES)
    assert [v.id for v in first] == [v.id for v in again]
    second = services.publish_notice(
        purpose=PURPOSE, texts={"en": content(days=30), "de": content(days=30)}, actor=INES
    )
    assert [(v.reference, v.language) for v in second] == [
        (f"{PURPOSE}@2", "de"),
        (f"{PURPOSE}@2", "en"),
    ]
    assert Entry.objects.filter(event=Action.NOTICE_PUBLISHED).count() == 2
    archived = selectors.notice_version(reference=f"{PURPOSE}@1", language="en")
    assert archived is not None
    assert archived.content == content()
    assert archived.content_digest == notice.digest(content())


@pytest.mark.django_db
def test_r07_a_language_without_the_newest_text_has_no_notice() -> None:
    services.publish_notice(purpose=PURPOSE, texts={"en": content(), "de": content()}, actor=INES)
    services.publish_notice(purpose=PURPOSE, texts={"en": content(days=1)}, actor=INES)
    assert selectors.current_notice(purpose=PURPOSE, language="de") is None
    assert selectors.notice_languages(purpose=PURPOSE) == ["en"]
    with pytest.raises(NoticeOutdatedError):
        services.publish_notice(purpose=PURPOSE, texts={}, actor=INES)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "reference", ["", "@", "x", f"{PURPOSE}@", f"{PURPOSE}@-1", "x@9999999999"]
)
def test_a_reference_that_names_nothing_finds_nothing(reference: str) -> None:
    assert selectors.notice_version(reference=reference, language="en") is None


@pytest.mark.parametrize(
    ("language", "field", "text", "word"),
    [
        ("en", "introduction", "Help our models just by doing your job.", "Help our"),
        ("en", "title", "Most of your colleagues said yes", "Most of your"),
        ("en", "withdrawal", "You may withdraw. Are you sure?", "Are you sure"),
        ("en", "obligation", "We value your privacy.", "We value"),
        ("de", "introduction", "Helfen Sie Ihrem Team und machen Sie mit!", "Helfen Sie"),
        ("de", "transfers", "Keine Sorge: Alles bleibt hier.", "Keine Sorge"),
        ("de", "rights", "80 % der Kollegen machen davon nie Gebrauch.", "80 %"),
        ("fr", "introduction", "Aidez-nous à innover.", "Aidez"),
        ("fr", "obligation", "C\u2019est la dernière chance.", "dernière chance"),
        ("fr", "title", "Une prime pour chaque oui", "prime"),
    ],
)
@pytest.mark.django_db
def test_a_notice_that_persuades_is_refused_and_its_words_are_named(
    language: str, field: str, text: str, word: str
) -> None:
    texts = dict.fromkeys(("en", "de", "fr"), content()) | {language: content() | {field: text}}
    with pytest.raises(NoticePersuadesError) as caught:
        services.publish_notice(purpose=PURPOSE, texts=texts, actor=INES)
    assert list(caught.value.words) == [language]
    assert word in caught.value.words[language]
    assert selectors.notice_languages(purpose=PURPOSE) == []
    assert not Entry.objects.filter(event=Action.NOTICE_PUBLISHED).exists()


def test_a_party_keeps_its_name_however_it_sounds() -> None:
    party = content()["controller"]
    assert isinstance(party, dict)
    named = content() | {"controller": party | {"name": "Great Rewards GmbH"}}
    assert persuasion.of_notice(named, language="en") == ()
