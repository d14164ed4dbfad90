//! Triggers, rules, policies, event triggers and statistics objects.

use super::{
    OF_RELATIONS, Query, Version,
    catalog::{Catalog, FIRST_USER_OID, class},
    fields::{Fault, Fields},
    text,
};
use crate::schema::{
    Kind, ObjectId,
    postgres::{Enabled, EventTrigger, Policy, Rule, Statistics, Trigger, own_order},
};

pub(super) fn queries(version: Version) -> Vec<Query> {
    // Triggers of partitions that come from the partitioned table have a parent from 13 on and are
    // no longer internal from 15 on.
    const OF_PARTITIONS: &str = "CASE WHEN t.tgparentid = 0 THEN true ELSE t.tgenabled <> \
         (SELECT p.tgenabled FROM pg_trigger AS p WHERE p.oid = t.tgparentid) \
         OR EXISTS (SELECT FROM pg_description AS d \
         WHERE d.objoid = t.oid AND d.classoid = 'pg_trigger'::regclass) END";
    let is_of_users = match version {
        _ if version.has(15) => format!("NOT t.tgisinternal AND {OF_PARTITIONS}"),
        _ if version.has(13) => {
            format!("(NOT t.tgisinternal OR t.tgparentid <> 0) AND {OF_PARTITIONS}")
        }
        _ => "NOT t.tgisinternal".to_owned(),
    };
    vec![
        Query::new(
            format!(
                "SELECT t.oid, t.tgrelid, t.tgname, t.tgtype, t.tgattr, \
                 t.tgqual IS NOT NULL, CASE WHEN t.tgqual IS NOT NULL THEN pg_get_triggerdef(t.oid) END, \
                 p.pronamespace, p.proname, t.tgnargs, encode(t.tgargs, 'hex'), t.tgoldtable, t.tgnewtable, \
                 t.tgconstraint <> 0, t.tgconstrrelid, t.tgdeferrable, t.tginitdeferred, t.tgenabled, \
                 {} \
                 FROM pg_trigger AS t JOIN pg_proc AS p ON p.oid = t.tgfoid \
                 WHERE t.oid >= {FIRST_USER_OID} AND {is_of_users} AND {OF_RELATIONS}",
                version.since(13, "t.tgparentid <> 0", "false")
            ),
            read_trigger,
        )
        .on_relations("t.tgrelid", 1),
        Query::new(
            format!(
                "SELECT r.oid, r.ev_class, r.rulename, r.ev_type, r.is_instead, r.ev_enabled, \
                 CASE WHEN r.rulename <> '_RETURN' THEN pg_get_ruledef(r.oid) END \
                 FROM pg_rewrite AS r WHERE r.oid >= {FIRST_USER_OID}"
            ),
            read_rule,
        )
        .only_with("pg_rewrite"),
        Query::new(
            "SELECT oid, polrelid, polname, polcmd, polpermissive, polroles, \
             polqual IS NOT NULL, pg_get_expr(polqual, polrelid), \
             polwithcheck IS NOT NULL, pg_get_expr(polwithcheck, polrelid) FROM pg_policy",
            read_policy,
        )
        .only_with("pg_policy"),
        Query::new(
            "SELECT e.oid, e.evtname, e.evtowner, e.evtevent, e.evttags, p.pronamespace, p.proname, \
             e.evtenabled FROM pg_event_trigger AS e JOIN pg_proc AS p ON p.oid = e.evtfoid",
            read_event_trigger,
        )
        .on_catalogs(&["pg_event_trigger"]),
        Query::new(
            format!(
                "SELECT s.oid, s.stxname, s.stxnamespace, s.stxowner, s.stxrelid, s.stxkeys, \
                 s.stxkind, {}, {} FROM pg_statistic_ext AS s",
                version.since(13, "nullif(s.stxstattarget, -1)", "NULL"),
                version.since(14, "pg_get_statisticsobjdef_expressions(s.oid)", "NULL"),
            ),
            read_statistics,
        )
        .only_with("pg_statistic_ext"),
    ]
}

fn enabled(letter: &str) -> Enabled {
    match letter {
        "D" => Enabled::Disabled,
        "R" => Enabled::Replica,
        "A" => Enabled::Always,
        _ => Enabled::Origin,
    }
}

/// The bits of `tgtype`.
mod bit {
    pub const ROW: i16 = 1;
    pub const BEFORE: i16 = 2;
    pub const INSTEAD: i16 = 64;
    pub const EVENTS: [(i16, &str); 4] = [
        (4, "INSERT"),
        (16, "UPDATE"),
        (8, "DELETE"),
        (32, "TRUNCATE"),
    ];
}

fn read_trigger(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, relation, name) = (fields.oid()?, fields.oid()?, fields.text()?);
    let Some(table) = catalog.whole(relation).cloned() else {
        return Ok(());
    };
    let bits: i16 = fields.number()?;
    let columns = fields.numbers::<i16>()?;
    let has_condition = fields.flag()?;
    let definition = fields.optional()?;
    let condition = match (has_condition, definition) {
        (false, _) => None,
        (true, None) => return Err(Fault::Dropped),
        (true, Some(definition)) => {
            let condition = text::trigger_condition(definition);
            let malformed = || Fault::Malformed(format!("trigger: {definition}"));
            Some(condition.ok_or_else(malformed)?.to_owned())
        }
    };
    let events = bit::EVENTS.iter().filter(|(bit, _)| bits & bit != 0);
    let timing = match bits & (bit::BEFORE | bit::INSTEAD) {
        bit::BEFORE => "BEFORE",
        bit::INSTEAD => "INSTEAD OF",
        _ => "AFTER",
    };
    let function = catalog.function(fields)?.unwrap_or_default();
    let argument_count = fields.number()?;
    let arguments = arguments(fields.text()?, argument_count)?;
    let (old_table, new_table) = (fields.optional_string()?, fields.optional_string()?);
    let constraint = fields.flag()?;
    let from_table = catalog.relation_name(fields.oid()?).cloned();
    let facts = Trigger {
        timing: timing.to_owned(),
        events: events.map(|(_, event)| (*event).to_owned()).collect(),
        columns: catalog.column_names(relation, &columns)?,
        for_each_row: bits & bit::ROW != 0,
        condition,
        function,
        arguments,
        old_table,
        new_table,
        constraint,
        from_table,
        deferrable: fields.deferrable()?,
        enabled: enabled(fields.text()?),
        is_inherited: fields.flag()?,
    };
    let id = ObjectId::part(Kind::Trigger, &table, name);
    catalog.add((class::TRIGGER, oid, 0), id, facts);
    Ok(())
}

/// The arguments in hexadecimal digits, each ended by a null byte.
fn arguments(hex: &str, count: usize) -> Result<Vec<String>, Fault> {
    let malformed = || Fault::Malformed(format!("arguments of a trigger: {hex}"));
    let digits = |at: usize| {
        hex.get(at..at + 2)
            .and_then(|it| u8::from_str_radix(it, 16).ok())
    };
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(digits).collect();
    let text = String::from_utf8(bytes.ok_or_else(malformed)?).map_err(|_| malformed())?;
    Ok(text.split('\0').take(count).map(str::to_owned).collect())
}

fn read_rule(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, relation, name) = (fields.oid()?, fields.oid()?, fields.text()?);
    let Some(table) = catalog.whole(relation).cloned() else {
        return Ok(());
    };
    let event = match fields.text()? {
        "2" => "UPDATE",
        "3" => "INSERT",
        "4" => "DELETE",
        _ => "SELECT",
    };
    let (instead, enabled) = (fields.flag()?, enabled(fields.text()?));
    if name == "_RETURN" {
        if let Some(at) = catalog.addresses.get(&(class::CLASS, relation, 0)).copied() {
            catalog.addresses.insert((class::REWRITE, oid, 0), at);
        }
        return Ok(());
    }
    let definition = fields.text()?;
    let malformed = || Fault::Malformed(format!("rule: {definition}"));
    let facts = Rule {
        event: event.to_owned(),
        instead,
        definition: text::rule_definition(definition).ok_or_else(malformed)?,
        enabled,
    };
    let id = ObjectId::part(Kind::Rule, &table, name);
    catalog.add((class::REWRITE, oid, 0), id, facts);
    Ok(())
}

fn read_policy(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, relation, name) = (fields.oid()?, fields.oid()?, fields.text()?);
    let Some(table) = catalog.whole(relation).cloned() else {
        return Ok(());
    };
    let command = match fields.text()? {
        "r" => Some("SELECT"),
        "a" => Some("INSERT"),
        "w" => Some("UPDATE"),
        "d" => Some("DELETE"),
        _ => None,
    };
    let permissive = fields.flag()?;
    let roles = fields.numbers::<u32>()?.into_iter();
    let roles = roles
        .filter(|role| *role != 0)
        .map(|role| catalog.role(role));
    let mut roles: Vec<String> = roles.collect();
    roles.sort_unstable();
    let mut expression = || match (fields.flag()?, fields.optional()?) {
        (true, None) => Err(Fault::Dropped),
        (_, text) => Ok(text.map(|text| text::without_parentheses(text).to_owned())),
    };
    let facts = Policy {
        command: command.map(str::to_owned),
        restrictive: !permissive,
        roles,
        using: expression()?,
        check: expression()?,
    };
    let id = ObjectId::part(Kind::Policy, &table, name);
    catalog.add((class::POLICY, oid, 0), id, facts);
    Ok(())
}

fn read_event_trigger(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, owner) = (fields.oid()?, fields.text()?, fields.oid()?);
    let event = fields.string()?;
    let mut tags = fields.list()?;
    let tags_order = own_order(&tags);
    tags.sort_unstable();
    let facts = EventTrigger {
        event,
        tags,
        function: catalog.function(fields)?.unwrap_or_default(),
        enabled: enabled(fields.text()?),
        tags_order,
    };
    if catalog.is_member(class::EVENT_TRIGGER, oid) {
        return Ok(());
    }
    let owner = catalog.owner(owner);
    let id = ObjectId::new(Kind::EventTrigger, "", name);
    catalog.add((class::EVENT_TRIGGER, oid, 0), id, facts).owner = owner;
    Ok(())
}

fn read_statistics(catalog: &mut Catalog, fields: &mut Fields<'_>) -> Result<(), Fault> {
    let (oid, name, schema, owner, table) = (
        fields.oid()?,
        fields.text()?,
        fields.oid()?,
        fields.oid()?,
        fields.oid()?,
    );
    let keys = fields.numbers::<i16>()?;
    let mut kinds: Vec<String> = Vec::new();
    let mut has_expressions = false;
    for kind in fields.list()? {
        match kind.as_str() {
            "d" => kinds.push("ndistinct".to_owned()),
            "f" => kinds.push("dependencies".to_owned()),
            "m" => kinds.push("mcv".to_owned()),
            _ => has_expressions = true,
        }
    }
    let target = fields.optional_number()?;
    let expressions = fields.optional_list()?;
    if has_expressions && expressions.is_none() {
        return Err(Fault::Dropped);
    }
    if catalog.is_member(class::STATISTIC_EXT, oid) {
        return Ok(());
    }
    let Some(schema) = catalog.user_schema(schema).map(str::to_owned) else {
        return Ok(());
    };
    let Some(name_of_table) = catalog.relation_name(table).cloned() else {
        return Ok(());
    };
    let mut columns = catalog.column_names(table, &keys)?;
    columns.extend(expressions.into_iter().flatten());
    let facts = Statistics {
        table: name_of_table,
        kinds,
        columns,
        target,
    };
    let of = catalog.id((class::CLASS, table, 0)).cloned();
    let owner = catalog.owner(owner);
    let id = ObjectId::new(Kind::Statistics, schema, name);
    let object = catalog.add((class::STATISTIC_EXT, oid, 0), id, facts);
    object.owner = owner;
    object.depends_on.extend(of);
    Ok(())
}
