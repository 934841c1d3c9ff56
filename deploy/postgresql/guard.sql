-- The guard of the record's shape. `manage.py database_roles` runs this as a superuser and seals it.
--
-- Promise: no data definition by anyone, the tables' owner included, leaves a kept table, or what
-- its rows pass through, otherwise than it was sealed. It does not judge commands by their names,
-- which forgets one sooner or later (CREATE RULE, CREATE POLICY, GRANT, ...): after each command it
-- compares all that matters in the catalogue with what was sealed, and undoes the command when
-- they differ. Only a superuser can lift it: ALTER EVENT TRIGGER remit_guard_end DISABLE.

CREATE SCHEMA IF NOT EXISTS remit_guard;
REVOKE ALL ON SCHEMA remit_guard FROM PUBLIC;

CREATE TABLE IF NOT EXISTS remit_guard.kept (
    namespace text NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (namespace, name)
);

CREATE TABLE IF NOT EXISTS remit_guard.sealed (
    thing text PRIMARY KEY,
    form text NOT NULL
);

-- The kept tables and everything that inherits from them: a partition holds rows of the record, and
-- a table that somebody lets inherit would add rows to it.
CREATE OR REPLACE FUNCTION remit_guard.held() RETURNS TABLE (id oid, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE held (id) AS (
        SELECT c.oid FROM remit_guard.kept k
        JOIN pg_namespace n ON n.nspname = k.namespace
        JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = k.name
        UNION
        SELECT i.inhrelid FROM held JOIN pg_inherits i ON i.inhparent = held.id
    )
    SELECT c.oid, n.nspname || '.' || c.relname
    FROM held JOIN pg_class c ON c.oid = held.id JOIN pg_namespace n ON n.oid = c.relnamespace
$$;

-- Everything of the catalogue that decides what a statement about a kept table does.
CREATE OR REPLACE FUNCTION remit_guard.shape() RETURNS TABLE (thing text, form text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET quote_all_identifiers = off AS $$
    WITH held AS MATERIALIZED (SELECT id, name FROM remit_guard.held()),
    namespaces AS (
        SELECT DISTINCT n.* FROM pg_namespace n JOIN remit_guard.kept k ON k.namespace = n.nspname
    )
    SELECT 'table ' || h.name,
           concat_ws(' ', c.relowner::regrole, c.relkind, c.relpersistence, c.relrowsecurity,
                     c.relforcerowsecurity, c.relispartition, c.relacl::text, c.reloptions::text,
                     (SELECT string_agg(i.inhparent::regclass::text, ',' ORDER BY i.inhseqno)
                      FROM pg_inherits i WHERE i.inhrelid = c.oid),
                     pg_get_expr(c.relpartbound, c.oid))
    FROM held h JOIN pg_class c ON c.oid = h.id
    UNION ALL
    SELECT format('column %s of %s', a.attname, h.name),
           concat_ws(' ', a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                     a.attidentity, a.attgenerated, a.attcollation, a.attacl::text,
                     pg_get_expr(d.adbin, d.adrelid))
    FROM held h JOIN pg_attribute a ON a.attrelid = h.id AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT format('trigger %s of %s', t.tgname, h.name), concat(t.tgenabled, pg_get_triggerdef(t.oid))
    FROM held h JOIN pg_trigger t ON t.tgrelid = h.id
    -- Those of foreign keys come and go with other tables; only a silenced one matters.
    WHERE NOT t.tgisinternal OR t.tgenabled <> 'O'
    UNION ALL
    SELECT format('rule %s of %s', r.rulename, h.name), concat(r.ev_enabled, pg_get_ruledef(r.oid))
    FROM held h JOIN pg_rewrite r ON r.ev_class = h.id
    UNION ALL
    SELECT format('policy %s of %s', p.polname, h.name), p.polcmd::text
    FROM held h JOIN pg_policy p ON p.polrelid = h.id
    UNION ALL
    SELECT format('index %s of %s', i.indexrelid::regclass, h.name), pg_get_indexdef(i.indexrelid)
    FROM held h JOIN pg_index i ON i.indrelid = h.id
    UNION ALL
    SELECT format('constraint %s of %s', c.conname, h.name),
           concat_ws(' ', pg_get_constraintdef(c.oid), c.convalidated, c.condeferrable)
    FROM held h JOIN pg_constraint c ON c.conrelid = h.id
    UNION ALL
    SELECT format('sequence %s of %s', s.oid::regclass, h.name),
           concat_ws(' ', s.relowner::regrole, s.relacl::text, q.seqtypid::regtype, q.seqstart,
                     q.seqincrement, q.seqmin, q.seqmax, q.seqcycle)
    FROM held h JOIN pg_depend d ON d.refobjid = h.id AND d.refclassid = 'pg_class'::regclass
         AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_sequence q ON q.seqrelid = s.oid
    UNION ALL
    -- All functions of the schema: one with a fitting name could be taken for another.
    SELECT format('function %s', p.oid::regprocedure),
           concat_ws(' ', p.proowner::regrole, p.proacl::text,
                     CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) END)
    FROM namespaces n JOIN pg_proc p ON p.pronamespace = n.oid
    UNION ALL
    SELECT format('operator %s', o.oid::regoperator), o.oprcode::text
    FROM namespaces n JOIN pg_operator o ON o.oprnamespace = n.oid
    UNION ALL
    SELECT format('schema %s', n.nspname), concat_ws(' ', n.nspowner::regrole, n.nspacl::text)
    FROM namespaces n
$$;

CREATE OR REPLACE FUNCTION remit_guard.differences() RETURNS TABLE (thing text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(now.thing, was.thing)
    FROM remit_guard.shape() AS now FULL JOIN remit_guard.sealed AS was USING (thing)
    WHERE now.form IS DISTINCT FROM was.form
    ORDER BY 1
$$;

CREATE OR REPLACE FUNCTION remit_guard.refuse() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    fault text;
BEGIN
    -- ALTER COLUMN ... TYPE ... USING writes every row anew and may leave the shape as it was.
    IF tg_event = 'table_rewrite' THEN
        SELECT name INTO fault FROM remit_guard.held()
        WHERE id = pg_event_trigger_table_rewrite_oid();
        IF FOUND THEN
            RAISE EXCEPTION 'remit guard: % would rewrite %', tg_tag, fault
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN;
    END IF;
    SELECT thing INTO fault FROM remit_guard.differences() LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'remit guard: % would change the %', tg_tag, fault
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'Migrate with `manage.py database_roles` as an administrator.';
    END IF;
END
$$;

-- A function is everybody's to run unless one says so.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA remit_guard FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA remit_guard FROM PUBLIC;

DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN SELECT * FROM (VALUES
        ('remit_guard_end', 'ddl_command_end'),
        ('remit_guard_drop', 'sql_drop'),
        ('remit_guard_rewrite', 'table_rewrite')) AS v (name, event)
    LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_event_trigger WHERE evtname = wanted.name) THEN
            EXECUTE format('CREATE EVENT TRIGGER %I ON %s EXECUTE FUNCTION remit_guard.refuse()',
                           wanted.name, wanted.event);
            EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', wanted.name);
        END IF;
    END LOOP;
END
$$;
