//! docs/migrator.schema.json, the JSON schema of `migrator.toml` for editors: generated from the parsers
//! in the table of keys, and from the page of the configuration.

use std::{collections::BTreeMap, path::Path};

use regex::Regex;
use serde_json::{Map, Value, json};

use super::{
    config::Config,
    keys::{Given, KEYS, Key, Section},
    value::Refused,
};

const FILE: &str = "docs/migrator.schema.json";
/// A string with a variable can be anything.
const VARIABLE: &str = r"\$\{";

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Whether a key accepts a value of a file.
fn set(key: &Key, value: &Value) -> Result<(), Refused> {
    let strings = |list: &Vec<Value>| {
        let words = list.iter().map(|it| it.as_str().map(str::to_owned));
        words.collect::<Option<Vec<_>>>()
    };
    let list = value.as_array().and_then(strings);
    let base = Path::new("/p");
    let given = Given {
        text: value.as_str(),
        flag: value.as_bool(),
        number: value.as_i64(),
        list: list.as_deref(),
        base,
    };
    key.set(&mut Config::new(base, base), &given)
}

/// Whether a key accepts values of the type of one of `samples`.
fn takes(key: &Key, samples: &[Value]) -> bool {
    let refused = |it: &Value| matches!(set(key, it), Err(Refused::Type(_)));
    !samples.iter().all(refused)
}

/// The names that the hint of a refused value offers, if it offers nothing else.
fn choices(key: &Key, in_list: bool) -> Option<Vec<&'static str>> {
    let value = |word: &str| match in_list {
        true => json!([word]),
        false => json!(word),
    };
    let Err(Refused::Value(hint)) = set(key, &value("?")) else {
        return None;
    };
    let names: Vec<_> = hint.split('`').skip(1).step_by(2).collect();
    let is_complete = !names.is_empty() && !hint.contains("such as");
    is_complete.then(|| {
        for name in &names {
            let name = value(name);
            assert!(set(key, &name).is_ok(), "{}: {hint}: {name}", key.name);
        }
        names
    })
}

/// The schema of a key's strings.
fn text(key: &Key) -> Value {
    let digits = json!({"type": "string", "pattern": format!(r"^[0-9]+$|{VARIABLE}")});
    if set(key, &json!(true)).is_ok() {
        let pattern = format!("^(true|false)$|{VARIABLE}");
        return json!({"type": "string", "pattern": pattern});
    }
    if set(key, &json!("1%")).is_ok() && takes(key, &[json!(1)]) {
        return json!({"type": "string", "pattern": format!(r"^[0-9]+(\.[0-9]+)?%?$|{VARIABLE}")});
    }
    if takes(key, &[json!(1)]) {
        return digits;
    }
    if takes(key, &[json!(["?"])]) {
        // Several words with commas between them.
        return json!({"type": "string"});
    }
    if let Some(names) = choices(key, false) {
        let variable = json!({"type": "string", "pattern": VARIABLE});
        return json!({"anyOf": [{"enum": names}, variable]});
    }
    match set(key, &json!("?")) {
        Err(Refused::Value(hint))
            if hint.contains("with ms, s, min or h") || hint.contains("duration") =>
        {
            let zero = if set(key, &json!("0")).is_ok() {
                "0|"
            } else {
                ""
            };
            let pattern = format!("^({zero}[0-9]+(ms|s|m|min|h))$|{VARIABLE}");
            json!({"type": "string", "pattern": pattern})
        }
        _ if set(key, &json!("")).is_err() => json!({"type": "string", "minLength": 1}),
        _ => json!({"type": "string"}),
    }
}

/// The schema of a key's values.
fn values(key: &Key) -> Value {
    let mut forms = Vec::new();
    if takes(key, &[json!(true)]) {
        forms.push(json!({"type": "boolean"}));
    }
    if takes(key, &[json!(1)]) {
        let least = i64::from(set(key, &json!(0)).is_err());
        forms.push(json!({"type": "integer", "minimum": least}));
    }
    if takes(key, &[json!(["?"])]) {
        let items = match choices(key, true) {
            Some(names) => json!({"enum": names}),
            None => json!({"type": "string"}),
        };
        forms.push(json!({"type": "array", "items": items}));
    }
    if takes(key, &[json!("?"), json!("true")]) {
        forms.push(text(key));
    }
    assert!(!forms.is_empty(), "{}: no value is accepted", key.name);
    match forms.len() {
        1 => forms.remove(0),
        _ => json!({ "anyOf": forms }),
    }
}

/// Markdown without its links.
fn plain(markdown: &str) -> String {
    let links = Regex::new(r"\[([^\]]*)\]\([^)]*\)").unwrap();
    let text = links.replace_all(markdown.trim(), "$1");
    // It leads to another place of the page.
    text.replace(" (below)", "")
}

/// The schema of a section's keys, with what the page of the configuration says of them.
fn keys(section: Section) -> Map<String, Value> {
    let page = read("docs/configuration.md");
    let heading = format!("\n## Keys of [{}]\n", section.name());
    let table = page.split(&heading).nth(1).expect("a table of the section");
    let table = table.split("\n## ").next().unwrap();
    let rows: BTreeMap<&str, Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            (cells[0].trim_matches('`'), cells)
        })
        .collect();
    let mut schema = Map::new();
    for key in KEYS.iter().filter(|key| key.section == section) {
        let cells = rows.get(key.name);
        let cells = cells.unwrap_or_else(|| panic!("docs/configuration.md lacks {}", key.name));
        let mut values = values(key);
        let fields = values.as_object_mut().unwrap();
        if let Ok(default) = serde_json::from_str::<Value>(cells[1].trim_matches('`')) {
            fields.insert("default".to_owned(), default);
        }
        fields.insert("description".to_owned(), json!(plain(cells[3])));
        schema.insert(key.name.to_owned(), values);
    }
    schema
}

fn table(properties: Map<String, Value>) -> Value {
    json!({"type": "object", "properties": properties, "additionalProperties": false})
}

/// A table of values by name, for scripts or the server.
fn named_values(description: &str, names: &str) -> Value {
    json!({
        "type": "object",
        "description": description,
        "propertyNames": {"pattern": names},
        "additionalProperties": {"type": ["string", "integer", "boolean"]},
    })
}

fn schema() -> Value {
    let vars = named_values(
        "Values of placeholders in scripts with the header vars = on.",
        "^[A-Za-z_][A-Za-z0-9_-]*$",
    );
    let mut sections = Map::new();
    let everywhere = || Section::ALL.iter().filter(|it| **it != Section::Fleet);
    for section in everywhere() {
        let mut properties = keys(*section);
        if *section == Section::Postgres {
            let settings = named_values("Settings of the server.", "^[A-Za-z_][A-Za-z0-9_.$]*$");
            properties.insert("settings".to_owned(), settings);
        }
        sections.insert(section.name().to_owned(), table(properties));
    }
    // An environment has the keys of [migrator] directly, and the other sections below it.
    let Some(Value::Object(of_migrator)) = sections["migrator"].get("properties").cloned() else {
        panic!("[migrator] has keys");
    };
    let mut environment = of_migrator;
    for section in everywhere().filter(|it| **it != Section::Migrator) {
        let reference = format!("#/properties/{}", section.name());
        environment.insert(section.name().to_owned(), json!({ "$ref": reference }));
    }
    // A fleet is that of an environment.
    let fleet = table(keys(Section::Fleet));
    environment.insert(Section::Fleet.name().to_owned(), fleet);
    environment.insert("vars".to_owned(), json!({"$ref": "#/properties/vars"}));
    sections.insert("vars".to_owned(), vars);
    sections.insert(
        "environments".to_owned(),
        json!({
            "type": "object",
            "description": "Environments, chosen with -n.",
            "additionalProperties": table(environment),
        }),
    );
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "migrator.toml",
        "description": "The configuration of migrator",
        "type": "object",
        "properties": sections,
        "additionalProperties": false,
    })
}

/// With UPDATE_DOCS set, the file is written.
#[test]
fn the_schema_for_editors_is_that_of_the_keys() {
    let expected = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE), &expected).unwrap();
    }
    assert!(
        read(FILE) == expected,
        "{FILE} is not up to date: UPDATE_DOCS=1 cargo test --lib toml_schema"
    );
}

/// Whether a value fits a schema of the few forms that are used here.
fn fits(schema: &Value, value: &Value) -> bool {
    if let Some(forms) = schema.get("anyOf").and_then(Value::as_array) {
        return forms.iter().any(|form| fits(form, value));
    }
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return names.contains(value);
    }
    let of_type = match schema["type"].as_str().unwrap() {
        "boolean" => value.is_boolean(),
        "integer" => value.as_i64() >= schema["minimum"].as_i64(),
        "array" => value
            .as_array()
            .is_some_and(|list| list.iter().all(|it| fits(&schema["items"], it))),
        "string" => value.is_string(),
        other => panic!("{other}"),
    };
    let text = value.as_str().unwrap_or_default();
    let long = schema["minLength"].as_u64().unwrap_or(0) <= text.len() as u64;
    let matches = |pattern| Regex::new(pattern).unwrap().is_match(text);
    of_type && long && schema["pattern"].as_str().is_none_or(matches)
}

#[test]
fn the_schema_refuses_no_value_that_a_key_accepts() {
    let mut samples = vec![
        json!(true),
        json!(-1),
        json!(0),
        json!(7),
        json!([]),
        json!(["?"]),
    ];
    let words = [
        "",
        "?",
        "0",
        "7",
        "1%",
        "02:00-04:00",
        "skip",
        "2s",
        "500ms",
        "5m",
        "5min",
        "1h",
        "true",
        "false",
        "a:b",
        "x,y",
        "view",
        "upgrade",
        "set-not-null",
        "shop.*",
        "sqlite:x.db",
        "./a",
        "sh -c x",
        "20261122093000",
    ];
    samples.extend(words.iter().map(|word| json!(word)));
    samples.extend(words.iter().map(|word| json!([word])));
    let mut accepted = 0;
    for key in KEYS {
        let schema = values(key);
        let names = choices(key, false).unwrap_or_default();
        let names = names.into_iter().map(|name| json!(name));
        for value in samples.iter().cloned().chain(names) {
            if set(key, &value).is_ok() {
                accepted += 1;
                assert!(fits(&schema, &value), "{}: {value}: {schema}", key.name);
            }
        }
    }
    assert!(accepted > 2 * KEYS.len(), "{accepted}");
}

#[test]
fn the_schema_refuses_wrong_values() {
    let check = |section, name: &str, value: Value| {
        let key = Key::find(section, name).unwrap();
        assert!(set(key, &value).is_err(), "{name}: {value}");
        assert!(!fits(&values(key), &value), "{name}: {value}");
    };
    check(Section::Migrator, "out-of-order", json!("sometimes"));
    check(Section::Migrator, "lock-wait", json!("2"));
    check(Section::Migrator, "lock-wait", json!(2));
    check(Section::Migrator, "connect-timeout", json!("0"));
    check(Section::Migrator, "protected", json!("yes"));
    check(Section::Migrator, "recursive", json!("yes"));
    check(Section::Migrator, "url", json!(""));
    check(Section::Postgres, "lock-attempts", json!(0));
    check(Section::Backup, "before", json!(["stamp"]));
    check(Section::Schema, "include", json!(1));
}
