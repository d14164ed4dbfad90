//! Parses `migrator.toml` into layers of settings.

use std::{cell::RefCell, collections::BTreeMap, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    config::Config,
    keys::{KEYS, Key, Section},
    layer::{Entry, Layer, Value},
    problem::{ConfigProblem, ConfigProblemKind as Kind, Origin},
    server_settings,
};
use crate::{
    nearest::misspelt,
    sql::{self, Positions},
};

/// Values of placeholders by name.
pub(super) type Vars = BTreeMap<String, Entry>;

/// A section of `[environments]`.
pub(super) struct Environment {
    pub origin: Origin,
    pub layer: Layer,
    pub vars: Vars,
    pub settings: Vars,
}

/// The settings of a file.
#[derive(Default)]
pub(super) struct Document {
    pub base: Layer,
    pub vars: Vars,
    /// `[postgres.settings]`
    pub settings: Vars,
    pub environments: BTreeMap<String, Environment>,
    /// Whether all settings are known: the file does not exist or is valid TOML.
    pub complete: bool,
}

/// Parses `text`, displayed as `file`, in directory `base`. Adds all problems to `problems`.
pub(super) fn parse(
    text: &str,
    file: &str,
    base: &Path,
    problems: &mut Vec<ConfigProblem>,
) -> Document {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        text,
        positions: Positions::of(text).into(),
        file,
        base,
        problems,
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        reader.document(table.get_ref())
    } else {
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            // The error's `Display` output shows the line, which may contain a password.
            let message = error.message().to_owned();
            reader.problem(at, Kind::Toml { message });
        }
        Document::default()
    }
}

struct Reader<'a> {
    text: &'a str,
    positions: RefCell<Positions<'a>>,
    file: &'a str,
    base: &'a Path,
    problems: &'a mut Vec<ConfigProblem>,
}

/// The heading of a section as written in the file.
#[derive(Clone, Copy)]
struct Heading<'a> {
    section: Section,
    name: &'a str,
    /// Whether the section belongs to an environment.
    nested: bool,
}

const SECTIONS: &[&str] = &["migrator", "postgres", "backup", "vars", "environments"];

/// The section for values of placeholders.
const VARS: &str = "vars";

/// The section for settings of the server, in `[postgres]`.
const SETTINGS: &str = "settings";

/// Sections with arbitrary keys, where they are allowed.
struct Free<'a> {
    vars: Option<&'a mut Vars>,
    settings: &'a mut Vars,
}

impl Reader<'_> {
    fn document(&mut self, table: &DeTable<'_>) -> Document {
        let mut document = Document {
            complete: true,
            ..Document::default()
        };
        for (name, value) in table.iter() {
            let at = name.span().start;
            let name: &str = name.get_ref();
            if name == Section::Fleet.name() {
                self.problem(at, Kind::FleetOutside);
            } else if let Some(section) = Section::ALL.iter().find(|known| known.name() == name) {
                let heading = Heading {
                    section: *section,
                    name,
                    nested: false,
                };
                let free = Free {
                    vars: None,
                    settings: &mut document.settings,
                };
                self.keys(heading, at, value, &mut document.base, free);
            } else if name == VARS {
                document.vars = self.vars(VARS, at, value);
            } else if name == "environments" {
                document.environments = self.environments(at, value);
            } else if matches!(value.get_ref(), DeValue::Table(_)) {
                let kind = Kind::UnknownSection {
                    section: name.to_owned(),
                    nearest: misspelt(name, SECTIONS.iter().copied()),
                };
                self.problem(at, kind);
            } else {
                self.unknown_key(at, name, None);
            }
        }
        document
    }

    fn environments(
        &mut self,
        at: usize,
        value: &Spanned<DeValue<'_>>,
    ) -> BTreeMap<String, Environment> {
        let mut environments = BTreeMap::new();
        let Some(table) = self.table("environments", at, value) else {
            return environments;
        };
        for (name, value) in table.iter() {
            let at = name.span().start;
            let mut environment = Environment {
                origin: self.origin(at),
                layer: Layer::default(),
                vars: Vars::new(),
                settings: Vars::new(),
            };
            let heading = Heading {
                section: Section::Migrator,
                name: &format!("environments.{}", name.get_ref()),
                nested: true,
            };
            let Environment {
                layer,
                vars,
                settings,
                ..
            } = &mut environment;
            let vars = Some(vars);
            self.keys(heading, at, value, layer, Free { vars, settings });
            environments.insert(name.get_ref().clone().into_owned(), environment);
        }
        environments
    }

    /// Reads the keys of a section, and of those nested in it.
    fn keys(
        &mut self,
        heading: Heading<'_>,
        at: usize,
        value: &Spanned<DeValue<'_>>,
        layer: &mut Layer,
        mut free: Free<'_>,
    ) {
        let Some(table) = self.table(heading.name, at, value) else {
            return;
        };
        for (name, value) in table.iter() {
            let at = name.span().start;
            let name: &str = name.get_ref();
            if let Some(key) = Key::find(heading.section, name) {
                if let Some(entry) = self.entry(key, value) {
                    layer.insert(key, entry);
                }
            } else if let Some(section) = nested_section(heading, name) {
                let nested = Heading {
                    section,
                    name: &format!("{}.{name}", heading.name),
                    nested: true,
                };
                let free = Free {
                    vars: None,
                    settings: &mut *free.settings,
                };
                self.keys(nested, at, value, layer, free);
            } else if heading.section == Section::Postgres && name == SETTINGS {
                *free.settings = self.settings(&format!("{}.{name}", heading.name), at, value);
            } else if let Some(vars) = free.vars.as_deref_mut().filter(|_| name == VARS) {
                *vars = self.vars(&format!("{}.{name}", heading.name), at, value);
            } else {
                self.unknown_key(at, name, Some(heading));
            }
        }
    }

    /// Reads the values of placeholders. Variables in them are looked up later, when a value is
    /// needed.
    fn vars(&mut self, section: &str, at: usize, value: &Spanned<DeValue<'_>>) -> Vars {
        let mut vars = Vars::new();
        let Some(table) = self.table(section, at, value) else {
            return vars;
        };
        for (name, value) in table.iter() {
            let name_at = name.span().start;
            let name: &str = name.get_ref();
            if !sql::Vars::is_name(name) {
                let name = name.to_owned();
                self.problem(name_at, Kind::VarName { name });
                continue;
            }
            let entry = self.value(value);
            match entry.words(|_| Ok(String::new())) {
                Ok(Some(_)) => {
                    vars.insert(name.to_owned(), entry);
                }
                Ok(None) => {
                    let kind = Kind::VarType {
                        name: name.to_owned(),
                        found: describe(value.get_ref()),
                    };
                    self.problem(value.span().start, kind);
                }
                Err(problems) => self.problems.extend(problems),
            }
        }
        vars
    }

    /// Reads settings of the server. The server itself checks whether they exist.
    fn settings(&mut self, section: &str, at: usize, value: &Spanned<DeValue<'_>>) -> Vars {
        let mut settings = Vars::new();
        let Some(table) = self.table(section, at, value) else {
            return settings;
        };
        for (name, value) in table.iter() {
            let name_at = name.span().start;
            let name = name.get_ref().to_ascii_lowercase();
            if let Some(reason) = server_settings::refused(&name) {
                self.problem(name_at, Kind::SettingName { name, reason });
                continue;
            }
            let entry = self.value(value);
            match entry.words(|_| Ok(String::new())) {
                Ok(Some(_)) => {
                    settings.insert(name, entry);
                }
                Ok(None) => {
                    let found = describe(value.get_ref());
                    self.problem(value.span().start, Kind::SettingType { name, found });
                }
                Err(problems) => self.problems.extend(problems),
            }
        }
        settings
    }

    /// Reads the value of a key. Its type is checked here, and its value too if it contains no
    /// variable, even in sections that are not selected.
    fn entry(&mut self, key: &'static Key, value: &Spanned<DeValue<'_>>) -> Option<Entry> {
        let entry = self.value(value);
        let mut complete = true;
        let text = entry.text(|_| {
            complete = false;
            Ok(String::new())
        });
        let mut scratch = Config::new(self.base, self.base);
        let checked = text.and_then(|text| {
            let applied = entry.apply(key, text.as_deref(), &mut scratch);
            applied.or_else(|problems| {
                let of_type =
                    |problem: &ConfigProblem| matches!(problem.kind, Kind::WrongType { .. });
                if complete || problems.iter().any(of_type) {
                    Err(problems)
                } else {
                    Ok(())
                }
            })
        });
        match checked {
            Ok(()) => Some(entry),
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    /// Returns a value with its place.
    fn value(&self, value: &Spanned<DeValue<'_>>) -> Entry {
        let at = value.span().start;
        let value = match value.get_ref() {
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::String(text) => {
                let places = self.text[value.span()].match_indices("${");
                let places = places.map(|(index, _)| self.origin(at + index)).collect();
                Value::Template(text.clone().into_owned(), places)
            }
            DeValue::Array(values) => strings(values),
            DeValue::Integer(digits) => {
                match i64::from_str_radix(digits.as_str(), digits.radix()) {
                    Ok(number) => Value::Number(number),
                    Err(_) => Value::Other("an integer"),
                }
            }
            other => Value::Other(describe(other)),
        };
        Entry {
            origin: self.origin(at),
            value,
            base: self.base.to_owned(),
        }
    }

    fn table<'t, 'i>(
        &mut self,
        name: &str,
        at: usize,
        value: &'t Spanned<DeValue<'i>>,
    ) -> Option<&'t DeTable<'i>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(table),
            other => {
                let kind = Kind::NotASection {
                    section: name.to_owned(),
                    found: describe(other),
                };
                self.problem(at, kind);
                None
            }
        }
    }

    fn unknown_key(&mut self, at: usize, key: &str, heading: Option<Heading<'_>>) {
        let here = heading.map(|heading| heading.section);
        let known = KEYS.iter().filter(|known| Some(known.section) == here);
        let elsewhere = KEYS
            .iter()
            .find(|known| known.name == key && Some(known.section) != here);
        let belongs = elsewhere.map(|known| match (heading, known.section) {
            (Some(here), section) if here.nested => {
                let own = format!(".{}", here.section.name());
                let environment = here.name.strip_suffix(&own).unwrap_or(here.name);
                match section {
                    Section::Migrator => environment.to_owned(),
                    section => format!("{environment}.{}", section.name()),
                }
            }
            (_, section) => section.name().to_owned(),
        });
        let kind = Kind::UnknownKey {
            key: key.to_owned(),
            section: heading.map(|heading| heading.name.to_owned()),
            nearest: misspelt(key, known.map(|known| known.name)),
            belongs,
        };
        self.problem(at, kind);
    }

    fn problem(&mut self, at: usize, kind: Kind) {
        let origin = self.origin(at);
        self.problems.push(ConfigProblem { origin, kind });
    }

    fn origin(&self, at: usize) -> Origin {
        Origin::File {
            file: self.file.to_owned(),
            position: Some(self.positions.borrow_mut().at(at)),
        }
    }
}

/// Returns the section with that name in an environment.
fn nested_section(heading: Heading<'_>, name: &str) -> Option<Section> {
    let is_environment = heading.nested && heading.section == Section::Migrator;
    let mut inside = Section::ALL.iter().filter(|it| **it != Section::Migrator);
    inside
        .find(|section| is_environment && section.name() == name)
        .copied()
}

/// Returns the array as a list if all its elements are strings.
fn strings(values: &[Spanned<DeValue<'_>>]) -> Value {
    let strings = values.iter().map(|value| match value.get_ref() {
        DeValue::String(text) => Some(text.clone().into_owned()),
        _ => None,
    });
    match strings.collect() {
        Some(list) => Value::List(list),
        None => Value::Other("an array of other things"),
    }
}

fn describe(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
