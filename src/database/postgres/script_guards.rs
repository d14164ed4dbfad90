//! The checks that a psql script makes before it changes anything.

use super::{
    error::{LOCK_LOST, STATE_CHANGED},
    lock,
    message::{block, literal},
    script::PostgresScript,
    step::ScriptGuards,
    trust,
};
use crate::database::script::{Expected, premise};

/// The default schema of the version table.
pub(super) const USUAL_SCHEMA: &str = "public";

impl PostgresScript {
    pub(super) fn guards(&self) -> ScriptGuards {
        let lock = taken(&lock::for_transaction(self.table.key));
        let state = if self.expected.table {
            let mut commands = Vec::new();
            if self.expected.all {
                commands.push(self.presence_guard());
                commands.push(self.trust_guard());
            }
            commands.push(self.state_guard());
            // A script may run on another database than the one that was read.
            if self.expected.all {
                commands.push(self.table.upgrade(&self.settings.actor));
            }
            commands
        } else {
            let mut commands = vec![self.absence_guard()];
            commands.extend(self.table.make(&self.settings.actor));
            commands
        };
        ScriptGuards { lock, state }
    }

    fn state_guard(&self) -> String {
        let Expected { rows, all, .. } = &self.expected;
        // Writing the comparison twice would make the script large for a large table.
        let known = if *all {
            let marks: Vec<_> = self.expected.marks().map(|mark| literal(&mark)).collect();
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
        let (newest, last) = (self.expected.newest(), self.expected.last_sequence());
        block(&format!(
            "DECLARE newest text; total bigint; known bigint; highest bigint;
BEGIN
    SELECT coalesce((pg_catalog.array_agg(t.revision ORDER BY t.sequence DESC))[1], 'base'),
        pg_catalog.count(*), {known}, coalesce(pg_catalog.max(t.sequence), 0)
    INTO newest, total, known, highest FROM {table} AS t;
    IF pg_catalog.ltrim(newest, '0') OPERATOR(pg_catalog.<>) {expected}::text
        OR total OPERATOR(pg_catalog.<>) {count} OR known OPERATOR(pg_catalog.<>) {count}
        OR highest OPERATOR(pg_catalog.<>) {last}
    THEN
        RAISE EXCEPTION USING ERRCODE = '{STATE_CHANGED}', MESSAGE = pg_catalog.concat(
            {wrong},
            newest, ' (', total, ' applied, the last as number ', highest, {planned});
    END IF;
END",
            table = self.table.quoted,
            expected = literal(newest.trim_start_matches('0')),
            count = rows.len(),
            wrong = literal(&format!("{premise}, but the database is at ")),
            planned = literal(&format!(
                "), not at {newest} ({} applied, the last as number {last})",
                rows.len(),
            )),
        ))
    }

    fn presence_guard(&self) -> String {
        let is_absent = format!(
            "pg_catalog.to_regclass({}) IS NULL",
            literal(&self.table.quoted)
        );
        let message = format!(
            "{}, but there is no version table {}",
            premise(&self.head),
            self.table.shown()
        );
        refusal(&is_absent, &literal(&message), "")
    }

    /// The guard for [`super::trust`]; migrator itself reports more detail.
    fn trust_guard(&self) -> String {
        let tables = [&self.table.quoted, &self.table.log];
        let conditions = tables.map(|table| trust::is_untrusted(table));
        let message = format!(
            "{} is not trusted: it, or something that hangs on it, belongs to a role that could \
             have its own code run by this one",
            self.table.shown()
        );
        let hint = "`migrator status` names it";
        refusal(&conditions.join(" OR "), &literal(&message), hint)
    }

    fn absence_guard(&self) -> String {
        let is_there = self.table.is_there_condition();
        let message = format!(
            "{} and creates the version table {}, but it already exists",
            premise(&self.head),
            self.table.shown()
        );
        refusal(&is_there, &literal(&message), "")
    }

    /// A guard for the schema, which is a guess if no database was read.
    pub(super) fn path_guard(&self) -> String {
        let is_elsewhere = format!(
            "coalesce(pg_catalog.current_schema()::pg_catalog.text, '') OPERATOR(pg_catalog.<>) {}",
            literal(USUAL_SCHEMA)
        );
        let message = format!(
            "pg_catalog.concat({}, pg_catalog.current_schema())",
            literal(&format!(
                "this script makes its version table in {USUAL_SCHEMA}, \
                 but this role's search path leads to "
            )),
        );
        let hint = "name the schema in migrator.toml and print the script again: \
                    version-table = \"schema.table\"";
        refusal(&is_elsewhere, &message, hint)
    }
}

/// A command that fails unless the expression `lock` is true.
pub(super) fn taken(lock: &str) -> String {
    block(&format!(
        "BEGIN
    IF NOT {lock} THEN
        RAISE EXCEPTION USING ERRCODE = '{LOCK_LOST}',
            MESSAGE = E'another migrator is at work on this version table';
    END IF;
END"
    ))
}

/// A command that fails with the expression `message` if `condition` is true.
pub(super) fn refusal(condition: &str, message: &str, hint: &str) -> String {
    let hint = if hint.is_empty() {
        String::new()
    } else {
        format!(",\n            HINT = {}", literal(hint))
    };
    block(&format!(
        "BEGIN
    IF {condition} THEN
        RAISE EXCEPTION USING ERRCODE = '{STATE_CHANGED}',
            MESSAGE = {message}{hint};
    END IF;
END"
    ))
}
