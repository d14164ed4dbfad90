//! Where the targets come from.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value};

use super::{super::Error, FleetError, TargetProblem, TargetProblemKind as Kind};
use crate::{
    database::{Location, Settings, engine},
    fleet::{Target, name_fault},
    model::{self, ModelRequest},
    nearest::misspelt,
    project::{FleetConfig, FleetSource, fleet_files},
};

/// What a source may tell of a target.
const FIELDS: [&str; 4] = ["name", "url", "schema", "group"];

/// The most problems that are reported.
const MOST: usize = 100;

/// A target with its place in the source.
pub(super) struct Found {
    pub target: Target,
    pub place: String,
}

/// The targets of a fleet, in the order of its source, with unique names.
///
/// # Errors
/// Fails when the source fails, has no targets, or has some that cannot be used.
pub(super) async fn discover(
    config: &FleetConfig,
    settings: &Settings,
) -> Result<Vec<Found>, Error> {
    let found = match &config.source {
        FleetSource::Files(patterns) => files(patterns, config),
        FleetSource::List(names) => Ok(list(names)),
        FleetSource::Command { words, timeout } => {
            let request = ModelRequest {
                root: config.base.clone(),
                timeout: *timeout,
            };
            let output = model::command(words, &request).await;
            lines(&output.map_err(FleetError::from)?.sql)
        }
        FleetSource::Query { sql, at } => {
            let location = Location::parse(&at.text, &at.base)?;
            let settings = location.adjust(settings.clone());
            let found = engine::ask(&location, settings, sql).await?;
            let rows = found.rows.into_iter().map(|row| {
                let named = found.columns.iter().cloned().zip(row);
                named
                    .map(|(name, value)| (name, value.map_or(Value::Null, Value::String)))
                    .collect()
            });
            fields(rows.collect(), |row| format!("row {row} of the query"))
        }
    };
    let found = found.map_err(Error::from)?;
    unique(&found)?;
    match found.is_empty() {
        true => Err(no_targets(config).into()),
        false => Ok(found),
    }
}

fn no_targets(config: &FleetConfig) -> FleetError {
    let reason = match &config.source {
        FleetSource::Files(patterns) => format!("no file matches {}", patterns.join(" or ")),
        FleetSource::Query { .. } => "the query returns no rows".to_owned(),
        FleetSource::Command { words, .. } => format!("`{}` prints none", words.join(" ")),
        FleetSource::List(_) => "the list is empty".to_owned(),
    };
    let origin = config.origin.clone();
    FleetError::NoTargets { reason, origin }
}

fn files(patterns: &[String], config: &FleetConfig) -> Result<Vec<Found>, FleetError> {
    let files = fleet_files(patterns, &config.base)?;
    let found = files.into_iter().map(|file| {
        let path = file.path.display().to_string();
        let encoded = path.replace('%', "%25").replace('?', "%3F");
        Found {
            target: Target {
                url: Some(crate::database::file_url(&encoded).into()),
                ..Target::named(file.name)
            },
            place: path,
        }
    });
    Ok(found.collect())
}

fn list(names: &[String]) -> Vec<Found> {
    let found = names.iter().enumerate().map(|(index, name)| Found {
        target: Target::named(name.as_str()),
        place: format!("name {} of the list", index + 1),
    });
    found.collect()
}

/// Targets as lines of JSON.
fn lines(text: &str) -> Result<Vec<Found>, FleetError> {
    let (mut objects, mut problems) = (Vec::new(), Vec::new());
    let mut numbers = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str::<Map<String, Value>>(line) {
            Ok(object) => {
                objects.push(object.into_iter().collect());
                numbers.push(index + 1);
            }
            Err(error) if problems.len() < MOST => problems.push(TargetProblem {
                place: format!("line {} of the command", index + 1),
                kind: Kind::NotJson(error.to_string()),
            }),
            Err(_) => {}
        }
    }
    match problems.is_empty() {
        true => fields(objects, |row| {
            format!("line {} of the command", numbers[row - 1])
        }),
        false => Err(FleetError::Targets(problems)),
    }
}

/// Targets by the names of their fields. `place` is called with their numbers, from 1.
fn fields(
    rows: Vec<Vec<(String, Value)>>,
    place: impl Fn(usize) -> String,
) -> Result<Vec<Found>, FleetError> {
    let (mut found, mut problems) = (Vec::with_capacity(rows.len()), Vec::new());
    let mut groups: HashMap<String, Arc<str>> = HashMap::new();
    for (index, row) in rows.into_iter().enumerate() {
        match target(row, &mut groups) {
            Ok(target) => found.push(Found {
                target,
                place: place(index + 1),
            }),
            Err(kind) => problems.push(TargetProblem {
                place: place(index + 1),
                kind,
            }),
        }
        if problems.len() >= MOST {
            break;
        }
    }
    match problems.is_empty() {
        true => Ok(found),
        false => Err(FleetError::Targets(problems)),
    }
}

fn target(
    row: Vec<(String, Value)>,
    groups: &mut HashMap<String, Arc<str>>,
) -> Result<Target, Kind> {
    let mut target = Target::named("");
    for (field, value) in row {
        let text = match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            _ => return Err(Kind::NotText(field)),
        };
        match field.as_str() {
            "name" => target.name = text.ok_or(Kind::NoName)?.into(),
            "url" => target.url = text.map(Into::into),
            "schema" => target.schema = text.map(Into::into),
            "group" => {
                target.group = text.map(|text| {
                    let known = groups.entry(text);
                    let shared = known.or_insert_with_key(|text| text.as_str().into());
                    Arc::clone(shared)
                });
            }
            _ => {
                let nearest = misspelt(&field, FIELDS);
                return Err(Kind::UnknownField { field, nearest });
            }
        }
    }
    if target.name.is_empty() {
        return Err(Kind::NoName);
    }
    Ok(target)
}

/// Checks names, which have to differ.
fn unique(found: &[Found]) -> Result<(), Error> {
    let mut first: HashMap<&str, usize> = HashMap::with_capacity(found.len());
    let mut problems = Vec::new();
    for (index, one) in found.iter().enumerate() {
        let name = &*one.target.name;
        let kind = match (name_fault(name), first.insert(name, index)) {
            (Some(fault), _) => Kind::Name {
                name: name.to_owned(),
                fault,
            },
            (None, Some(before)) => Kind::Duplicate {
                name: name.to_owned(),
                first: found[before].place.clone(),
            },
            (None, None) => continue,
        };
        problems.push(TargetProblem {
            place: one.place.clone(),
            kind,
        });
        if problems.len() >= MOST {
            break;
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(FleetError::Targets(problems).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let found = lines(text).map_err(Error::from);
        match found.and_then(|found| unique(&found)) {
            Err(Error::Fleet(FleetError::Targets(problems))) => {
                problems.iter().map(ToString::to_string).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lines_of_json_are_targets() {
        let text = "{\"name\":\"a\",\"url\":\"sqlite:a.db\",\"group\":\"eu\"}\n\n{\"name\":\"b\",\"schema\":null}\n";
        let found = lines(text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].target.url.as_deref(), Some("sqlite:a.db"));
        assert_eq!(found[0].target.group.as_deref(), Some("eu"));
        assert_eq!(found[1].target, Target::named("b"));
        assert_eq!(found[1].place, "line 3 of the command");
    }

    #[test]
    fn lines_that_are_no_targets_have_their_place() {
        let check = |text: &str, expected: &[&str]| assert_eq!(problems(text), expected, "{text}");
        check(
            "{\"nmae\":\"a\"}",
            &["line 1 of the command: targets have no `nmae`"],
        );
        check(
            "{\"url\":\"x\"}",
            &["line 1 of the command: it has no `name`"],
        );
        check(
            "{\"name\":7}",
            &["line 1 of the command: `name` is not a string"],
        );
        check(
            "{\"name\":null}",
            &["line 1 of the command: it has no `name`"],
        );
        check(
            "{\"name\":\"a\"}\n\n{\"name\":\"a\"}",
            &["line 3 of the command: the name `a` is that of line 1 of the command, too"],
        );
        check(
            "{\"name\":\"a\\nb\"}",
            &[
                "line 1 of the command: the name `a\nb` is refused: it has a control character or another one that is not visible",
            ],
        );
        assert_eq!(problems("a\n[1]").len(), 2);
    }
}
