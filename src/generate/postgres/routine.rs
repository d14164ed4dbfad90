//! Functions, procedures, aggregates, operators, casts and event triggers.

use super::{
    Statements,
    expression::stable,
    quote::{dollar, ident, in_schema, join, literal, operator as operator_name, qualified},
    types::lines,
};
use crate::{
    arrange::Arrange as _,
    schema::{
        Kind, ObjectId,
        postgres::{
            Aggregate, Cast, Enabled, EventTrigger, Operator, Routine, in_own_order, is_name_list,
            split_names,
        },
    },
};

/// CREATE FUNCTION or CREATE PROCEDURE.
pub(super) fn routine(id: &ObjectId, routine: &Routine, to: &mut Statements) {
    let word = if id.kind == Kind::Procedure {
        "PROCEDURE"
    } else {
        "FUNCTION"
    };
    let name = in_schema(&id.schema, &id.name);
    let mut sql = format!("CREATE {word} {name}({})", stable(&routine.arguments));
    if let Some(returns) = &routine.returns {
        sql.push_str(&format!("\n    RETURNS {returns}"));
    }
    sql.push_str(&format!("\n    LANGUAGE {}", ident(&routine.language)));
    if !routine.transforms.is_empty() {
        let types: Vec<String> = routine
            .transforms
            .iter()
            .map(|data_type| format!("FOR TYPE {data_type}"))
            .collect();
        sql.push_str(&format!("\n    TRANSFORM {}", types.join(", ")));
    }
    let attributes = attributes(routine);
    if !attributes.is_empty() {
        sql.push_str(&format!("\n    {}", attributes.join(" ")));
    }
    for (setting, value) in routine.settings.iter() {
        let name: Vec<_> = setting.split('.').map(ident).collect();
        let value = set_value(setting, value);
        sql.push_str(&format!("\n    SET {} TO {value}", name.join(".")));
    }
    match (&routine.sql_body, &routine.library) {
        (Some(body), _) => sql.push_str(&format!("\n{}", stable(body))),
        (None, Some(library)) => {
            sql.push_str(&format!(
                "\nAS {}, {}",
                literal(library),
                literal(&routine.body)
            ));
        }
        (None, None) => sql.push_str(&format!("\nAS {}", dollar(&routine.body))),
    }
    to.push(sql);
}

/// What differs from the default attributes of functions.
fn attributes(routine: &Routine) -> Vec<String> {
    let mut found = Vec::new();
    let mut attribute = |is_set: bool, words: &str| {
        if is_set {
            found.push(words.to_owned());
        }
    };
    attribute(routine.window, "WINDOW");
    attribute(
        routine.volatility.is_some(),
        routine.volatility.as_deref().unwrap_or_default(),
    );
    attribute(routine.leakproof, "LEAKPROOF");
    attribute(routine.strict, "STRICT");
    attribute(routine.security_definer, "SECURITY DEFINER");
    if let Some(parallel) = &routine.parallel {
        found.push(format!("PARALLEL {parallel}"));
    }
    if let Some(cost) = &routine.cost {
        found.push(format!("COST {cost}"));
    }
    if let Some(rows) = &routine.rows {
        found.push(format!("ROWS {rows}"));
    }
    if let Some(support) = &routine.support {
        found.push(format!("SUPPORT {}", qualified(support)));
    }
    found
}

/// The value of a setting in SET. A list in one string would be one name.
fn set_value(setting: &str, value: &str) -> String {
    let names = if is_name_list(setting) {
        split_names(value)
    } else {
        Vec::new()
    };
    if names.is_empty() {
        literal(value)
    } else {
        join(&names, |name| literal(name))
    }
}

/// CREATE AGGREGATE.
pub(super) fn aggregate(id: &ObjectId, aggregate: &Aggregate, to: &mut Statements) {
    let mut options: Vec<String> = aggregate
        .options
        .iter()
        .map(|(name, value)| match value.as_str() {
            "true" => name.to_ascii_uppercase(),
            value => format!("{} = {value}", name.to_ascii_uppercase()),
        })
        .collect();
    // The transition function and its state come first in every manual.
    options
        .arrange_by_key(|option| !(option.starts_with("SFUNC ") || option.starts_with("STYPE ")));
    if aggregate.form.as_deref() == Some("HYPOTHETICAL") {
        options.push("HYPOTHETICAL".to_owned());
    }
    let name = in_schema(&id.schema, &id.name);
    let arguments = match stable(&aggregate.arguments) {
        none if none.is_empty() => "*".to_owned(),
        some => some,
    };
    to.push(format!(
        "CREATE AGGREGATE {name}({arguments}) {}",
        lines(&options)
    ));
}

/// CREATE OPERATOR.
pub(super) fn operator(id: &ObjectId, operator: &Operator, to: &mut Statements) {
    let mut options = vec![format!("FUNCTION = {}", qualified(&operator.function))];
    let (left, right) = operands(&id.signature);
    for (option, operand) in [("LEFTARG", left), ("RIGHTARG", right)] {
        if operand != "NONE" {
            options.push(format!("{option} = {operand}"));
        }
    }
    for (option, name) in [
        ("COMMUTATOR", &operator.commutator),
        ("NEGATOR", &operator.negator),
    ] {
        if let Some(name) = name {
            options.push(format!("{option} = {}", operator_name(name)));
        }
    }
    for (option, name) in [("RESTRICT", &operator.restrict), ("JOIN", &operator.join)] {
        if let Some(name) = name {
            options.push(format!("{option} = {}", qualified(name)));
        }
    }
    if operator.hashes {
        options.push("HASHES".to_owned());
    }
    if operator.merges {
        options.push("MERGES".to_owned());
    }
    let name = format!("{}.{}", ident(&id.schema), id.name);
    to.push(format!("CREATE OPERATOR {name} {}", lines(&options)));
}

/// The types of the operands in `(integer, text)`.
fn operands(signature: &str) -> (&str, &str) {
    let inner = signature
        .strip_prefix('(')
        .and_then(|it| it.strip_suffix(')'));
    let inner = inner.unwrap_or(signature);
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (at, byte) in inner.bytes().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'(' if !is_quoted => depth += 1,
            b')' if !is_quoted => depth = depth.saturating_sub(1),
            b',' if !is_quoted && depth == 0 => return (&inner[..at], inner[at + 1..].trim()),
            _ => {}
        }
    }
    ("NONE", inner)
}

/// CREATE CAST.
pub(super) fn cast(cast: &Cast, to: &mut Statements) {
    let way = match &cast.function {
        Some(function) => format!("WITH FUNCTION {function}"),
        None if cast.in_out => "WITH INOUT".to_owned(),
        None => "WITHOUT FUNCTION".to_owned(),
    };
    let mut sql = format!("CREATE CAST ({} AS {}) {way}", cast.source, cast.target);
    if let Some(context) = &cast.context {
        sql.push_str(&format!(" AS {context}"));
    }
    to.push(sql);
}

/// CREATE EVENT TRIGGER.
pub(super) fn event_trigger(id: &ObjectId, trigger: &EventTrigger, to: &mut Statements) {
    let name = ident(&id.name);
    let mut sql = format!("CREATE EVENT TRIGGER {name} ON {}", ident(&trigger.event));
    if !trigger.tags.is_empty() {
        let tags = in_own_order(trigger.tags.iter().collect(), &trigger.tags_order, |it| it);
        let tags: Vec<String> = tags.iter().map(|tag| literal(tag)).collect();
        sql.push_str(&format!("\n    WHEN TAG IN ({})", tags.join(", ")));
    }
    sql.push_str(&format!(
        "\n    EXECUTE FUNCTION {}()",
        qualified(&trigger.function)
    ));
    to.push(sql);
    if let Some(words) = enabled(trigger.enabled) {
        to.push(format!("ALTER EVENT TRIGGER {name} {words}"));
    }
}

/// What ALTER says about when a trigger or a rule fires; `None` for the default.
pub(super) fn enabled(enabled: Enabled) -> Option<&'static str> {
    match enabled {
        Enabled::Origin => None,
        Enabled::Disabled => Some("DISABLE"),
        Enabled::Replica => Some("ENABLE REPLICA"),
        Enabled::Always => Some("ENABLE ALWAYS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_are_divided() {
        let check =
            |value: &str, expected: &str| assert_eq!(set_value("search_path", value), expected);
        check("shop, pg_temp", "'shop', 'pg_temp'");
        check("\"$user\", \"a, \"\"b\"", "'$user', 'a, \"b'");
        check("\"\"", "''");
        check("", "''");
        assert_eq!(set_value("work_mem", "4 MB"), "'4 MB'");
    }

    #[test]
    fn operands_are_divided() {
        let check =
            |signature: &str, expected: (&str, &str)| assert_eq!(operands(signature), expected);
        check("(integer, text)", ("integer", "text"));
        check("(NONE, \"a,b\".\"c\")", ("NONE", "\"a,b\".\"c\""));
    }
}
