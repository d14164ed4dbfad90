//! The table of rules.

mod both;
mod postgres;
mod sql;
mod sqlite;

use super::{Class, Draft, Example, Phase, Rule, Severity};

/// All rules, in the order of their codes.
pub static ALL: &[&Rule] = &[
    &postgres::create_index::RULE,
    &postgres::add_key::UNIQUE,
    &postgres::add_key::NULLABLE,
    &postgres::exclusion::RULE,
    &postgres::foreign_key::RULE,
    &postgres::check::RULE,
    &postgres::not_null::RULE,
    &postgres::validate::RULE,
    &postgres::column_type::RULE,
    &postgres::column_default::RULE,
    &postgres::column_default::GENERATED,
    &postgres::while_locked::RULE,
    &postgres::many_tables::RULE,
    &both::rows::RULE,
    &postgres::rewrite::RULE,
    &postgres::rewrite::REINDEX,
    &postgres::matview::RULE,
    &postgres::partition::ATTACH,
    &postgres::partition::DETACH,
    &postgres::domain::RULE,
    &sqlite::work::DROP_COLUMN,
    &sqlite::work::ADD_COLUMN,
    &sqlite::work::CREATE_INDEX,
    &both::drop::TABLE,
    &both::drop::COLUMN,
    &both::drop::VIEW,
    &both::drop::FUNCTION,
    &both::drop::TYPE,
    &both::rename::TABLE,
    &both::rename::COLUMN,
    &both::rename::VALUE,
    &both::rename::SCHEMA,
    &both::required_column::RULE,
    &both::constraint::RULE,
    &postgres::row_security::RULE,
    &sqlite::rebuild::RULE,
    &sqlite::references::RENAME_OLD_FIRST,
    &sqlite::references::DANGLING,
    &sqlite::quoted::RULE,
    &postgres::enum_value::RULE,
    &both::data::RULE,
    &sqlite::view::RULE,
    &postgres::cascade::DROP,
    &postgres::cascade::TRUNCATE,
    &sqlite::references::CASCADES,
    &sqlite::copy::RULE,
    &sqlite::autoincrement::RULE,
    &postgres::brief::RULE,
    &both::key_index::RULE,
    &postgres::lock_timeout::RULE,
    &both::guarantee::RULE,
    &postgres::identifier::RULE,
    &postgres::opaque::RULE,
    &postgres::style::BIGINT,
    &postgres::style::TEXT,
    &postgres::style::TIMESTAMPTZ,
    &postgres::style::IDENTITY,
    &postgres::style::JSONB,
    &postgres::style::ROBUST,
];

/// The rule with this name or code.
pub fn find(name: &str) -> Option<&'static Rule> {
    let mut all = ALL.iter().copied();
    all.find(|rule| rule.name == name || rule.code == name)
}

/// What a rule has if it does not say otherwise.
const DEFAULT: Rule = Rule {
    name: "",
    code: "",
    class: Class::Note,
    dialects: &[],
    severity: Severity::Note,
    is_on: true,
    allowed_in: None,
    summary: "",
    docs: "",
    safe: "",
    silent: "",
    example_dialect: None,
    bad: Example {
        before: "",
        sql: "",
    },
    good: Example {
        before: "",
        sql: "",
    },
    check: |_| Vec::new(),
};

/// A rule about what others wait for.
const BLOCKS: Rule = Rule {
    class: Class::Blocks,
    severity: Severity::Error,
    ..DEFAULT
};

/// A rule about programs of before the change: silent where they are gone.
const BREAKS: Rule = Rule {
    class: Class::Breaks,
    severity: Severity::Error,
    allowed_in: Some(Phase::Contract),
    ..DEFAULT
};

/// A rule about statements that fail.
const FAILS: Rule = Rule {
    class: Class::Fails,
    severity: Severity::Error,
    ..DEFAULT
};

/// A rule about lost rows.
const LOSES: Rule = Rule {
    class: Class::Loses,
    severity: Severity::Error,
    ..DEFAULT
};

/// A rule about what is worth knowing.
const NOTE: Rule = DEFAULT;

/// A rule about taste.
const STYLE: Rule = Rule {
    class: Class::Style,
    is_on: false,
    ..DEFAULT
};

/// What sets an example up: one old table.
const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint, total integer, note varchar(20));\n";

/// The draft of a rule, if there is something.
fn one(draft: Option<Draft>) -> Vec<Draft> {
    draft.into_iter().collect()
}
