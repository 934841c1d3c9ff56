/* Whether a receipt says all that it must: the mandatory fields of ISO/IEC TS 27560, in DPV's names.
 *
 * Promise: refuses what `audit/verifier/fields.py` refuses, and nothing else. Needs verify-forms.js;
 * no page, no network.
 */
(() => {
  "use strict";
  const { fail, isObject, isText } = globalThis.remitForms;
  /* The table of audit/verifier/fields.py: what ISO/IEC TS 27560 makes mandatory, and where it leads. */
  const FIELDS = {
    receipt: "dct:identifier dpv:hasIdentifier dct:conformsTo dct:created dpv:hasRecordOfActivity>record",
    record: "dct:identifier dpv:hasIdentifier dct:conformsTo dpv:hasDataSubject dpv:hasNotice>notice "
      + "dpv:hasJurisdiction dpv:hasConsentControl>control dpv:hasRight dpv:hasAuthority>party "
      + "dpv:hasDataController>party dpv:hasProcess>process dpv:hasConsentStatus>event",
    process: "dpv:hasPurpose>purpose dpv:hasService dpv:hasPersonalData>data dpv:hasDataController>party "
      + "dpv:hasRecipient>party dpv:hasProcessing dpv:hasDataSource dpv:hasLegalBasis "
      + "dpv:hasStorageCondition>storage dpv:hasProcessingCondition",
    party: "@type dpv:hasIdentifier dpv:hasName dpv:hasAddress dpv:hasContact",
    event: "@type dpv:isIndicatedAtTime dpv:isIndicatedBy dpv:hasDuration",
    yes: "dpv:hasNotice>notice dpv:hasIndicationMethod", notice: "@type dct:language",
    control: "@type dpv:isExercisedAt", data: "@id skos:broader", purpose: "@type dct:title", storage: "",
  };
  const STORAGE = ["dpv:StorageLocation", "dpv:StorageDuration", "dpv:StorageDeletion"];
  const all = (value) => [value].flat().filter((one) => one !== null && one !== undefined && one !== "");
  const own = (node, name) => all(Object.hasOwn(node, name) ? node[name] : null);
  function checkFields(document) {
    const nodes = new Map(own(document, "@included").filter(isObject).map((node) => [node["@id"], node]));
    const waiting = [["receipt", document]], seen = Object.fromEntries(Object.keys(FIELDS).map((kind) => [kind, new Set()]));
    const resolved = (value) => {
      const node = isText(value) ? nodes.get(value) : value;
      return isObject(node) ? node : fail("receipt-fields");
    };
    while (waiting.length) {
      const [kind, node] = waiting.pop();
      if (seen[kind].has(node)) continue;
      seen[kind].add(node);
      for (const [name, leads] of FIELDS[kind].split(" ").filter(Boolean).map((one) => one.split(">"))) {
        const found = own(node, name);
        if (!found.length) fail("receipt-fields");
        if (leads) waiting.push(...found.map((one) => [leads, resolved(one)]));
      }
      if (kind === "process") {
        const types = own(node, "dpv:hasStorageCondition").flatMap((one) => own(resolved(one), "@type"));
        if (!STORAGE.every((type) => types.includes(type))) fail("receipt-fields");
      }
      if (kind === "event" && own(node, "@type").some((type) => /^dpv:(Renewed)?ConsentGiven$/.test(type))) {
        const ends = own(node, "dpv:hasDuration").every((one) => isObject(one) && own(one, "rdf:value").length);
        if (!own(node, "@type").includes("dpv:ExplicitlyExpressedConsent") || !ends) fail("receipt-fields");
        waiting.push(["yes", node]);
      }
    }
  }
  globalThis.remitFields = { checkFields };
})();
