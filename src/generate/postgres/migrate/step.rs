//! Statements while they are collected, and how they are joined.

use crate::{
    generate::{Loss, LossKind, Place, Statement},
    schema::{Object, ObjectId},
};

/// A statement, or an action of ALTER TABLE.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub object: ObjectId,
    /// What is altered by an action: `ALTER TABLE shop.orders`.
    pub altered: Option<String>,
    /// The statement, or the action.
    pub text: String,
    pub losses: Vec<Loss>,
    pub notes: Vec<String>,
    pub place: Place,
    /// Whether it comes after everything else.
    pub is_last: bool,
}

impl Step {
    pub fn new(object: &Object, text: impl Into<String>) -> Self {
        Self {
            object: object.id.clone(),
            altered: None,
            text: text.into(),
            losses: Vec::new(),
            notes: Vec::new(),
            place: Place::Anywhere,
            is_last: false,
        }
    }

    /// An action of ALTER …, which can be joined with others.
    pub fn action(object: &Object, altered: &str, action: impl Into<String>) -> Self {
        Self {
            altered: Some(format!("ALTER {altered}")),
            ..Self::new(object, action)
        }
    }

    pub fn losing(mut self, kind: LossKind) -> Self {
        let object = self.object.clone();
        self.losses.push(Loss { object, kind });
        self
    }

    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub fn last(mut self) -> Self {
        self.is_last = true;
        self
    }

    /// The whole statement.
    pub fn sql(&self) -> String {
        match &self.altered {
            Some(altered) if self.text.contains('\n') => format!("{altered}\n    {}", self.text),
            Some(altered) => format!("{altered} {}", self.text),
            None => self.text.clone(),
        }
    }

    fn can_be_joined(&self) -> bool {
        const ALONE: [&str; 6] = [
            "ATTACH",
            "DETACH",
            "RENAME",
            "SET SCHEMA",
            "SET LOGGED",
            "SET UNLOGGED",
        ];
        self.altered.as_ref().is_some_and(|it| {
            it.starts_with("ALTER TABLE ") || it.starts_with("ALTER FOREIGN TABLE ")
        }) && self.notes.is_empty()
            && !ALONE.iter().any(|word| self.text.starts_with(word))
    }
}

/// Divides a statement `ALTER TABLE name action` so that it can be joined with others.
pub(super) fn divided(object: &Object, altered: &str, sql: &str) -> Step {
    let start = format!("ALTER {altered}");
    match sql.strip_prefix(&start) {
        Some(rest) if rest.starts_with(char::is_whitespace) => {
            Step::action(object, altered, rest.trim_start())
        }
        _ => Step::new(object, sql),
    }
}

/// Joins actions on the same table that follow each other.
pub(super) fn joined(steps: Vec<Step>) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::with_capacity(steps.len());
    let mut group: Vec<Step> = Vec::new();
    for step in steps {
        let goes_on = group.last().is_some_and(|last| {
            last.altered == step.altered
                && step.can_be_joined()
                && last.can_be_joined()
                && step.place == Place::Anywhere
        });
        if !goes_on {
            statements.extend(statement(std::mem::take(&mut group)));
        }
        group.push(step);
    }
    statements.extend(statement(group));
    statements
}

/// A statement for each action.
pub(super) fn apart(steps: Vec<Step>) -> Vec<Statement> {
    let statements = steps.into_iter().map(|step| statement(vec![step]));
    statements.flatten().collect()
}

/// One statement of some actions.
fn statement(group: Vec<Step>) -> Option<Statement> {
    let first = group.first()?;
    let sql = match (&first.altered, group.len()) {
        (Some(altered), 2..) => {
            let actions: Vec<&str> = group.iter().map(|step| step.text.as_str()).collect();
            format!("{altered}\n    {}", actions.join(",\n    "))
        }
        _ => first.sql(),
    };
    let mut object = first.object.clone();
    if group.len() > 1 && object.is_part() {
        let whole = object.parent_name().unwrap_or_default();
        object = ObjectId::new(crate::schema::Kind::Table, whole.schema, whole.name);
    }
    Some(Statement {
        object: Some(object),
        sql,
        place: first.place,
        is_batched: false,
        losses: group.iter().flat_map(|it| it.losses.clone()).collect(),
        notes: group.into_iter().flat_map(|it| it.notes).collect(),
    })
}
