"""Tells whether a text says something of health, belief, union, sexuality, politics or crimes.

Promise (GDPR 9, 10): bounded, deterministic, no copy of the text: one look, yes or no. A word
alone is no proof: "union" is SQL, "conviction" is a quarrel in a review; what counts is a word
beside what makes it somebody's ("diagnosed with", "member of the", "is", "Konfession:"), in
English, German and French.
What it leaves: whatever is said in other words, other languages or between the lines. The list is
short on purpose: what it drops is dropped whole. How much it finds and what ordinary work it
lets pass is said in tests/governance/redaction/test_sensitive.py.
"""

import re
from typing import Final

from governance.redaction.normalize import plain

# Written as plain() leaves a text: base letters, "sz" as one s.
_ILLNESS: Final = (
    r"(?:cancer|tumou?r|leuk[ae]+mia|diabetes|epilepsy|asthma|hiv|aids|hepatitis|depressi(?:on|ve)"
    r"|burn-?out|anxiety|bipolar|schizophrenia|ptsd|adhd|autism|multiple sclerosis|parkinson"
    r"|dementia"
    r"|alzheimer|stroke|heart attack|miscarriage|endometriosis|anorexia|bulimia|addiction"
    r"|alcoholism"
    r"|krebs|leukamie|epilepsie|depression(?:en)?|angststorung|schizophrenie|essstorung|fehlgeburt"
    r"|herzinfarkt|schlaganfall|demenz|multiple sklerose|suchterkrankung|bandscheibenvorfall"
    r"|tumeur|diabete|epilepsie|asthme|sida|vih|sclerose en plaques|demence|fausse couche"
    r"|crise cardiaque|schizophrenie|alcoolisme)"
)
_BELIEF: Final = (
    r"(?:muslim|jewish|christian|catholic|protestant|hindu|buddhist|sikh|atheist|jehovah's witness"
    r"|muslima?|muslimin|judin|katholi(?:sch|kin|k)|evangelisch|konfessionslos|orthodox"
    r"|buddhistisch"
    r"|musulmane?|juif|juive|catholique|protestante?|bouddhiste|athee)"
)
_UNION: Final = (
    r"(?:(?:trade |labou?r )union|ver\.?di|ig metall|ig bce|gdl|ig bau|unite the union|unison"
    r"|teamsters"
    r"|seiu|uaw|cgt|cfdt|cfe-cgc|sud solidaires|gewerkschaft|syndicat)"
)
_PARTY: Final = (
    r"(?:labour|conservative|democratic|republican|green|communist|socialist|liberal) party"
    r"|(?:cdu|csu|spd|afd|fdp|die linke|bsw|die grunen)\b|rassemblement national|parti socialiste"
    r"|parti communiste|les republicains|la france insoumise"
)
_WHO: Final = (
    r"(?:i am|i'm|he is|he's|she is|she's|who is|they are|ich bin|er ist|sie ist|je suis"
    r"|il est|elle est)"
)
_CRIME: Final = (
    r"(?:theft|fraud|assault|murder|manslaughter|robbery|burglary|rape|drug (?:possession|dealing)"
    r"|drunk driving|embezzlement|diebstahls?|betrugs?|korperverletzung|mordes|raubes|vol"
    r"|escroquerie"
    r"|meurtre|viol|agression)"
)
_SAID: Final = (
    # Health.
    (
        rf"\b(?:diagnos(?:ed with|is of|is: ?|e: ?|tiziert mit)|suffer(?:s|ing|ed)? from|treat(?:ed"
        rf"|ment)"
        rf" for|leidet an|leide an|erkrankt an|behandelt wegen|souffre d[eu'] ?|atteinte? d[eu'] ?"
        rf"|traitee? pour)\b.{{0,40}}?\b{_ILLNESS}\b"
    ),
    (
        r"\b(?:my|his|her|your|their|patient'?s?) (?:diagnosis|depression|pregnancy|chemotherapy"
        rf"|miscarriage|hiv|disability|{_ILLNESS})\b"
    ),
    (
        r"\b(?:meine|seine|ihre) (?:diagnose|depression|schwangerschaft|krebserkrankung"
        r"|chemotherapie|behinderung|fehlgeburt)\b"
    ),
    (
        r"\b(?:ma|sa|son|votre) (?:grossesse|depression|maladie|chimiotherapie|handicap"
        r"|fausse couche)\b"
    ),
    (
        rf"\b{_WHO} (?:\w+ ){{0,2}}(?:pregnant|hiv[- ]positive|disabled|schwanger|schwerbehindert"
        r"|enceinte|seropositi(?:f|ve)|handicapee?|suicidal|suizidgefahrdet)\b"
    ),
    (
        r"\b(?:doctor'?s note|sick note|medical certificate|fit note)\b.{0,60}\b(?:for|because"
        r"|due to)\b"
    ),
    (
        r"\b(?:arztbrief|krankschreibung|arbeitsunfahigkeitsbescheinigung|befundbericht"
        r"|entlassungsbrief"
        r"|grad der behinderung|schwerbehindertenausweis|arret maladie|compte rendu medical"
        r"|certificat medical|discharge summary|medical history:)"
    ),
    r"\bicd-?10(?:-gm)?(?:[: -]{1,3}code)?[: ]{1,3}[a-z]\d\d(?:\.\d)?\b",
    # Belief.
    r"\b(?:konfession|religionszugehorigkeit|religion|confession religieuse)\s?: ?[a-z]{2,}",
    rf"\b{_WHO} (?:a |an |eine? |une? |a? ?practi[sc]ing |sehr |tres |very )?{_BELIEF}\b",
    (
        r"\b(?:converted to (?:islam|judaism|christianity|catholicism|buddhism)"
        r"|zum (?:islam|judentum|christentum) konvertiert"
        r"|converti(?:e)? (?:a l'islam|au judaisme))\b"
    ),
    # Union.
    (
        rf"\b(?:member(?:ship)? (?:of|in) (?:the |a )?|joined (?:the |a )?|mitglied (?:bei|der"
        rf"|in der|von)"
        rf" |beigetreten .{{0,12}}|membre d[eu'] ?(?:la |l')?|adherente? (?:a la |au |de la |du )"
        rf"|syndiquee? (?:a la |chez )){_UNION}\b"
    ),
    (
        r"\b(?:gewerkschaftsmitglied(?:schaft)?|trade union member(?:ship)?|union member(?:ship)?"
        r"|carte syndicale|appartenance syndicale)\b"
    ),
    # Sexuality.
    (
        rf"\b{_WHO} (?:\w+ )?(?:gay|lesbian|bisexual|transgender|homosexual|queer|schwul|lesbisch"
        r"|bisexuell|homosexuell|transgeschlechtlich|homosexuel(?:le)?|bisexuel(?:le)?|transgenre)\b"
    ),
    (
        r"\b(?:came out as|outed (?:him|her)self|sexual orientation ?:|sexuelle orientierung ?:"
        r"|orientation sexuelle ?:|sex life|sexualleben|vie sexuelle)"
    ),
    # Politics.
    (
        rf"\b(?:member of (?:the )?|voted (?:for )?(?:the )?|votes (?:for )?(?:the )?"
        rf"|mitglied (?:der|in der)"
        rf" |wahlt die |wahlt |membre d[eu] |vote pour )(?:{_PARTY})"
    ),
    (
        r"\b(?:parteimitglied(?:schaft)?|parteibuch|party membership|political opinions? ?:"
        r"|politische (?:meinung|gesinnung|uberzeugung) ?:|opinions politiques ?:)"
    ),
    # Crimes.
    (
        rf"\b(?:convicted of|sentenced for|charged with|verurteilt wegen|angeklagt wegen"
        rf"|vorbestraft wegen"
        rf"|condamnee? pour|inculpee? (?:pour|de)) .{{0,24}}?\b{_CRIME}\b"
    ),
    rf"\b{_WHO} (?:\w+ )?(?:vorbestraft|a convicted \w+|un repris de justice)\b",
    (
        r"\b(?:criminal record|police record|fuhrungszeugnis mit eintrag|vorstrafen?"
        r"|vorstrafenregister|casier judiciaire)"
        r"\b.{0,30}\b(?:shows?|of|for|has|since|wegen|seit|zeigt"
        r"|comporte|mentionne)\b"
    ),
)
_ANY: Final = re.compile("|".join(f"(?:{each})" for each in _SAID))
# One of these stands in every text that any of the above matches: what is looked for first.
_HINT: Final = re.compile(
    r"diagnos|suffer|treat|leide|erkrankt|behandel|souffr|attein|pregnan|grossesse|schwanger"
    r"|enceinte|depress|chemo|chimio|disab|behinder|handicap|miscarr|fehlgeb|fausse|hiv|suici"
    r"|suizid"
    r"|note|certificat|arztbrief|krankschreib|arbeitsunf|befund|entlassungsb|arret mal|compte rendu"
    r"|discharge|medical|icd|konfession|religi|i am|i'm| is |'s | are |bin | ist |suis | est "
    r"|convert|konvertiert|member|joined|mitglied|beigetr|membre|adheren|syndi|gewerk|union"
    r"|came out|outed|sex|vote|wahlt|partei|party|politi|opinion|convicted|sentenced|charged"
    r"|verurteil|angeklagt|vorbestraft|condamn|inculp|record|zeugnis|vorstraf|casier|krebs"
    r"|(?:my|his|her|your|their|patient'?s?) "
)


def is_met(text: str) -> bool:
    """Tell whether a text says something of this kind about somebody."""
    folded = plain(text).text.casefold()
    return _HINT.search(folded) is not None and _ANY.search(folded) is not None
