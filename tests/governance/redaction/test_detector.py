"""The detector finds what identifies, leaves what does not, whatever the spelling."""

import pytest

from governance.redaction import operators, texts
from governance.redaction.directory import Directory, Employee
from governance.redaction.engine import Detector
from governance.redaction.findings import Span
from governance.redaction.normalize import plain

WIDE_CARD = "4111 1111 1111 1111".translate({0x30 + n: 0xFF10 + n for n in range(10)})
DETECTOR = Detector(
    Directory([Employee("Jürgen", "Östlund", "joestlund", "juergen@nordhafen.example")]),
    employee_number=r"\bNH-\d{5}\b",
)


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("write to jane.doe@example.com", "jane.doe@example.com", "EMAIL"),
        ("write to jane (at) example dot com", "jane (at) example dot com", "EMAIL"),
        ("?to=jane%40example.com&x=1", "jane%40example.com", "EMAIL"),
        ("jane\u200b@example.com", "jane\u200b@example.com", "EMAIL"),
        ("JSON says jane\\u0040example.com", "jane\\u0040example.com", "EMAIL"),
        ("in HTML jane&#64;example.com", "jane&#64;example.com", "EMAIL"),
        ("in HTML jane&commat;example.com", "jane&commat;example.com", "EMAIL"),
        ("from a Mac: ja\u0301ne@example.com", "ja\u0301ne@example.com", "EMAIL"),
        ("tagged ja\U000e0061ne@example.com", "ja\U000e0061ne@example.com", "EMAIL"),
        ("parted ja\u2062ne@example.com", "ja\u2062ne@example.com", "EMAIL"),
        ("DE89\u31643704\uffa000440532013000", "DE89\u31643704\uffa000440532013000", "IBAN"),
        ("please ask Ju\u0308rgen O\u0308stlund", "Ju\u0308rgen O\u0308stlund", "PERSON"),
        ("please ask J\u00fcrgen \u00d6stl\u0443nd", "J\u00fcrgen \u00d6stl\u0443nd", "PERSON"),
        ("seen in JuergenOestlund-cv JürgenÖstlund", "JürgenÖstlund", "PERSON"),
        ("sent 6a616e65406578616d706c652e636f6d", "6a616e65406578616d706c652e636f6d", "SECRET"),
        ("paid 5425/2334/3010/9903", "5425/2334/3010/9903", "CREDIT_CARD"),
        ("ring +49\u00a0170\u20111234567", "+49\u00a0170\u20111234567", "PHONE"),
        (f"pay with {WIDE_CARD}", WIDE_CARD, "CREDIT_CARD"),
        ("VAT DE 811 907 980", "DE 811 907 980", "TAX_ID"),
        ("host 192.168.17.4 is down", "192.168.17.4", "IP_ADDRESS"),
        ("nic 00:1b:44:11:3a:b7", "00:1b:44:11:3a:b7", "MAC_ADDRESS"),
        ("born 14.03.1987 in town", "14.03.1987", "DATE_OF_BIRTH"),
        ("please ask JÜRGEN ÖSTLUND", "JÜRGEN ÖSTLUND", "PERSON"),
        ("login joestlund failed", "joestlund", "USERNAME"),
        ("Mr Stone will come", "Stone", "PERSON"),
        ("deliver to 12 Harbour View Road, please", "12 Harbour View Road", "ADDRESS"),
        ("token=Zk3vP0q9LmX27aTtBn45", "Zk3vP0q9LmX27aTtBn45", "SECRET"),
        (r"C:\Users\nunesr\notes.txt", "nunesr", "USERNAME"),
        ("Hamish McKay moved the visit", "Hamish McKay", "PERSON"),
        ("Signe M Mortensen will come", "Signe M Mortensen", "PERSON"),
        ("said Prof. Dr. Emma Vander, MD.", "Prof. Dr. Emma Vander, MD.", "PERSON"),
        ("nobody told Zsofika about it", "Zsofika", "PERSON"),
        ("DOE, JANE signed", "DOE, JANE", "PERSON"),
        ("/people/Eszter.Kovacsik/edit", "Eszter.Kovacsik", "PERSON"),
        ("  first_name: Harri", "Harri", "PERSON"),
        ("<lastName>Blais</lastName>", "Blais", "PERSON"),
        ("Fahrer bei der Muster GmbH ist Jonas Weber", "Jonas Weber", "PERSON"),
        ("user kgunnar / pass Blume_Tiger.32", "kgunnar", "USERNAME"),
        ("user kgunnar / pass Blume_Tiger.32", "Blume_Tiger.32", "PASSWORD"),
        ('"password": "hunter22!"', "hunter22!", "PASSWORD"),
        ("the code they texted me is 439410", "439410", "OTP"),
        ("(750)645-6524x3430 fax", "(750)645-6524x3430", "PHONE"),
        ("taxi to 2265 Nils Grises Strate 61\n Apt. 613\n SVENSHOGEN\n Sweden",
         "2265 Nils Grises Strate 61\n Apt. 613\n SVENSHOGEN\n Sweden", "ADDRESS"),
    ],
)  # fmt: skip
def test_it_is_found_at_its_exact_place(text: str, value: str, kind: str) -> None:
    spans = DETECTOR.spans(text, role="document")
    assert (value, kind) in [(text[s.start : s.end], s.type) for s in spans]


@pytest.mark.parametrize(
    "text",
    [
        "Order 4500012345 shipped on 12.03.2026, 14 pallets",
        "Version 10.2.0.1 of the firmware",
        "Open Settings and choose Save As",
        "Total 1,234.50 EUR, VAT included",
        "ISBN 978-3-16-148410-0",
        "Quarterly Report - Excel",
        "Please check the Purchase Order and the Delivery Note",
        "Freundliche Grüße",
        "Freigabe der Rechnungen bis Freitag, bitte das Budget und die Lieferung nicht vergessen",
        "docker run -p 8080:80 nginx:1.25",
        "They're late and we don't know why",
        "the standup moved to 9:15 in room 4.12",
        "hello everyone",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 & more; R&D; a&b",
        "The Princess Royal and the Vice President were there",
    ],
)
def test_what_identifies_nobody_is_left_alone(text: str) -> None:
    assert DETECTOR.spans(text, role="document") == []


def test_the_label_of_a_field_decides_about_its_value() -> None:
    assert DETECTOR.spans("abc 123", label="IBAN", role="textbox") == [Span(0, 7, "BANK_ACCOUNT")]
    assert DETECTOR.spans("abc 123", label="Straße", role="textbox")[0].type == "ADDRESS"
    assert DETECTOR.spans("abc 123", label="Order number", role="textbox") == []
    assert DETECTOR.spans("Oxford Leather", label="Product name", role="cell") == []


def test_a_button_names_someone_only_where_its_words_say_so() -> None:
    assert DETECTOR.spans("Message Valentina", role="button") == [Span(8, 17, "PERSON")]
    assert DETECTOR.spans("Rachael Jennings", role="treeitem") == [Span(0, 16, "PERSON")]
    for words in ("Mark as read", "Open Recent", "Message Settings", "Sign Out"):
        assert DETECTOR.spans(words, role="button") == []


def test_plain_spans_map_back_through_what_was_dropped_and_decoded() -> None:
    text = "a\u200bb%C3%A9c"
    normal = plain(text)
    assert normal.text == "abxc"
    assert normal.span(1, 3) == (2, 9)
    assert plain("ascii only").origin is None


def test_replacements_are_typed_numbered_keyed_or_collapsed() -> None:
    text = "Dear Anna, her pin is 4711, ring +49 170 1234567 or +49 170 1234567"
    plainly, _ = texts.replace(DETECTOR, text, role="document")
    assert "<PERSON_1>" in plainly
    assert "<PASSWORD>" in plainly
    assert plainly.count("<PHONE_1>") == 2
    one, _ = texts.replace(DETECTOR, text, role="document", key=b"k" * 32)
    other, _ = texts.replace(DETECTOR, text, role="document", key=b"o" * 32)
    assert f"<PERSON_{operators.pseudonym('ANNA', kind='PERSON', key=b'k' * 32)}>" in one
    assert one != other
    with pytest.raises(Exception, match="16 bytes"):
        texts.replace(DETECTOR, text, role="document", key=b"short")


def test_long_texts_are_read_piece_by_piece_with_offsets_kept() -> None:
    text = "row of words\n" * 600 + "jane.doe@example.com"
    [span] = DETECTOR.spans(text, role="document")
    assert text[span.start : span.end] == "jane.doe@example.com"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    ["a@", "1 ", "A b ", "Dear ", "://a:", "12 Aa ", "(at) ", "-----BEGIN ", "+1", "Aa-", "Ab, "],
)
def test_no_hostile_text_makes_a_pattern_run_away(piece: str) -> None:
    DETECTOR.spans(piece * (12_000 // len(piece)), role="document")
