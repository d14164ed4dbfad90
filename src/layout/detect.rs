//! Detects the layout of a directory by its names and, if they are ambiguous, by the first marker.

use std::collections::HashSet;

use super::{FileKind, Layout, authelia, flyway, pop, refinery, tool::leading_number};

/// Names that match several layouts with different meanings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// One of the names.
    pub name: String,
    /// The layouts that it matches.
    pub layouts: Vec<Layout>,
}

/// Detects the layout of the files in a directory. Names that migrator's own layout reads are its
/// own.
///
/// `is_native` returns whether a name is in migrator's own layout, `text` returns the text of a
/// file, and `has_scripts` returns whether the directory with that name has an `up.sql`.
///
/// # Errors
/// Returns an error if the names match several layouts that read them differently.
pub fn detect(
    names: &[&str],
    is_native: impl Fn(&str) -> bool,
    text: impl FnMut(&str) -> Option<String>,
    has_scripts: impl FnMut(&str) -> bool,
) -> Result<Layout, Ambiguous> {
    if names.iter().any(|name| is_native(name)) {
        // Few native names contain dots.
        let dotted = |name: &&str| name.bytes().filter(|byte| *byte == b'.').count() > 2;
        let is_pop = names.iter().any(dotted) && pop::is_found(names);
        return Ok(if is_pop { Layout::Pop } else { Layout::Native });
    }
    if names.iter().any(|name| is_script(authelia::script(name))) {
        return Ok(Layout::Authelia);
    }
    if let Some(found) = lettered(names) {
        return found;
    }
    if let Some(layout) = marked(names, text) {
        return Ok(layout);
    }
    Ok(if directories(names).any(has_scripts) {
        Layout::Diesel
    } else {
        Layout::Native
    })
}

fn is_script(kind: Option<FileKind>) -> bool {
    matches!(kind, Some(FileKind::Script(_)))
}

/// Detects `V1__NAME.sql`: Flyway or refinery, if only one of them uses such names.
fn lettered(names: &[&str]) -> Option<Result<Layout, Ambiguous>> {
    let first = names.iter().find(|name| is_script(flyway::script(name)))?;
    let id = |name: &str| match flyway::script(name) {
        Some(FileKind::Script(script)) => Some(script.id),
        _ => None,
    };
    let of = |letter: char| {
        let named = names.iter().filter(move |name| name.starts_with(letter));
        named
            .filter_map(move |name| id(name))
            .collect::<HashSet<_>>()
    };
    let (versions, undos) = (of('V'), of('U'));
    let is_settings = |name: &&str| name.ends_with(".sql.conf");
    let of_flyway = names.iter().any(|name| {
        let is_plain = flyway::script(name).is_none() || refinery::script(name).is_some();
        !is_plain || is_settings(name)
    });
    let of_refinery = names
        .iter()
        .any(|name| matches!(refinery::script(name), Some(FileKind::Refused(_))));
    let undoes = undos.iter().any(|id| versions.contains(id));
    let is_late = undos.iter().any(|id| !versions.contains(id));
    Some(match (of_flyway || undoes, of_refinery || is_late) {
        (true, false) => Ok(Layout::Flyway),
        (false, true) => Ok(Layout::Refinery),
        _ => Err(Ambiguous {
            name: (*first).to_owned(),
            layouts: vec![Layout::Flyway, Layout::Refinery],
        }),
    })
}

/// Detects `ID_NAME.sql`: by the first marker, or sqlx if there is none.
fn marked(names: &[&str], mut text: impl FnMut(&str) -> Option<String>) -> Option<Layout> {
    let numbered: Vec<&&str> = names.iter().filter(|name| is_numbered(name)).collect();
    let marker = numbered.iter().find_map(|name| marker(&text(name)?));
    if marker.is_some() {
        return marker;
    }
    let is_sqlx = |name: &&&str| {
        let digits = leading_number(name).map_or("", |(_, rest)| rest);
        digits.starts_with('_')
    };
    numbered.iter().any(is_sqlx).then_some(Layout::Sqlx)
}

/// Returns whether `name` is a number and a name, and not a misspelled native name.
fn is_numbered(name: &str) -> bool {
    let Some((_, rest)) = leading_number(name) else {
        return false;
    };
    rest.strip_suffix(".sql").is_some_and(|stem| {
        let lower = stem.to_ascii_lowercase();
        ![".", ".up", ".down"].iter().any(|end| lower.ends_with(end))
    })
}

/// Returns the layout of the first marker in `text`.
fn marker(text: &str) -> Option<Layout> {
    const MARKERS: [(&str, Layout); 3] = [
        ("migrate:up", Layout::Dbmate),
        ("+goose", Layout::Goose),
        ("+migrate", Layout::SqlMigrate),
    ];
    super::line::lines(text).find_map(|line| {
        let found = MARKERS.iter().find(|(word, _)| line.marker(word).is_some());
        found.map(|(_, layout)| *layout)
    })
}

/// Returns the directory names in diesel's format.
fn directories<'a>(names: &[&'a str]) -> impl Iterator<Item = &'a str> {
    names
        .iter()
        .copied()
        .filter(|name| leading_number(name).is_some() && !name.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks names: those with a `=` have that text, and those with a `/` have an `up.sql`.
    fn check(files: &[&str], expected: Result<Layout, &[Layout]>) {
        let names: Vec<&str> = files
            .iter()
            .map(|file| file.split(['=', '/']).next().unwrap())
            .collect();
        let text = |name: &str| {
            let file = files
                .iter()
                .find_map(|file| file.strip_prefix(name)?.strip_prefix('='));
            file.map(str::to_owned)
        };
        let is_native =
            |name: &str| name.ends_with(".up.sql") && name.contains('_') && !name.starts_with('V');
        let has_scripts = |name: &str| files.contains(&&*format!("{name}/"));
        let found = detect(&names, is_native, text, has_scripts);
        assert_eq!(
            found.map_err(|found| found.layouts),
            expected.map_err(<[_]>::to_vec),
            "{files:?}"
        );
    }

    #[test]
    fn directories_are_told_apart() {
        use Layout::*;
        check(&[], Ok(Native));
        check(&["README.md"], Ok(Native));
        check(
            &["1_a.up.sql", "V1__a.sql", "2_b.sql=-- +goose Up"],
            Ok(Native),
        );
        check(&["1_a.sqlite3.up.sql", "1_a.down.sql"], Ok(Pop));
        check(&["1_a.sql=SELECT 1;", "2_b.sql"], Ok(Sqlx));
        check(&["1_a.sql=-- why\n-- migrate:up"], Ok(Dbmate));
        check(&["1_a.sql", "2_b.sql=--+goose Up"], Ok(Goose));
        check(&["2023-01-20.0-a.sql=-- +migrate Up"], Ok(SqlMigrate));
        check(&["2023-01-20.0-a.sql=SELECT 1"], Ok(Native));
        check(&["V0001.A.up.sql", "V0001.A.down.sql"], Ok(Authelia));
        check(&["2024-01-01-000000_a/"], Ok(Diesel));
        check(&["2024-01-01-000000_a"], Ok(Native));
        check(&["1_a.Up.sql", "2_a.up..sql"], Ok(Native));
        check(&["V1.2__a.sql"], Ok(Flyway));
        check(&["V1__a.sql", "U1__a.sql"], Ok(Flyway));
        check(&["V1__a.sql", "R__a.sql"], Ok(Flyway));
        check(&["V1__a.sql", "V1__a.sql.conf"], Ok(Flyway));
        check(&["V1__a-b.sql"], Ok(Flyway));
        check(&["V1__a.sql", "U2__a.sql"], Ok(Refinery));
        check(&["V1__a.sql", "V2__a.rs"], Ok(Refinery));
        check(&["V1__a.sql"], Err(&[Flyway, Refinery]));
        check(&["V1.2__a.sql", "V2__a.rs"], Err(&[Flyway, Refinery]));
        check(&["R__a.sql"], Ok(Native));
    }
}
