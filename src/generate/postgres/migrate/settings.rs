//! Settings of the session, and the places of statements in transactions.

use super::plan::Plan;
use crate::{
    generate::{
        Place, Statement,
        postgres::quote::{ident, literal, qualified},
    },
    schema::{Facts, Kind},
};

/// Adds the settings that the statements need, and says which of them need a commit before.
pub(super) fn add(plan: &Plan<'_>, statements: &mut Vec<Statement>) {
    divide(plan, statements);
    let is_routine = |statement: &Statement| {
        let id = statement.object.as_ref();
        id.is_some_and(|id| matches!(id.kind, Kind::Function | Kind::Procedure))
            && statement.sql.starts_with("CREATE ")
    };
    let has_checked_body = statements.iter().filter(|it| is_routine(it)).any(|it| {
        let object = it.object.as_ref();
        let object = object.and_then(|id| plan.dump.layout.objects.find(id));
        object.is_some_and(|at| match &plan.new_object(at).facts {
            Facts::Routine(routine) => {
                routine.sql_body.is_none() && !matches!(routine.language.as_str(), "c" | "internal")
            }
            _ => false,
        })
    });
    let has_others = statements.iter().any(|it| !is_routine(it))
        || statements.iter().filter(|it| is_routine(it)).count() > 1;
    if has_checked_body && has_others {
        statements.insert(0, Statement::new(None, "SET check_function_bodies = off"));
    }
}

/// A value that an enum gets.
struct Added {
    /// The place of the statement that adds it.
    at: usize,
    label: String,
    name: String,
}

/// A new value of an enum can be used once it is committed.
fn divide(plan: &Plan<'_>, statements: &mut [Statement]) {
    let objects = &plan.dump.layout.objects;
    let mut added: Vec<Added> = Vec::new();
    for at in 0..statements.len() {
        let sql = &statements[at].sql;
        if added.iter().any(|it| uses(sql, it)) {
            let first = start_of_fill(statements, at).unwrap_or(at);
            statements[first].place = Place::AfterCommit;
            added.retain(|it| it.at > first);
        }
        let statement = &statements[at];
        let Some(object) = statement.object.as_ref().and_then(|id| objects.find(id)) else {
            continue;
        };
        let Facts::Enum(facts) = &plan.new_object(object).facts else {
            continue;
        };
        let name = qualified(&plan.new_object(object).id.qualified());
        for label in &facts.labels {
            let start = format!("ALTER TYPE {name} ADD VALUE {}", literal(label));
            if statement.sql.starts_with(&start) {
                added.push(Added {
                    at,
                    label: label.clone(),
                    name: name.clone(),
                });
            }
        }
    }
}

/// Whether a statement uses a value.
fn uses(sql: &str, Added { label, name, .. }: &Added) -> bool {
    let value = literal(label);
    // Bounds of partitions and expressions of users need no cast.
    (sql.starts_with("UPDATE ") || sql.contains("FOR VALUES ")) && sql.contains(&value)
        || sql.contains(&format!("{value}::{name}"))
        || sql.contains(&format!("::{name}[]")) && sql.contains(label.as_str())
        || sql.starts_with("ALTER TABLE ") && sql.contains(&format!(" TYPE {name}"))
}

/// The statement that adds the column that an UPDATE fills: a revision that only filled it could not give
/// back what it had before.
fn start_of_fill(statements: &[Statement], update: usize) -> Option<usize> {
    let column = statements[update].object.as_ref()?;
    if !statements[update].sql.starts_with("UPDATE ") {
        return None;
    }
    let table = format!("ALTER TABLE {}", qualified(&column.parent_name()?));
    let action = format!("ADD COLUMN {} ", ident(&column.name));
    let adds = |it: &Statement| it.sql.starts_with(&table) && it.sql.contains(&action);
    statements[..update].iter().rposition(adds)
}
