use super::{BREAKS, Context, Draft, Kind, Name, Rule, SQLITE, rebuilt, sql};
use crate::{
    lint::{Act, Example},
    schema::{Facts, Object, Schema},
};

pub(in crate::lint::rules) static RULE: Rule = Rule {
    name: "rebuild-loses-objects",
    code: "L213",
    dialects: SQLITE,
    allowed_in: None,
    summary: "a table is made again without its indexes or triggers",
    docs: "DROP TABLE takes the table's indexes and triggers with it, in all versions. A script that \
        makes a table again, to change what ALTER TABLE cannot, has to create them again as well: \
        queries become slow, and a lost unique index lets duplicates in. Found by the schemas before \
        and after the script.",
    safe: "Create the indexes and triggers again after the last statement that renames the table.",
    silent: "An equal index, constraint or trigger exists after the script under any name; the script drops the index by its name; a column of the index is gone.",
    bad: Example {
        before: "CREATE TABLE orders (id integer PRIMARY KEY, note text);\nCREATE UNIQUE INDEX orders_note ON orders (note);",
        sql: "CREATE TABLE orders_new (id integer PRIMARY KEY, note text NOT NULL);\n\
            INSERT INTO orders_new (id, note) SELECT id, note FROM orders;\n\
            DROP TABLE orders;\nALTER TABLE orders_new RENAME TO orders;",
    },
    good: Example {
        before: "CREATE TABLE orders (id integer PRIMARY KEY, note text);\nCREATE UNIQUE INDEX orders_note ON orders (note);",
        sql: "CREATE TABLE orders_new (id integer PRIMARY KEY, note text NOT NULL UNIQUE);\n\
            INSERT INTO orders_new (id, note) SELECT id, note FROM orders;\n\
            DROP TABLE orders;\nALTER TABLE orders_new RENAME TO orders;",
    },
    check,
    ..BREAKS
};

fn check(context: &Context<'_>) -> Vec<Draft> {
    let (Some(before), Some(after)) = (context.before(), context.after()) else {
        return Vec::new();
    };
    let mut drafts = Vec::new();
    for table in dropped(context) {
        let lost: Vec<&Object> = lost(context, before, after, &table);
        // What goes with its column is meant to. It is named where something else is forgotten.
        let new = after.parts(&table);
        let is_forgotten = |it: &&&Object| !is_without_column(context, it, new);
        let forgotten: Vec<&&Object> = lost.iter().filter(is_forgotten).collect();
        if forgotten.is_empty() {
            continue;
        }
        let names: Vec<String> = lost.iter().map(|it| shown(it)).collect();
        let statements: Vec<String> = forgotten.iter().map(|it| text(it)).collect();
        let verb = if names.len() == 1 { "does" } else { "do" };
        let message = format!("{} {verb} not come back with {table}", names.join(", "));
        drafts.push(
            Draft::new(message)
                .about(&table)
                .safe(sql::script(&statements)),
        );
    }
    drafts
}

/// The tables that are dropped and made again, by the name that they have before the script.
fn dropped(context: &Context<'_>) -> Vec<Name> {
    let mut found: Vec<Name> = rebuilt(context).into_iter().cloned().collect();
    // The old table may have been renamed before it is dropped.
    for act in context.acts() {
        let Act::Drop(object) = act else { continue };
        let renames = context.earlier().iter().flat_map(|it| &it.acts);
        for rename in renames {
            if let Act::Rename { name, to, .. } = rename
                && context.is_name(to, &object.name.name)
                && super::is_made_again(context, name)
            {
                found.push(name.clone());
            }
        }
    }
    found.dedup();
    found
}

fn shown(object: &Object) -> String {
    format!("the {} {}", object.id.kind, sql::word(&object.id.name))
}

/// The text of CREATE as the database keeps it.
fn text(object: &Object) -> String {
    match &object.facts {
        Facts::SqliteIndex(index) => index.sql.clone(),
        Facts::SqliteTrigger(trigger) => trigger.sql.clone(),
        _ => String::new(),
    }
}

/// The indexes and triggers of a table that have no like after the script.
fn lost<'a>(
    context: &Context<'_>,
    before: &'a Schema,
    after: &Schema,
    table: &Name,
) -> Vec<&'a Object> {
    let new = after.parts(table);
    let old = before.parts(table).iter();
    let is_lost = |object: &&Object| {
        let is_it = matches!(object.id.kind, Kind::Index | Kind::Trigger);
        is_it
            && !is_dropped_by_name(context, &object.id.name)
            && !new.iter().any(|it| is_like(object, it))
    };
    old.filter(is_lost).collect()
}

fn is_dropped_by_name(context: &Context<'_>, name: &str) -> bool {
    let mut acts = context.script.statements.iter().flat_map(|it| &it.acts);
    acts.any(|act| match act {
        Act::Drop(object) => {
            let is_part = matches!(object.kind, Kind::Index | Kind::Trigger);
            is_part && context.is_name(&object.name.name, name)
        }
        _ => false,
    })
}

/// Whether an object does what the lost one did: it has the same name or the same facts, or it is a
/// key over the columns of a unique index.
fn is_like(lost: &Object, new: &Object) -> bool {
    if lost.id.kind == new.id.kind {
        let is_named = lost.id.name.eq_ignore_ascii_case(&new.id.name);
        return is_named || lost.facts.is_same(&new.facts);
    }
    let Facts::SqliteIndex(index) = &lost.facts else {
        return false;
    };
    let columns: Vec<&str> = match &new.facts {
        Facts::SqliteUnique(key) => key.columns.iter().map(|it| &*it.column).collect(),
        Facts::SqlitePrimaryKey(key) => key.columns.iter().map(|it| &*it.column).collect(),
        _ => return false,
    };
    let keys: Option<Vec<&str>> = index.keys.iter().map(|it| it.column.as_deref()).collect();
    index.condition.is_none()
        && keys.is_some_and(|keys| {
            let mut pairs = keys.iter().zip(&columns);
            keys.len() == columns.len() && pairs.all(|(a, b)| a.eq_ignore_ascii_case(b))
        })
}

/// Whether a column of a lost index is gone with it.
fn is_without_column(context: &Context<'_>, lost: &Object, new: &[Object]) -> bool {
    let Facts::SqliteIndex(index) = &lost.facts else {
        return false;
    };
    index
        .keys
        .iter()
        .filter_map(|it| it.column.as_ref())
        .any(|column| {
            let mut columns = new.iter().filter(|it| it.id.kind == Kind::Column);
            !columns.any(|it| context.is_name(&it.id.name, column))
        })
}
