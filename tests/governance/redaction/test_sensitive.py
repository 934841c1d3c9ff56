"""What tells of health, belief, union, sexuality, politics or crimes is recognised; work is not."""

import pytest

from governance.redaction import sensitive

TELLING = (
    "She was diagnosed with breast cancer in May.",
    "He is suffering from severe depression since the merger",
    "Please keep this to yourself: she's pregnant.",
    "Diagnose: Depression, ICD-10: F32.1",
    "anbei die Krankschreibung von Frau Weber",
    "Er leidet an Epilepsie",
    "Meine Schwangerschaft bitte noch nicht weitersagen",
    "Il souffre de dépression depuis un an",
    "Je suis enceinte de trois mois",
    "ci-joint mon arrêt maladie",
    "Konfession: evangelisch",
    "he is a practising Muslim",
    "elle est juive",
    "She joined the trade union last week",
    "Er ist Mitglied bei ver.di",
    "elle est membre de la CGT",
    "you know that he is gay",
    "ich bin schwul",
    "il est homosexuel",
    "he voted for the Labour Party",
    "Sie ist Mitglied der SPD",
    "membre du Parti socialiste",
    "he was convicted of tax fraud",
    "verurteilt wegen schweren Diebstahls",
    "condamné pour vol",
)
ORDINARY = (
    "SELECT id FROM a UNION ALL SELECT id FROM b",
    "The European Union customs form is attached",
    "diagnosed with a race condition in the scheduler",
    "Run the diagnosis tool and send the log",
    "We are treating this as a priority one incident",
    "The patient portal returns 503 after the release",
    "Please check the health endpoint and the liveness probe",
    "Stroke width: 2 px, stroke colour: grey",
    "Conviction and clarity matter in a review",
    "Party size: 4, table by the window",
    "third party library, see the licence",
    "Member of the steering committee since March",
    "She joined the project last week",
    "The record shows two late deliveries",
    "convert the file to PDF and vote on the ticket",
    "The handicap of the pilot is none of our business",
    "Mitglied der Projektgruppe Lager",
    "Die Behandlung der Reklamation dauert drei Tage",
    "Le traitement de la commande est terminé",
    "Er ist im Urlaub, bitte Frau Weber fragen",
    "il est en réunion jusqu'à midi",
    "Freight for Christian Louboutin, dock 4",
    "they are green across the board",
    "charged with the shipment on invoice 4711",
    "Depression over the North Sea delays the vessel",
)


@pytest.mark.parametrize("text", TELLING)
def test_r55_what_tells_of_it_is_recognised(text: str) -> None:
    assert sensitive.is_met(text)
    assert sensitive.is_met(text.upper())


@pytest.mark.parametrize("text", ORDINARY)
def test_r55_ordinary_work_is_not_mistaken_for_it(text: str) -> None:
    assert not sensitive.is_met(text)
