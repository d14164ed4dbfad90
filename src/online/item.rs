//! Statements in their safe forms.

use super::{Job, Refill, Waiting, retype};
use crate::{
    generate::{Place, Statement},
    lint::{
        self, Act, Cause, Class, ColumnChange, Effects, Finding, Fix, Headers, Known, LockMode,
        Script, Settings, Severity, TableChange, text,
    },
    revision::Phase,
    schema::{Facts, Kind, Name, ObjectId, Schema, postgres::Key},
};

/// A statement and where it belongs.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub statement: Statement,
    pub job: Job,
    pub phase: Phase,
    /// What later statements can need of it.
    pub made: Made,
    /// What it does only together with the items beside it: the swap of this column.
    pub group: Option<ObjectId>,
    /// The tables that nobody reads while it runs.
    pub locks: Vec<Name>,
    /// Whether it fills a column that is to refuse NULL.
    pub is_fill: bool,
    /// What the down script does beside.
    pub refill: Option<Refill>,
}

/// What later statements can need of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// The object.
    Object,
    /// A key over these columns, to which foreign keys can refer.
    Key(Vec<String>),
    /// NOT NULL, which a primary key needs.
    NotNull,
    /// A constraint that has been validated, of this name.
    Name(String),
}

impl Item {
    pub fn new(statement: Statement, job: Job, phase: Phase) -> Self {
        Self {
            statement,
            job,
            phase,
            made: Made::Object,
            group: None,
            locks: Vec::new(),
            is_fill: false,
            refill: None,
        }
    }
}

/// The statements in their safe forms, and those that have none.
pub(super) fn items(
    statements: Vec<Statement>,
    from: &Schema,
    to: &Schema,
) -> (Vec<Item>, Vec<Waiting>) {
    let script = script(&statements, from, to);
    let mut findings: Vec<Option<Finding>> = vec![None; statements.len()];
    let mut settings = Settings::default();
    // Which revisions lock which tables is up to the schedule.
    settings
        .severities
        .insert("many-tables-locked".to_owned(), None);
    for finding in lint::lint(&script, &settings) {
        let at = finding.statement;
        findings[at] = Some(finding);
    }
    let mut writer = Writer {
        from,
        to,
        items: Vec::new(),
        waiting: Vec::new(),
        absorbed: vec![false; statements.len()],
    };
    for (at, finding) in findings.iter().enumerate() {
        if !writer.absorbed[at] {
            let acts = &script.statements[at].acts;
            writer.write(at, &statements, acts, finding.as_ref());
        }
    }
    let Writer {
        mut items, waiting, ..
    } = writer;
    fill_with_columns(&mut items);
    let mut known = known(from);
    for item in &mut items {
        let effects = effects(&mut known, &text::read(from.dialect, &item.statement.sql));
        let locks = effects.locks.into_iter();
        let locks = locks.filter(|it| it.mode == LockMode::AccessExclusive);
        item.locks = locks.map(|it| it.relation).collect();
    }
    (items, waiting)
}

/// What is known before the statements.
fn known(from: &Schema) -> Known {
    let mut known = Known::new(from.dialect);
    known.schema(from);
    known.begin_run();
    known.forget_time_zone();
    known
}

/// The effects of the next statement, in a transaction of its own.
fn effects(known: &mut Known, acts: &[Act]) -> Effects {
    known.begin_transaction();
    known.effects(acts)
}

/// The statements as lint sees them: a script without a transaction.
fn script(statements: &[Statement], from: &Schema, to: &Schema) -> Script {
    let mut known = known(from);
    let read = |statement: &Statement| {
        let acts = text::read(from.dialect, &statement.sql);
        lint::Statement {
            effects: effects(&mut known, &acts),
            sql: statement.sql.clone(),
            span: 0..statement.sql.len(),
            line: 1,
            column: 1,
            in_transaction: false,
            is_batched: false,
            acts,
            error: None,
        }
    };
    Script {
        dialect: from.dialect,
        headers: Headers {
            transaction_off: true,
            ..Headers::default()
        },
        statements: statements.iter().map(read).collect(),
        young: Vec::new(),
        later: Vec::new(),
        server: None,
        before: Some(from.clone().into()),
        after: Some(to.clone().into()),
    }
}

struct Writer<'a> {
    from: &'a Schema,
    to: &'a Schema,
    items: Vec<Item>,
    waiting: Vec<Waiting>,
    /// The statements that went into the form of another one.
    absorbed: Vec<bool>,
}

impl Writer<'_> {
    fn write(
        &mut self,
        at: usize,
        statements: &[Statement],
        acts: &[Act],
        finding: Option<&Finding>,
    ) {
        let statement = &statements[at];
        let serious = |class| {
            let causes = finding.into_iter().flat_map(|it| &it.causes);
            let is_it = move |it: &&Cause| it.rule.class == class && it.severity > Severity::Note;
            causes.filter(is_it)
        };
        let phase = match serious(Class::Breaks).next() {
            Some(_) => Phase::Contract,
            None => Phase::Expand,
        };
        let Some(blocking) = serious(Class::Blocks).next() else {
            let job = match statement.place {
                Place::Anywhere => Job::Change,
                Place::AfterCommit | Place::Outside => Job::Build,
            };
            return self.items.push(Item::new(statement.clone(), job, phase));
        };
        if let Some(fix) = serious(Class::Blocks).find_map(|it| it.fix.as_ref()) {
            match self.obstacle(statement, statements, fix) {
                None => return self.fixed(statement, fix, phase),
                Some(reason) => return self.wait(statement, blocking, reason, phase),
            }
        }
        let reason = match new_type(acts) {
            None => "it has no form without".to_owned(),
            Some(using) => {
                let schemas = (self.from, self.to);
                match retype::items(at, statements, using, schemas) {
                    Ok(retyped) => {
                        for absorbed in retyped.absorbed {
                            self.absorbed[absorbed] = true;
                            // What prepared the change has been written already.
                            let before = &statements[absorbed];
                            self.items.retain(|it| it.statement != *before);
                        }
                        self.items.extend(retyped.items);
                        return;
                    }
                    Err(reason) => reason,
                }
            }
        };
        self.wait(statement, blocking, reason, phase);
    }

    fn wait(&mut self, statement: &Statement, cause: &Cause, reason: String, phase: Phase) {
        self.waiting.push(Waiting {
            sql: statement.sql.clone(),
            message: cause.message.clone(),
            reason: reason.clone(),
        });
        let mut statement = statement.clone();
        statement
            .notes
            .push(format!("{}: {reason}.", capitalized(&cause.message)));
        self.items.push(Item::new(statement, Job::Wait, phase));
    }

    /// Why the safe form of a statement is not written.
    fn obstacle(
        &self,
        statement: &Statement,
        statements: &[Statement],
        fix: &Fix,
    ) -> Option<String> {
        let id = statement.object.as_ref()?;
        if let Some(Facts::Key(key)) = self.to.get(id).map(|it| &it.facts)
            && !is_plain(key)
        {
            return Some("its index has options that the safe form leaves out".to_owned());
        }
        fix.directive.as_ref()?;
        let disables =
            |it: &&Statement| it.object == statement.object && it.sql.contains(" DISABLE TRIGGER ");
        let disabling = statements.iter().find(disables)?;
        let (_, name) = disabling.sql.rsplit_once(' ')?;
        Some(format!("trigger {name} would run for each row"))
    }

    /// The safe form of a statement.
    fn fixed(&mut self, statement: &Statement, fix: &Fix, phase: Phase) {
        let is_batched = fix.directive.is_some();
        let job = match fix.transaction_off {
            true => Job::Build,
            false => Job::Change,
        };
        for (number, sql) in fix.replace.iter().enumerate() {
            let mut item = Item::new(
                Statement {
                    sql: sql.clone(),
                    is_batched,
                    ..statement.clone()
                },
                job,
                phase,
            );
            item.is_fill = is_batched;
            item.made = self.made(statement, fix);
            if number > 0 || !fix.following.is_empty() {
                item.statement.notes.clear();
            }
            self.items.push(item);
        }
        for (number, sql) in fix.following.iter().enumerate() {
            let mut following = Statement::new(statement.object.clone(), sql.clone());
            // What existing rows are in the way of is validated, not added.
            if number == 0 {
                following.notes.clone_from(&statement.notes);
            }
            let mut item = Item::new(following, Job::Validate, phase);
            item.made = match &statement.object {
                Some(id) if id.kind == Kind::Column => Made::NotNull,
                Some(id) => Made::Name(id.name.clone()),
                None => Made::Object,
            };
            self.items.push(item);
        }
    }

    /// What later statements can need of the safe form of a statement.
    fn made(&self, statement: &Statement, fix: &Fix) -> Made {
        let Some(id) = &statement.object else {
            return Made::Object;
        };
        if id.kind == Kind::Column && !fix.following.is_empty() {
            return Made::NotNull;
        }
        self.key_columns(id).map_or(Made::Object, Made::Key)
    }

    /// The columns of a key, or of a unique index.
    fn key_columns(&self, id: &ObjectId) -> Option<Vec<String>> {
        match &self.to.get(id)?.facts {
            Facts::Key(key) => Some(key.columns.clone()),
            Facts::Index(index) if index.unique => {
                let keys = index.keys.iter();
                Some(keys.filter_map(|it| it.column.clone()).collect())
            }
            _ => None,
        }
    }
}

/// Whether a key has columns alone.
fn is_plain(key: &Key) -> bool {
    let plain = Key {
        columns: key.columns.clone(),
        ..Key::default()
    };
    *key == plain
}

/// The expression after USING, if a column gets another type: `None` inside if there is none.
fn new_type(acts: &[Act]) -> Option<Option<&str>> {
    match acts {
        [
            Act::AlterTable {
                change:
                    TableChange::AlterColumn {
                        change: ColumnChange::Type { using, .. },
                        ..
                    },
                ..
            },
        ] => Some(using.as_deref()),
        _ => None,
    }
}

/// A column is filled in the revision that adds it, which takes the values back by dropping it. Where it
/// refuses NULL afterwards, the rows that old programs have added since are filled once more.
fn fill_with_columns(items: &mut Vec<Item>) {
    let filled: Vec<(ObjectId, Item)> = items
        .iter()
        .filter(|it| it.is_fill)
        .filter_map(|it| Some((it.statement.object.clone()?, it.clone())))
        .collect();
    for (column, fill) in filled {
        let of_column = |it: &Item| it.statement.object.as_ref() == Some(&column);
        for item in items.iter_mut().filter(|it| of_column(it)) {
            if item.statement.sql.contains(" ADD COLUMN ") {
                item.job = Job::Build;
            }
        }
        let validates = |it: &Item| of_column(it) && it.job == Job::Validate;
        if let Some(at) = items.iter().position(validates) {
            let again = Item {
                phase: items[at].phase,
                made: Made::NotNull,
                ..fill
            };
            items.insert(at, again);
        }
    }
}

/// A clause as the beginning of a sentence.
fn capitalized(clause: &str) -> String {
    let mut chars = clause.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}
