//! Settings of the session, and the places of statements in transactions.

use super::plan::Plan;
use crate::{
    generate::{
        Place, Statement,
        postgres::quote::{literal, qualified},
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

/// A new value of an enum can be used once it is committed.
fn divide(plan: &Plan<'_>, statements: &mut [Statement]) {
    let objects = &plan.dump.layout.objects;
    let mut added: Vec<(String, String)> = Vec::new();
    for statement in statements {
        let uses = |(label, name): &(String, String)| {
            let sql = &statement.sql;
            // Bounds of partitions and expressions of users need no cast.
            (sql.starts_with("UPDATE ") || sql.contains("FOR VALUES "))
                && sql.contains(&literal(label))
                || sql.contains(&format!("{}::{name}", literal(label)))
                || sql.contains(&format!("::{name}[]")) && sql.contains(label.as_str())
                || sql.starts_with("ALTER TABLE ") && sql.contains(&format!(" TYPE {name}"))
        };
        if added.iter().any(uses) {
            statement.place = Place::AfterCommit;
            added.clear();
        }
        let Some(at) = statement.object.as_ref().and_then(|id| objects.find(id)) else {
            continue;
        };
        let Facts::Enum(facts) = &plan.new_object(at).facts else {
            continue;
        };
        let name = qualified(&plan.new_object(at).id.qualified());
        for label in &facts.labels {
            let start = format!("ALTER TYPE {name} ADD VALUE {}", literal(label));
            if statement.sql.starts_with(&start) {
                added.push((label.clone(), name.clone()));
            }
        }
    }
}
