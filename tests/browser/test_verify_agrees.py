"""The saved page and `remit-verify.pyz` accept and refuse the same files, one by one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from audit.actions import Action
from audit.verifier.__main__ import main
from governance.web import checking, standalone
from tests.browser.verify_cases import Case
from tests.browser.verify_cases_trust import cases
from tests.reference_log import b64

pytestmark = [pytest.mark.browser, pytest.mark.real, pytest.mark.once]

CASES = cases()
# The page's own functions, on the keys it would read from its two fields.
CHECK = """async ({ command, file, vkeys, policy }) => {
  const data = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0));
  try {
    const trust = await remitPanel.trusted(vkeys, policy ?? "");
    if (!trust.keys.length) return { refused: "keys" };
    if (policy === "") await remitVerify.parsePolicy(policy);
    const check = command === "proof" ? remitVerify.checkProof : remitSaved.checkReceipt;
    const { whole } = await check(data, trust);
    return { whole };
  } catch (error) {
    const known = error instanceof remitForms.Refusal;
    return known ? { refused: error.message } : { broken: String(error) };
  }
}"""


@pytest.fixture(scope="module")
def saved(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page of proofs as a file, opened without a network."""
    path = tmp_path_factory.mktemp("saved") / standalone.NAME
    path.write_bytes(standalone.page(standalone.TrustedFiles()))
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    yield page
    context.close()


def in_browser(page: Page, case: Case) -> dict[str, Any]:
    asked = {"command": case.command, "file": b64(case.file), "vkeys": case.vkeys}
    # An empty policy file is a policy; no policy is none.
    policy = case.policy if case.policy or not case.vkeys else None
    answer: dict[str, Any] = page.evaluate(CHECK, asked | {"policy": policy})
    return answer


def in_python(folder: Path, case: Case) -> bool:
    (folder / "file").write_bytes(case.file)
    words = [case.command]
    for option, text in (("--vkey", case.vkeys), ("--policy", case.policy)):
        # Either may be empty, as a file; one of them is always given.
        if text or (option == "--policy") == (not case.vkeys):
            (folder / option).write_bytes(text.encode())
            words += [option, str(folder / option)]
    return main([*words, str(folder / "file")]) == 0


def test_there_are_enough_cases_of_both_kinds() -> None:
    assert sum(case.holds for case in CASES) >= 20
    assert sum(not case.holds for case in CASES) >= 100


def test_both_verifiers_say_of_each_file_what_is_true(
    saved: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = []
    for case in CASES:
        seen, told = in_browser(saved, case), in_python(tmp_path, case)
        if "broken" in seen or ("whole" in seen) != case.holds or told != case.holds:
            wrong.append((case.name, seen, told))
    capsys.readouterr()
    assert wrong == []


def test_a_browser_that_decodes_base64_otherwise_says_the_same(
    chromium: Browser, saved: Page
) -> None:
    older = chromium.new_page()
    older.add_init_script("delete Uint8Array.fromBase64; delete Uint8Array.prototype.toBase64;")
    older.goto(saved.url)
    assert older.evaluate("typeof Uint8Array.fromBase64") == "undefined"
    wrong = [case.name for case in CASES if ("whole" in in_browser(older, case)) != case.holds]
    older.close()
    assert wrong == []


def test_the_registry_is_the_services_own(saved: Page) -> None:
    assert set(saved.evaluate("[...remitForms.EVENTS]")) == set(Action)


def test_every_reason_has_a_sentence(saved: Page) -> None:
    said = checking.texts()
    reasons = {str(in_browser(saved, case).get("refused", "keys")) for case in CASES}
    assert len(reasons) > 15
    assert {reason for reason in reasons if f"reason-{reason}" not in said} == set()
