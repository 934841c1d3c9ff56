"""Pictures of screens: what identifies someone is covered, what says nothing of anyone stays."""

import json
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

np = pytest.importorskip("numpy")
cv2 = pytest.importorskip("cv2")
pytest.importorskip("tesserocr")

from governance.redaction.directory import Directory, Employee  # noqa: E402
from governance.redaction.engine import Detector  # noqa: E402
from governance.redaction.screens import (  # noqa: E402
    availability,
    pictures,
    reading,
    redactor,
    regions,
    trees,
)
from governance.redaction.screens.errors import PictureError  # noqa: E402
from governance.redaction.screens.geometry import Box, Painted  # noqa: E402
from governance.redaction.screens.reading import Reader  # noqa: E402
from governance.redaction.screens.redactor import RedactedScreen, ScreenRedactor  # noqa: E402

HERE = Path(__file__).parent
SCREENS = {one["file"]: one for one in json.loads((HERE / "boxes.json").read_text())}
DETECTOR = Detector(Directory([Employee("Jonte", "Aldershof")]))


def _bytes(name: str) -> bytes:
    return (HERE / name).read_bytes()


def _redact(data: bytes, **facts: Any) -> RedactedScreen:
    return ScreenRedactor(DETECTOR).redact(data, **facts)


def _share(painted: Sequence[Painted], one: dict[str, Any]) -> float:
    """Return how much of a text's ink band is covered, as the scorer measures it."""
    mask = np.zeros((2000, 2000), np.uint8)
    for box, _ in painted:
        mask[max(0, box.y) : box.bottom, max(0, box.x) : box.right] = 1
    top, bottom = int(one["y"] + one["h"] * 0.2), int(one["y"] + one["h"] * 0.85)
    return float(mask[top:bottom, int(one["x"]) : int(one["x"] + one["w"])].mean())


def _png(pixels: Any) -> bytes:
    return bytes(cv2.imencode(".png", pixels)[1])


@pytest.mark.parametrize("name", sorted(SCREENS))
def test_everyone_on_a_screen_is_covered_and_the_rest_can_still_be_read(name: str) -> None:
    screen = SCREENS[name]
    done = _redact(_bytes(name))

    leaked = [one["text"] for one in screen["pii"] if _share(done.painted, one) < 0.9]
    assert leaked == []
    others = [_share(done.painted, one) for one in screen["text"] if not one["pii"]]
    assert sum(others) / len(others) < 0.4
    # What comes out is looked at by someone who knows nothing of how it was made.
    again = _redact(done.picture)
    assert set(again.counts) <= {"UNKNOWN_TEXT"}


def test_paint_is_one_solid_colour_and_nothing_of_what_was_there() -> None:
    done = _redact(_bytes("form.png"))
    pixels = pictures.decode(done.picture)
    one = SCREENS["form.png"]["pii"][1]
    box = next(box for box, _ in done.painted if abs(box.x - one["x"]) < 4 < box.width)
    inside = pixels[box.y : box.bottom, box.x : box.right].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) == 1


def test_metadata_alpha_and_what_hides_behind_the_end_are_gone() -> None:
    pixels = pictures.decode(_bytes("form.png"))
    text = b"tEXtAuthor\0Henrike Wollbrandt"
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    alpha = np.dstack((pixels, np.zeros(pixels.shape[:2], np.uint8)))
    png = _png(alpha)
    hidden = png[:33] + chunk + png[33:] + b"PK\x03\x04 h.wollbrandt@werft-sued.example"

    done = _redact(hidden)

    assert b"Wollbrandt" not in done.picture
    assert b"wollbrandt" not in done.picture
    assert done.picture[25] == 2  # True colour without alpha (RFC 2083 §4.1.1).
    assert done.picture.endswith(b"IEND\xaeB`\x82")
    # What no eye saw behind full transparency was judged like everything else.
    leaked = [one for one in SCREENS["form.png"]["pii"] if _share(done.painted, one) < 0.9]
    assert leaked == []


def test_a_code_for_cameras_and_a_photograph_are_painted_whole() -> None:
    page = np.full((420, 900, 3), 250, np.uint8)
    code = cv2.QRCodeEncoder.create().encode("mailto:henrike@werft-sued.example")
    code = cv2.resize(code, (150, 150), interpolation=cv2.INTER_NEAREST)
    page[40:190, 60:210] = code[:, :, None]
    noise = np.random.default_rng(7).integers(0, 255, (12, 12, 3), np.uint8)
    page[40:260, 400:620] = cv2.resize(noise, (220, 220), interpolation=cv2.INTER_CUBIC)

    done = _redact(_png(page))

    pixels = pictures.decode(done.picture)
    assert cv2.QRCodeDetector().detectAndDecode(pixels)[0] == ""
    for top, left, side in ((40, 60, 150), (40, 400, 220)):
        part = pixels[top : top + side, left : left + side].reshape(-1, 3)
        assert (np.ptp(part, axis=0) < 30).all()


def test_text_that_nobody_can_read_is_painted() -> None:
    assert not _shows_scrawl()


@pytest.mark.parametrize(
    ("ink", "paper"),
    [((0, 0, 255), (76, 76, 76)), ((255, 0, 0), (0, 0, 97)), ((0, 128, 0), (143, 60, 79))],
)
def test_text_that_only_its_colour_sets_off_is_painted(
    ink: tuple[int, int, int], paper: tuple[int, int, int]
) -> None:
    page = np.full((200, 700, 3), paper, np.uint8)
    cv2.putText(
        page, "Thorvald Brekke", (40, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.0, ink, 2, cv2.LINE_AA
    )
    assert np.ptp(regions.grey(page)) < 14
    done = _redact(_png(page))
    assert (np.ptp(pictures.decode(done.picture).reshape(-1, 3), axis=0) <= 20).all()


def test_a_border_that_only_its_colour_sets_off_stays() -> None:
    page = np.full((400, 600, 3), (76, 76, 76), np.uint8)
    page[100:300, 100:500] = (0, 0, 255)
    assert (pictures.decode(_redact(_png(page)).picture) == page).all()


def test_a_long_row_of_small_letters_is_not_taken_for_a_line() -> None:
    page = np.full((120, 900, 3), 231, np.uint8)
    page[60:61] = 120  # A real line, as wide as the page.
    row = pictures.decode(_bytes("form.png"))[6:26, 60:200]
    page[20:40, 60:200] = row
    found = regions.find(regions.grey(page))
    covered = sum(box.width for box in found.texts)
    assert all(box.bottom < 55 for box in found.texts)
    assert covered > 100


def test_the_tree_adds_what_the_picture_does_not_show_to_its_reader() -> None:
    page = np.full((100, 400, 3), 255, np.uint8)
    cv2.rectangle(page, (50, 40), (170, 56), (200, 200, 200), -1)
    tree = [trees.TreeText("Call Thorvald Brekke today", Box(20, 40, 200, 16))]
    done = _redact(_png(page), tree=tree)
    person = [box for box, kind in done.painted if kind == "PERSON"]
    assert person
    assert min(box.x for box in person) <= 58
    assert done.counts["PERSON"] == 1


def test_a_value_found_elsewhere_in_the_record_is_covered_here_too() -> None:
    unknown = _redact(_bytes("table.png"))
    known = _redact(_bytes("table.png"), known={"trucks are waiting"})
    words = next(one for one in SCREENS["table.png"]["text"] if "trucks" in one["text"])
    assert _share(unknown.painted, words) < 0.2
    assert _share(known.painted, words) > 0.3
    assert known.counts["REPEATED"] == 1


def test_rows_seen_before_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    shades = regions.grey(pictures.decode(_bytes("form.png")))
    boxes = regions.find(shades).texts
    first = reader.read(shades, boxes)

    def fail(_: object) -> list[Any]:
        raise AssertionError

    monkeypatch.setattr("governance.redaction.screens.reading._recognise", fail)
    assert reader.read(shades, boxes) == first
    # Scrolled down by some pixels, the rows are the same rows in another place.
    moved = np.vstack((np.full((30, 900), 255, np.uint8), shades[:-30]))
    again = reader.read(moved, [Box(b.x, b.y + 30, b.width, b.height) for b in boxes])
    assert [word.text for word in again] == [word.text for word in first]


def _followed(first: Any, second: Any) -> RedactedScreen:
    following = ScreenRedactor(DETECTOR)
    following.redact(_png(first))
    return following.redact(_png(second))


def test_what_changed_on_a_screen_is_found_as_on_a_new_one() -> None:
    chance = np.random.default_rng(11)
    names = sorted(SCREENS)
    finder = regions.Finder()
    shades = regions.grey(pictures.decode(_bytes(names[0])))
    finder.find(shades)
    for turn in range(12):
        other = regions.grey(pictures.decode(_bytes(names[turn % len(names)])))
        shades = shades.copy()
        for _ in range(2):
            top, left = int(chance.integers(0, 400)), int(chance.integers(0, 880))
            height, width = int(chance.integers(1, 90)), int(chance.integers(1, 500))
            part = (slice(top, top + height), slice(left, left + width))
            shades[part] = other[part]
        found, whole = finder.find(shades), regions.find(shades)
        assert (found.texts, found.pictures) == (whole.texts, whole.pictures)
        assert np.array_equal(found.ink, whole.ink)
    assert finder.find(shades.copy()).texts == regions.find(shades).texts


def test_what_only_its_colour_sets_off_is_found_as_on_a_new_screen() -> None:
    chance = np.random.default_rng(13)
    finder = regions.Finder()
    page = np.full((300, 500, 3), (76, 76, 76), np.uint8)
    for _ in range(12):
        top, left = int(chance.integers(10, 290)), int(chance.integers(0, 300))
        red = (0, 0, 255)
        cv2.putText(page, "Brekke", (left, top), cv2.FONT_HERSHEY_SIMPLEX, 1.0, red, 2)
        page[max(0, top - 60) : max(1, top - 30)] = 76  # What was there goes, too.
        shades = regions.grey(page)
        found, whole = finder.find_coloured(page, shades), regions.find_coloured(page, shades)
        assert whole.texts
        assert found.texts == whole.texts
        assert np.array_equal(found.ink, whole.ink)
        painted = page.copy()
        page[:] = 0  # As a caller who paints on it.
        page = painted


def _leaks_of_a_following_screen() -> list[str]:
    """Return who can be seen on a form that was empty on the screen before it."""
    form = pictures.decode(_bytes("form.png"))
    empty = form.copy()
    for one in SCREENS["form.png"]["pii"]:
        top, left = int(one["y"]), int(one["x"])
        empty[top - 2 : top + int(one["h"]) + 2, left - 2 : left + int(one["w"]) + 2] = 255
    shown = pictures.decode(_followed(empty, form).picture)
    found = []
    for one in SCREENS["form.png"]["pii"]:
        top, left = int(one["y"] + one["h"] * 0.2), int(one["x"])
        part = (slice(top, int(one["y"] + one["h"] * 0.85)), slice(left, left + int(one["w"])))
        ink = np.ptp(form[part], axis=(0, 1)).max() > 40
        same = (shown[part] == form[part]).all(axis=2)
        if ink and same[(form[part] < 128).all(axis=2)].mean() > 0.1:
            found.append(one["text"])
    return found


def _paint_beside(pixels: Any, painted: Sequence[Painted]) -> None:
    paint(pixels, [Painted(box._replace(x=box.x + 60), kind) for box, kind in painted])


paint = redactor.paint
BUGS: dict[str, tuple[object, str, object]] = {
    "what changed is not looked at": (regions, "_bands", lambda _: []),
    "too little around a change is looked at": (regions, "_REACH", 0),
    "all rows are taken for one": (reading, "_key", lambda *_: b""),
    "boxes are painted beside what they are for": (redactor, "paint", _paint_beside),
    "what nobody read is shown": (redactor, "unread", lambda *_: []),
}


def test_nobody_is_seen_on_a_screen_that_follows_another() -> None:
    assert _leaks_of_a_following_screen() == []
    assert not _band_differs()
    assert not _confuses_rows()


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_planted_in_how_screens_are_read_is_found_out(
    monkeypatch: pytest.MonkeyPatch, bug: str
) -> None:
    monkeypatch.setattr(*BUGS[bug])
    faults = (_leaks_of_a_following_screen(), _band_differs(), _shows_scrawl(), _confuses_rows())
    assert any(faults)


def _confuses_rows() -> bool:
    """Tell whether one row of a screen is read for another."""
    shades = regions.grey(pictures.decode(_bytes("form.png")))
    said = {word.text for word in Reader().read(shades, regions.find(shades).texts)}
    return not {"Weight", "Mobile", "delivery."} <= said


def _shows_scrawl() -> bool:
    """Tell whether a picture shows what nobody could read."""
    page = np.full((200, 600, 3), 255, np.uint8)
    cv2.putText(page, "Q7x", (40, 80), cv2.FONT_HERSHEY_SCRIPT_COMPLEX, 1.6, (90, 90, 90), 2)
    return bool((pictures.decode(_redact(_png(page)).picture) != 255).any())


def _band_differs() -> bool:
    """Tell whether a small change is found otherwise than on a new screen."""
    page = np.full((300, 400), 255, np.uint8)
    page[100:140, 200] = 0
    changed = page.copy()
    changed[138:150, 200] = 0
    finder = regions.Finder()
    finder.find(page)
    return not np.array_equal(finder.find(changed).ink, regions.find(changed).ink)


def _header(width: int, height: int, before: bytes = b"") -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    head = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + head + before + struct.pack(">I", 0) + b"IDAT" + b"\0" * 8


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + b"\0" * 40,
        b"BM" + b"\0" * 60,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n",
        _header(60_000, 60_000),
        _header(8000, 8000),
        _header(3, 3),
        _header(100, 100),
        _header(100, 100, before=struct.pack(">I", 8) + b"acTL" + b"\0" * 12),
        b"\xff\xd8\xff\xe0\x00\x02",
        b"\xff\xd8\xff" + b"\xff" * 200,
        b"RIFF\x24\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\xff\0\0\xff\0\0",
        b"RIFF\x24\0\0\0WEBPVP8L\x0a\0\0\0",
        b"\x89PNG\r\n\x1a\n" + b"\0" * (1 << 20),
    ],
)
def test_what_is_no_bounded_single_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PictureError):
        pictures.decode(data)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp"])
def test_the_three_formats_are_read_and_come_out_as_png(ending: str) -> None:
    pixels = pictures.decode(_bytes("dark.png"))
    data = bytes(cv2.imencode(ending, pixels)[1])
    assert pictures.size_of(data) == (900, 420)
    assert pictures.encode(pictures.decode(data)).startswith(b"\x89PNG")


def test_the_command_reads_a_folder_or_a_list_and_says_what_it_cannot_read(tmp_path: Path) -> None:
    target, painted = tmp_path / "boxes.json", tmp_path / "painted"
    command = ["redact", "--kind", "screens"]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "form.png").write_bytes(_bytes("form.png"))
    call_command(*command, str(tmp_path / "in"), str(target), "--pictures", str(painted))
    boxes = json.loads(target.read_text())
    assert {kind for *_, kind in boxes["form.png"]} >= {"PERSON", "EMAIL", "PHONE"}
    assert pictures.size_of((painted / "form.png").read_bytes()) == (900, 420)

    listed = tmp_path / "in" / "list.json"
    listed.write_text(json.dumps([{"file": "form.png", "text": []}]))
    call_command(*command, str(listed), str(target))
    assert json.loads(target.read_text()) == boxes

    for content, said in (("[", "not JSON"), ("{}", "list of screens")):
        listed.write_text(content)
        with pytest.raises(CommandError, match=said):
            call_command(*command, str(listed), str(target))
    (tmp_path / "in" / "form.png").write_bytes(b"GIF89a")
    with pytest.raises(CommandError, match=r"form\.png: Only PNG"):
        call_command(*command, str(tmp_path / "in"), str(target))


def test_without_the_extra_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(availability, "is_available", lambda: False)
    with pytest.raises(CommandError, match=r"requirements-ocr\.lock"):
        call_command("redact", "--kind", "screens", str(HERE), str(tmp_path / "out"))
