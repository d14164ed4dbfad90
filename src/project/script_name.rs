//! File names of scripts: `20261122093000_add_users_table.up.sql`.

use crate::revision::{Direction, RepeatableId, RevisionId};

/// The maximum length of a generated slug, in bytes. Longer ones are still read.
pub const MAX_SLUG: usize = 60;

/// The error for a message without a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{message}` has no letter or digit to make a file name of")]
pub struct SlugError {
    /// The message.
    pub message: String,
}

/// Returns the part of a file name that describes a revision: lower-case ASCII letters and digits,
/// with everything else replaced by underscores. Letters of other alphabets are transliterated.
///
/// # Errors
/// Returns an error if no letter or digit remains.
pub fn slugify(message: &str) -> Result<String, SlugError> {
    let mut slug = String::new();
    for c in any_ascii::any_ascii(message).chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('_') {
            slug.push('_');
        }
    }
    slug.truncate(MAX_SLUG);
    slug.truncate(slug.trim_end_matches('_').len());
    if slug.is_empty() {
        let message = message.to_owned();
        return Err(SlugError { message });
    }
    Ok(slug)
}

/// The parts of a script's file name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ScriptName {
    pub id: RevisionId,
    pub slug: String,
    pub direction: Direction,
}

/// The kind of a file name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileName {
    Script(ScriptName),
    /// `R_<slug>.sql`
    Repeatable(RepeatableId),
    /// A misspelled script name, with the nearest valid name.
    Misnamed(Option<String>),
    /// Any other name.
    Other,
}

/// Classifies a file name.
pub(super) fn classify(name: &str) -> FileName {
    if name.starts_with('.') || !ends_with(name.trim_end(), ".sql") {
        return FileName::Other;
    }
    if let Some(id) = repeatable(name) {
        return FileName::Repeatable(id);
    }
    match parse(name) {
        Some(script) => FileName::Script(script),
        None => FileName::Misnamed(suggest(name)),
    }
}

/// Parses `<digits>_<slug>.<up|down>.sql`. A slug may contain dots, where other tools write the
/// dialect, but not at its ends, and no second direction.
fn parse(name: &str) -> Option<ScriptName> {
    let stem = name.strip_suffix(".sql")?;
    let (direction, stem) = [Direction::Up, Direction::Down]
        .into_iter()
        .find_map(|direction| {
            let stem = stem.strip_suffix(direction.as_str())?.strip_suffix('.')?;
            Some((direction, stem))
        })?;
    let (id, slug) = stem.split_once('_')?;
    let id = id.parse().ok()?;
    fits(slug).then(|| ScriptName {
        id,
        slug: slug.to_owned(),
        direction,
    })
}

/// Returns whether `text` ends with `end`, ignoring case.
fn ends_with(text: &str, end: &str) -> bool {
    let start = text.len().checked_sub(end.len());
    start.is_some_and(|start| text.as_bytes()[start..].eq_ignore_ascii_case(end.as_bytes()))
}

fn fits(slug: &str) -> bool {
    let wrong = slug.is_empty()
        || slug.trim_matches(|c: char| c == '.' || c.is_whitespace()) != slug
        || slug.contains("..")
        || ends_with(slug, ".up")
        || ends_with(slug, ".down")
        || slug.contains(['/', '\\'])
        || slug.chars().any(char::is_control);
    !wrong
}

/// Parses `R_<slug>.sql`. A name with a direction is not a repeatable script.
fn repeatable(name: &str) -> Option<RepeatableId> {
    let slug = name.strip_prefix("R_")?.strip_suffix(".sql")?;
    fits(slug).then(|| RepeatableId::of_slug(slug))?
}

/// Returns the most likely intended name.
fn suggest(name: &str) -> Option<String> {
    let lower = name.trim().to_lowercase();
    if let Some(rest) = lower.strip_prefix("r_") {
        let words = rest.split(['.', '_', '-', ' ']);
        let words: Vec<_> = words
            .filter(|word| !matches!(*word, "up" | "down" | "sql"))
            .collect();
        return slugify(&words.join("_"))
            .ok()
            .map(|slug| format!("R_{slug}.sql"));
    }
    let digits_from = lower.find(|c: char| c.is_ascii_digit())?;
    // Letters before the number are used by another tool: V12__add_users.sql.
    if !lower[..digits_from]
        .chars()
        .all(|c| c.is_alphabetic() || c == '_')
    {
        return None;
    }
    let rest = &lower[digits_from..];
    let id_length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (id, rest) = rest.split_at(id_length);
    let words: Vec<&str> = rest
        .split(['.', '_', '-', ' '])
        .filter(|word| !word.is_empty() && *word != "sql")
        .collect();
    let is_direction = |word: &str| matches!(word, "up" | "down");
    let last = words.iter().rposition(|word| !is_direction(word));
    let (slug, directions) = words.split_at(last.map_or(0, |at| at + 1));
    let direction = directions.last().copied();
    let slug = slugify(&slug.join("_")).unwrap_or_else(|_| "name".to_owned());
    Some(format!("{id}_{slug}.{}.sql", direction.unwrap_or("up")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scripts_are_recognised() {
        let check = |name: &str, id: &str, slug: &str, direction: Direction| {
            let FileName::Script(script) = classify(name) else {
                panic!("{name} is not a script");
            };
            assert_eq!(script.id.as_str(), id, "{name}");
            assert_eq!((script.slug.as_str(), script.direction), (slug, direction));
        };
        use Direction::{Down, Up};
        check(
            "20261122093000_add_users.up.sql",
            "20261122093000",
            "add_users",
            Up,
        );
        check("7_a.down.sql", "7", "a", Down);
        check("007_a.up.sql", "007", "a", Up);
        check(
            "20150100000001000000_n.sqlite3.up.sql",
            "20150100000001000000",
            "n.sqlite3",
            Up,
        );
        check("1_a.b.up.sql", "1", "a.b", Up);
        check("1__a.up.sql", "1", "_a", Up);
        check("1_żółć i reszta.down.sql", "1", "żółć i reszta", Down);
        check("1_up.up.sql", "1", "up", Up);
    }

    #[test]
    fn misnamed_scripts_get_a_better_name() {
        let check = |name: &str, nearest: Option<&str>| {
            let expected = FileName::Misnamed(nearest.map(str::to_owned));
            assert_eq!(classify(name), expected, "{name}");
        };
        check("30_x.up..sql", Some("30_x.up.sql"));
        check("30_x..up.sql", Some("30_x.up.sql"));
        check("30_x.Down.sql", Some("30_x.down.sql"));
        check("30_x.up.SQL", Some("30_x.up.sql"));
        check("30_x.up.sql ", Some("30_x.up.sql"));
        check(" 30_x.up.sql", Some("30_x.up.sql"));
        check("30_x.sql", Some("30_x.up.sql"));
        check("30_x.up.up.sql", Some("30_x.up.sql"));
        check("30_x.down.up.sql", Some("30_x.up.sql"));
        check("30_x.up.sql.sql", Some("30_x.up.sql"));
        check("30-x.down.sql", Some("30_x.down.sql"));
        check("30.up.sql", Some("30_name.up.sql"));
        check("30_.up.sql", Some("30_name.up.sql"));
        check("V30__add_users.sql", Some("30_add_users.up.sql"));
        check("30_x\n.up.sql", Some("30_x.up.sql"));
        check("schema.sql", None);
        check("add-30.up.sql", None);
        check("r_x.sql", Some("R_x.sql"));
        check("R_x.up.sql", Some("R_x.sql"));
        check("R_x.SQL", Some("R_x.sql"));
        check("R_.sql", None);
    }

    #[test]
    fn repeatable_scripts_are_recognised() {
        for (name, slug) in [
            ("R_views.sql", "views"),
            ("R__views.sql", "_views"),
            ("R_1_a b.sql", "1_a b"),
        ] {
            let id = RepeatableId::of_slug(slug).unwrap();
            assert_eq!(classify(name), FileName::Repeatable(id), "{name}");
        }
    }

    #[test]
    fn other_names() {
        for name in [
            "README",
            "README.md",
            ".gitkeep",
            ".1_x.up.sql",
            "1_x.up.sql~",
            "1_x.up.sql.bak",
            "1_x.up",
            "sql",
            "mod.rs",
        ] {
            assert_eq!(classify(name), FileName::Other, "{name}");
        }
    }

    #[test]
    fn slugs() {
        let check = |message: &str, slug: Option<&str>| {
            assert_eq!(slugify(message).ok().as_deref(), slug, "{message}");
        };
        check("Add users table", Some("add_users_table"));
        check("  Add -- users.e-mail! ", Some("add_users_e_mail"));
        check("dodaj żółć x", Some("dodaj_zolc_x"));
        check("Größe ändern", Some("grosse_andern"));
        check("Größe in NFD: a\u{308}", Some("grosse_in_nfd_a"));
        check("Добавить таблицу", Some("dobavit_tablitsu"));
        check("ユーザーを追加", Some("yuzaozhuijia"));
        check("x\u{200d}y", Some("xy"));
        check("!? —", None);
        check("", None);
        check("../../etc", Some("etc"));
        check(&"ab ".repeat(40), Some(&"ab_".repeat(20)[..59]));
    }

    proptest! {
        #[test]
        fn a_slug_makes_the_name_of_a_script(message in any::<String>(), id in "[0-9]{1,20}") {
            if let Ok(slug) = slugify(&message) {
                prop_assert!(slug.len() <= MAX_SLUG);
                let name = format!("{id}_{slug}.down.sql");
                let expected = ScriptName {
                    id: id.parse().unwrap(),
                    slug,
                    direction: Direction::Down,
                };
                prop_assert_eq!(classify(&name), FileName::Script(expected));
            }
        }

        #[test]
        fn a_suggestion_is_the_name_of_a_script(name in "[0-9V_.a-cupdownżSQL -]{0,30}\\.sql") {
            if let FileName::Misnamed(Some(better)) = classify(&name) {
                prop_assert!(matches!(classify(&better), FileName::Script(_)), "{}", better);
            }
        }
    }
}
