//! The guards of a script for the sqlite3 shell, and the records it writes.

use super::{
    command::{Command, Field},
    row::UP_SCRIPT,
    script::SqliteScript,
    version_table::quoted,
};
use crate::{
    database::{StepRequest, script::premise},
    revision::{LAYOUT, RecordChange},
    sql::Dialect,
};

/// The current time in the format of the tables.
const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/// The start of the transaction.
const BEGAN: &str = "(SELECT began FROM temp.migrator_state)";

/// The milliseconds since the start; the clock may have been set back meanwhile.
const ELAPSED: &str = "(SELECT max(0, CAST(round((julianday('now') - julianday(began)) * 86400000) \
     AS INTEGER)) FROM temp.migrator_state)";

/// The number of rows without a parent, by child, parent and columns.
const KEYS: &str = "SELECT lower(v.\"table\") AS child, lower(v.parent) AS parent,
    (SELECT group_concat(lower(l.\"from\"), ', ') FROM pragma_foreign_key_list(v.\"table\", 'main') AS l
     WHERE l.id = v.fkid) AS refs, count(*) AS found
    FROM pragma_foreign_key_check(NULL, 'main') AS v GROUP BY 1, 2, 3";

/// The violations that are new.
const WORSE: &str =
    "AS now WHERE now.found > coalesce((SELECT old.found FROM temp.migrator_keys AS old
    WHERE old.child = now.child AND old.parent = now.parent AND old.refs = now.refs), 0)";

impl SqliteScript {
    /// Stops the script with the constraint `name` if `condition` is false after `command`.
    pub(super) fn guard(&mut self, name: &str, command: Option<&str>, condition: &str) {
        let name = quoted(name);
        self.command(&format!(
            "CREATE TEMP TABLE migrator_guard (ok CONSTRAINT {name}\n    CHECK (coalesce(ok, 0)))"
        ));
        if let Some(command) = command {
            self.command(command);
        }
        self.command(&format!(
            "INSERT INTO temp.migrator_guard SELECT {condition}"
        ));
        self.command("DROP TABLE temp.migrator_guard");
    }

    /// Reads the clock, and compares the state or creates the version table.
    pub(super) fn enter(&mut self) {
        let premise = premise(&self.head);
        let name = self.table.name.clone();
        let names = [&name, &self.table.log_name, &self.table.progress_name];
        let names = names.map(|name| format!("lower({})", literal(name)));
        let tables = |count: usize| {
            format!(
                "(SELECT count(*) FROM main.sqlite_schema WHERE lower(name) IN ({}))",
                names[..count].join(", ")
            )
        };
        if self.expected.table {
            if self.expected.all {
                let absent = format!("{premise}, but there is no version table {name}");
                self.guard(&absent, None, &format!("{} = 2", tables(2)));
            }
            self.guard_state(&premise);
            if self.expected.all {
                self.ensure_layout(&premise);
            }
            return;
        }
        self.command(&format!(
            "CREATE TEMP TABLE migrator_state AS SELECT {NOW} AS began"
        ));
        let there =
            format!("{premise} and creates the version table {name}, but it already exists");
        self.guard(&there, None, &format!("{} = 0", tables(3)));
        for sql in self.table.definitions() {
            self.command(&sql);
        }
        let layout = written(&Command::layout(&self.table, &self.settings.actor));
        self.command(&layout);
    }

    /// Compares the layout of the version table, and upgrades an older one. The shell cannot decide
    /// whether to add a column.
    fn ensure_layout(&mut self, premise: &str) {
        let (table, is_old) = (self.table.clone(), self.head.observed.layout < Some(LAYOUT));
        let condition = format!(
            "(SELECT count(*) FROM pragma_table_xinfo({}, 'main') WHERE lower(name) = '{UP_SCRIPT}') = {}",
            literal(&table.name),
            i32::from(!is_old)
        );
        let name = &table.name;
        if !is_old {
            let old = format!(
                "{premise}, but the version table {name} has an older layout; run `migrator ensure-version` first"
            );
            return self.guard(&old, None, &condition);
        }
        let upgraded = format!(
            "{premise}, but the layout of the version table {name} has been upgraded; print this script again"
        );
        self.guard(&upgraded, None, &condition);
        for sql in table.upgrade() {
            self.command(&sql);
        }
        self.command(&written(&Command::layout(&table, &self.settings.actor)));
    }

    fn guard_state(&mut self, premise: &str) {
        let table = &self.table.table;
        let (count, last) = (self.expected.rows.len(), self.expected.last_sequence());
        let newest = self.expected.newest();
        let known = if self.expected.all {
            let marks: Vec<_> = self.expected.marks().map(|mark| literal(&mark)).collect();
            format!(
                "count(*) FILTER (WHERE state = 'applied' \
                 AND sequence || ':' || ltrim(revision, '0') IN ({}))",
                marks.join(", ")
            )
        } else {
            "count(*)".to_owned()
        };
        let state = format!(
            "CREATE TEMP TABLE migrator_state AS SELECT {NOW} AS began,
    coalesce((SELECT revision FROM {table} ORDER BY sequence DESC LIMIT 1), 'base') AS newest,
    coalesce(max(sequence), 0) AS last, count(*) AS applied, {known} AS known
    FROM {table}"
        );
        let is = format!(
            "(ltrim(newest, '0'), last, applied, known) = ({}, {last}, {count}, {count})",
            literal(newest.trim_start_matches('0'))
        );
        let planned = format!("{newest} ({count} applied, the last as number {last})");
        let told = format!(
            "SELECT {} || newest || ' (' || applied || ' applied, the last as number ' || last \
             || {}
    FROM temp.migrator_state WHERE NOT {is}",
            literal(&format!("{premise}, but the database is at ")),
            literal(&format!("), not at {planned}")),
        );
        let wrong = format!("{premise}, but the database is not at {planned}");
        self.command(&state);
        self.command(&told);
        self.guard(&wrong, None, &format!("{is} FROM temp.migrator_state"));
    }

    /// Stores the current violations for the comparison of foreign keys. Returns whether this step
    /// makes the comparison.
    pub(super) fn keep_keys(&mut self, step: &StepRequest<'_>) -> bool {
        let mut texts = step.statements.iter().map(|one| one.text(step.text));
        let may_break = texts.any(|text| Dialect::Sqlite.may_break_foreign_keys(text));
        if may_break && !self.keeps_keys {
            self.command(&format!("CREATE TEMP TABLE migrator_keys AS {KEYS}"));
            self.keeps_keys = true;
        }
        let ends_script = step.changes.iter().any(|change| {
            matches!(
                change,
                RecordChange::Insert(_)
                    | RecordChange::Delete(_)
                    | RecordChange::DeleteApplied(_)
                    | RecordChange::Finish { .. }
            )
        });
        self.keeps_keys && ends_script
    }

    pub(super) fn compare_keys(&mut self) {
        self.command(&format!(
            "SELECT 'without a parent in ' || parent || ': ' || found || ' of ' || child || ' (' || refs || ')' \
             FROM ({KEYS}) {WORSE}"
        ));
        let condition = format!("NOT EXISTS (SELECT 1 FROM ({KEYS}) {WORSE})");
        let name = format!("{}: new foreign key violations", self.label);
        self.guard(&name, None, &condition);
        self.command("DROP TABLE temp.migrator_keys");
        self.keeps_keys = false;
    }
}

/// The command with its values inserted.
pub(super) fn written(command: &Command<'_>) -> String {
    let mut text = String::new();
    let mut in_name = false;
    let mut rest = command.sql.chars().peekable();
    while let Some(c) = rest.next() {
        // A table's name may contain anything.
        in_name ^= c == '"';
        if c != '?' || in_name {
            text.push(c);
            continue;
        }
        let mut number = 0;
        while let Some(digit) = rest.peek().and_then(|c| c.to_digit(10)) {
            number = number * 10 + digit as usize;
            rest.next();
        }
        text.push_str(&value(&command.fields[number - 1]));
    }
    text
}

fn value(field: &Field<'_>) -> String {
    match field {
        Field::Null => "NULL".to_owned(),
        Field::Integer(value) => value.to_string(),
        Field::Text(text) => literal(text),
        Field::Began => BEGAN.to_owned(),
        Field::Now => NOW.to_owned(),
        Field::Duration | Field::DurationAfter(_) => ELAPSED.to_owned(),
    }
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::{super::version_table::VersionTable, *};

    #[test]
    fn values_take_the_places_of_parameters_and_nothing_else() {
        let table = VersionTable::new("odd ?1 \" name").unwrap();
        let change = RecordChange::Delete("7".parse().unwrap());
        let check = |command: &Command<'_>, expected: &str| assert_eq!(written(command), expected);
        check(
            &Command::of(&table, "me", &change)[0],
            "DELETE FROM main.\"odd ?1 \"\" name\" WHERE revision = '7'",
        );
        let layout = written(&Command::layout(&table, "it's ?1"));
        assert!(layout.contains(&format!("VALUES ({NOW}, 'layout', 'ok', 0, 'it''s ?1', ")));
    }
}
