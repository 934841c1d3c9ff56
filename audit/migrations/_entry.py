"""`audit_entry` is laid by hand: its query columns are generated from the leaf by functions that
PostgreSQL and SQLite write differently. Whoever alters that table later writes SQL too.
"""

# Every name with its schema: no search path can put another operator in. PL/pgSQL keeps its plans
# for the session; a function in SQL is planned anew by each INSERT, which cost 40% of an entry.
LEAF_FUNCTIONS = """
CREATE FUNCTION audit_leaf_text(leaf bytea, name text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$ BEGIN
RETURN COALESCE(pg_catalog.convert_from(leaf, 'UTF8')::pg_catalog.jsonb
                OPERATOR(pg_catalog.->>) name, ''); END $$;
CREATE FUNCTION audit_leaf_number(leaf bytea, name text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$ BEGIN
RETURN (pg_catalog.convert_from(leaf, 'UTF8')::pg_catalog.jsonb
        OPERATOR(pg_catalog.->>) name)::pg_catalog.int8; END $$;
CREATE FUNCTION audit_leaf_time(leaf bytea) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$ BEGIN
RETURN (pg_catalog.convert_from(leaf, 'UTF8')::pg_catalog.jsonb
        OPERATOR(pg_catalog.->>) 't')::pg_catalog.timestamptz; END $$
"""

POSTGRESQL = """
CREATE TABLE audit_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    uuid uuid NOT NULL UNIQUE,
    organisation text NOT NULL,
    leaf bytea NOT NULL,
    leaf_hash bytea NOT NULL UNIQUE,
    occurred_at timestamptz NOT NULL GENERATED ALWAYS AS (audit_leaf_time(leaf)) STORED,
    event text NOT NULL GENERATED ALWAYS AS (audit_leaf_text(leaf, 'ev')) STORED,
    verdict text NOT NULL GENERATED ALWAYS AS (audit_leaf_text(leaf, 'dec')) STORED,
    purpose text NOT NULL GENERATED ALWAYS AS (audit_leaf_text(leaf, 'pur')) STORED,
    role text NOT NULL GENERATED ALWAYS AS (audit_leaf_text(leaf, 'role')) STORED,
    act text NOT NULL GENERATED ALWAYS AS (audit_leaf_text(leaf, 'act')) STORED,
    count bigint GENERATED ALWAYS AS (audit_leaf_number(leaf, 'n')) STORED,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT audit_entry_is_short CHECK (octet_length(leaf) BETWEEN 2 AND 65535),
    CONSTRAINT audit_entry_has_its_hash CHECK (leaf_hash = sha256('\\x00'::bytea || leaf)),
    CONSTRAINT audit_entry_has_its_id CHECK (audit_leaf_text(leaf, 'id') = uuid::text)
);
CREATE INDEX audit_entry_event ON audit_entry (event, id DESC);
CREATE INDEX audit_entry_time ON audit_entry (occurred_at);
"""

# SQLite keeps times as text in the form Django writes them; it has no SHA-256.
SQLITE = """
CREATE TABLE audit_entry (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    uuid char(32) NOT NULL UNIQUE,
    organisation text NOT NULL,
    leaf BLOB NOT NULL CHECK (length(leaf) BETWEEN 2 AND 65535),
    leaf_hash BLOB NOT NULL UNIQUE CHECK (length(leaf_hash) = 32),
    occurred_at datetime NOT NULL GENERATED ALWAYS AS (
        replace(substr(json_extract(CAST(leaf AS TEXT), '$.t'), 1, 23), 'T', ' ') || '000'
    ) STORED,
    event text NOT NULL GENERATED ALWAYS AS (
        COALESCE(json_extract(CAST(leaf AS TEXT), '$.ev'), '')) STORED,
    verdict text NOT NULL GENERATED ALWAYS AS (
        COALESCE(json_extract(CAST(leaf AS TEXT), '$.dec'), '')) STORED,
    purpose text NOT NULL GENERATED ALWAYS AS (
        COALESCE(json_extract(CAST(leaf AS TEXT), '$.pur'), '')) STORED,
    role text NOT NULL GENERATED ALWAYS AS (
        COALESCE(json_extract(CAST(leaf AS TEXT), '$.role'), '')) STORED,
    act text NOT NULL GENERATED ALWAYS AS (
        COALESCE(json_extract(CAST(leaf AS TEXT), '$.act'), '')) STORED,
    count bigint GENERATED ALWAYS AS (json_extract(CAST(leaf AS TEXT), '$.n')) STORED,
    CONSTRAINT audit_entry_has_its_id
        CHECK (replace(json_extract(CAST(leaf AS TEXT), '$.id'), '-', '') = uuid)
);
CREATE INDEX audit_entry_event ON audit_entry (event, id DESC);
CREATE INDEX audit_entry_time ON audit_entry (occurred_at);
"""


def lay_entry(apps, schema_editor):
    parts = (
        (SQLITE,) if schema_editor.connection.vendor == "sqlite" else (LEAF_FUNCTIONS, POSTGRESQL)
    )
    for text in parts:
        for statement in statements(text):
            schema_editor.execute(statement, params=None)


def statements(text):
    return [part.strip() for part in text.split(";\n") if part.strip()]
