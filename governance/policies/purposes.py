"""What captured work may never be used for, and which kinds of purpose may be registered at all.

Promise: a prohibited purpose cannot be registered by anybody (`services.register_purpose`), cannot
stand in the database (a CHECK constraint built from this data), and if it was forced in, the
service does not start (`checks`). No setting removes a line of this table (standards.md R28).
"""

import unicodedata
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from governance.policies.errors import PurposeProhibitedError


@dataclass(frozen=True, slots=True)
class Prohibition:
    """One forbidden use: its keys, the DPV terms it stands for, why in plain words, by which rule.

    `fragments` are parts of a key or name that betray the use under another name.
    """

    key: str
    terms: tuple[str, ...]
    words: Promise
    rule: str
    fragments: tuple[str, ...] = ()

    def refusal(self) -> PurposeProhibitedError:
        """Return the error to raise when somebody asks for this use."""
        return PurposeProhibitedError(prohibition=self.key, words=str(self.words))


PROHIBITED: tuple[Prohibition, ...] = (
    Prohibition(
        key="performance-evaluation",
        terms=(
            "PersonnelPerformanceEvaluation",
            "PersonnelPerformanceMonitoring",
            "PersonnelPerformancePrediction",
        ),
        words=_("judging, watching or predicting how well somebody works"),
        rule="BetrVG 87(1) no. 6; 11 CCR 7150(b)(4)",
        fragments=(
            "performance",
            "productivity",
            "employee-score",
            "perf-eval",
            "employee-evaluation",
            "staff-evaluation",
            "employee-rating",
            "staff-rating",
            "employee-appraisal",
            "staff-appraisal",
            "leistungsbewertung",
            "leistungsbeurteilung",
            "leistungskontrolle",
        ),
    ),
    Prohibition(
        key="behaviour-monitoring",
        terms=("PersonnelBehaviourMonitoring",),
        words=_("watching how somebody behaves at work"),
        rule="BetrVG 87(1) no. 6",
        fragments=(
            "behaviour-monitoring",
            "behavior-monitoring",
            "surveillance",
            "employee-monitoring",
            "staff-monitoring",
            "monitor-staff",
            "monitor-employee",
            "verhaltenskontrolle",
        ),
    ),
    Prohibition(
        key="promotion",
        terms=("PersonnelPromotionManagement",),
        words=_("deciding on promotions"),
        rule="11 CCR 7150(b)(4)",
        fragments=("employee-promotion", "staff-promotion", "promotion-decision"),
    ),
    Prohibition(
        key="pay",
        terms=("PersonnelPayment",),
        words=_("deciding on pay"),
        rule="11 CCR 7150(b)(4)",
        fragments=(
            "payroll",
            "salary",
            "salaries",
            "bonus-decision",
            "pay-decision",
            "remuneration",
        ),
    ),
    Prohibition(
        key="workload-management",
        terms=("PersonnelWorkloadManagement",),
        words=_("handing out or measuring work by what was recorded"),
        rule="11 CCR 7150(b)(4)",
        fragments=(
            "workload",
            "attendance",
            "working-time",
        ),
    ),
    Prohibition(
        key="termination",
        terms=("PersonnelTerminationManagement",),
        words=_("warnings and dismissals"),
        rule="11 CCR 7150(b)(4)",
        fragments=(
            "employee-termination",
            "staff-termination",
            "dismissal",
            "disciplinary",
            "kündigung",
            "kuendigung",
        ),
    ),
    Prohibition(
        key="emotion-inference",
        terms=("EmotionInference",),
        words=_("guessing feelings, stress or attention"),
        rule="AI Act 5(1)(f)",
        fragments=("emotion", "sentiment", "stress-level"),
    ),
    Prohibition(
        key="biometric-identification",
        terms=("BiometricIdentification", "KeystrokeDynamicsIdentification"),
        words=_("recognising people by how they type or move the mouse"),
        rule="GDPR 9(1)",
        fragments=("biometric", "keystroke-dynamics"),
    ),
    Prohibition(
        key="special-category-inference",
        terms=("SpecialCategoryInference",),
        words=_("guessing health, belief, origin, politics or sexuality"),
        rule="GDPR 9(1)",
        fragments=("health-inference", "religion", "ethnicity"),
    ),
    Prohibition(
        key="union-activity",
        terms=("UnionActivityMonitoring", "WorksCouncilActivityMonitoring"),
        words=_("learning about union or works council activity"),
        rule="GDPR 9(1); BetrVG 78",
        fragments=("union-activity", "works-council-activity"),
    ),
    Prohibition(
        key="sale",
        terms=("SellData", "SellDataToThirdParties", "SellInsightsFromData", "DataSharing"),
        words=_("selling the recordings or sharing them for others' ends"),
        rule="CCPA 1798.120",
        fragments=(
            "data-sale",
            "sell-data",
            "data-sharing",
            "advertising",
        ),
    ),
)

PROHIBITED_KEYS: tuple[str, ...] = tuple(sorted(p.key for p in PROHIBITED))
PROHIBITED_TERMS: tuple[str, ...] = tuple(sorted(t for p in PROHIBITED for t in p.terms))
PROHIBITED_FRAGMENTS: tuple[str, ...] = tuple(sorted(f for p in PROHIBITED for f in p.fragments))

# The DPV terms a purpose of ours may narrow. A list of what is allowed, so that a term nobody
# thought of is refused as well.
PERMITTED_BROADER: tuple[str, ...] = (
    "CommercialResearch",
    "ImproveInternalCRMProcesses",
    "InternalResourceOptimisation",
    "ProductDevelopment",
    "ResearchAndDevelopment",
    "ServiceOptimisation",
)


# Purposes of the service itself; `governance.decisions` gives them to jobs, never to people.
RESERVED: frozenset[str] = frozenset(
    {"own-access", "redaction", "retention", "export", "release-build"}
)


def prohibition(*, key: str, broader: str, name: str = "") -> Prohibition | None:
    """Return the prohibition that a purpose of this key, term or name falls under, or None.

    `broader` is a DPV local name; a prefix or the full address before it changes nothing, nor do
    case, separators or width anywhere. Words that no list knows can always be found: the second
    pair of eyes on each policy and the notice stand behind this.
    """
    term = _folded(broader.rsplit("#", 1)[-1].rsplit(":", 1)[-1].rsplit("/", 1)[-1])
    said = {_folded(key), _folded(name)}
    for candidate in PROHIBITED:
        terms = {_folded(each) for each in candidate.terms}
        fragments = [_folded(fragment) for fragment in candidate.fragments]
        if (
            term in terms
            or said & {_folded(candidate.key), *terms}
            or any(fragment in text for fragment in fragments for text in said)
        ):
            return candidate
    return None


def _folded(text: str) -> str:
    """Return the letters and digits alone, so that no spelling makes another word of it."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in plain if character.isalnum())


def is_prohibited(key: str, broader: str = "") -> bool:
    """Return whether nobody may use captured work for this."""
    return prohibition(key=key, broader=broader) is not None
