//! What a script for psql checks before it changes anything.

use super::{
    error::{LOCK_LOST, STATE_CHANGED},
    lock,
    message::{block, literal},
    script::PostgresScript,
    step::ScriptGuards,
};
use crate::database::script::{Expected, premise};

/// Where nothing says otherwise, the version table is kept here.
pub(super) const USUAL_SCHEMA: &str = "public";

impl PostgresScript {
    pub(super) fn guards(&self) -> ScriptGuards {
        let busy = "another migrator is at work on this version table";
        let lock = block(&format!(
            "BEGIN IF NOT {} THEN RAISE EXCEPTION USING ERRCODE = '{LOCK_LOST}', MESSAGE = {}; \
             END IF; END",
            lock::for_transaction(self.table.key),
            literal(busy)
        ));
        let state = if self.expected.table {
            vec![self.state_guard()]
        } else {
            let mut commands = vec![self.absence_guard()];
            commands.extend(self.table.make(&self.settings.actor));
            commands
        };
        ScriptGuards { lock, state }
    }

    fn state_guard(&self) -> String {
        let Expected { rows, all, .. } = &self.expected;
        let marks: Vec<_> = self.expected.marks().map(|mark| literal(&mark)).collect();
        // Of a large table the comparison would make the script large as well, were it made twice.
        let known = if *all {
            format!(
                "pg_catalog.count(*) FILTER (WHERE t.state OPERATOR(pg_catalog.=) 'applied'::text \
                 AND pg_catalog.concat(t.sequence, ':', pg_catalog.ltrim(t.revision, '0')) \
                 OPERATOR(pg_catalog.=) ANY (ARRAY[{}]::text[]))",
                marks.join(", ")
            )
        } else {
            "pg_catalog.count(*)".to_owned()
        };
        let premise = premise(&self.head);
        block(&format!(
            "DECLARE newest text; total bigint; known bigint; highest bigint; BEGIN \
             IF pg_catalog.to_regclass({name}) IS NULL THEN RAISE EXCEPTION USING \
             ERRCODE = '{STATE_CHANGED}', MESSAGE = {absent}; END IF; \
             SELECT coalesce((pg_catalog.array_agg(t.revision ORDER BY t.sequence DESC))[1], 'base'), \
             pg_catalog.count(*), {known}, coalesce(pg_catalog.max(t.sequence), 0) \
             INTO newest, total, known, highest FROM {table} AS t; \
             IF pg_catalog.ltrim(newest, '0') OPERATOR(pg_catalog.<>) {expected}::text \
             OR total OPERATOR(pg_catalog.<>) {count} OR known OPERATOR(pg_catalog.<>) {count} \
             OR highest OPERATOR(pg_catalog.<>) {sequence} THEN \
             RAISE EXCEPTION USING ERRCODE = '{STATE_CHANGED}', MESSAGE = pg_catalog.concat({wrong}, \
             newest, ' (', total, ' applied, the last as number ', highest, \
             {planned}); END IF; END",
            name = literal(&self.table.quoted),
            absent = literal(&format!(
                "{premise}, but there is no version table {}",
                self.table.shown()
            )),
            table = self.table.quoted,
            expected = literal(self.expected.newest().trim_start_matches('0')),
            count = rows.len(),
            sequence = self.expected.last_sequence(),
            wrong = literal(&format!("{premise}, but the database is at ")),
            planned = literal(&format!(
                "), not at {} ({} applied, the last as number {})",
                self.expected.newest(),
                rows.len(),
                self.expected.last_sequence(),
            )),
        ))
    }

    fn absence_guard(&self) -> String {
        block(&format!(
            "BEGIN IF EXISTS ({}) THEN RAISE EXCEPTION USING ERRCODE = '{STATE_CHANGED}', \
             MESSAGE = {}; END IF; END",
            self.table.presence_query(),
            literal(&format!(
                "{} and makes the version table {}, but that is there already",
                premise(&self.head),
                self.table.shown()
            ))
        ))
    }

    /// Where no database was asked, the schema is a guess.
    pub(super) fn path_guard(&self) -> String {
        block(&format!(
            "BEGIN IF coalesce(pg_catalog.current_schema()::text, '') OPERATOR(pg_catalog.<>) {} THEN \
             RAISE EXCEPTION USING ERRCODE = '{STATE_CHANGED}', MESSAGE = pg_catalog.concat({}, \
             pg_catalog.current_schema()), HINT = {}; END IF; END",
            literal(USUAL_SCHEMA),
            literal(&format!(
                "this script makes its version table in {USUAL_SCHEMA}, \
                 but this role's search path leads to "
            )),
            literal(
                "name the schema in migrator.toml and make the script anew: version-table = \"schema.table\""
            ),
        ))
    }
}
