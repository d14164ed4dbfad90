//! Types of settings, and how each is parsed.

use std::{path::PathBuf, time::Duration};

use super::{config::ScratchUrl, keys::Given, table_name::check_table_name};
use crate::{
    files::Compression,
    layout::Layout,
    revision::{Ahead, Downs, OutOfOrder, TransactionScope},
    schema::Pattern,
};

/// The treatment of records of other tools in a database without migrator's own records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RecordsOf {
    /// The records must be adopted before anything is written.
    #[default]
    Refuse,
    /// The records are ignored.
    Ignore,
}

/// The commands that create a backup first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BackupBefore {
    /// `upgrade`
    pub upgrade: bool,
    /// `downgrade`
    pub downgrade: bool,
}

/// A reason why a value is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The value has the wrong type; holds the expected one.
    Type(&'static str),
    /// The value is not allowed; holds a description of valid values.
    Value(&'static str),
    /// The URL is empty.
    EmptyUrl,
}

/// A type that a setting can have.
pub(super) trait Setting: Sized {
    fn read(given: &Given<'_>) -> Result<Self, Refused>;
}

impl Setting for bool {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        given.flag.ok_or(Refused::Type("true or false"))
    }
}

/// Parses `true` or `false`, which a variable holds as text.
pub(super) fn switch(given: &Given<'_>) -> Result<bool, Refused> {
    match (given.flag, given.text) {
        (Some(flag), _) => Ok(flag),
        (None, Some("true")) => Ok(true),
        (None, Some("false")) => Ok(false),
        _ => Err(Refused::Type("true or false")),
    }
}

impl Setting for String {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        text(given).map(str::to_owned)
    }
}

impl Setting for PathBuf {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        match text(given)? {
            "" => Err(Refused::Value("expected a directory")),
            path if path.contains('\0') => Err(Refused::Value("a path holds no NUL")),
            path => Ok(given.base.join(path).components().collect()),
        }
    }
}

impl Setting for Duration {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        duration(text(given)?).ok_or(Refused::Value(
            "expected a whole number with ms, s, min or h, such as \"2s\", below 24 days, or \"0\"",
        ))
    }
}

impl Setting for OutOfOrder {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        match text(given)? {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "allow" => Ok(Self::Allow),
            _ => Err(Refused::Value("expected `error`, `warn` or `allow`")),
        }
    }
}

impl Setting for RecordsOf {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        match text(given)? {
            "refuse" => Ok(Self::Refuse),
            "ignore" => Ok(Self::Ignore),
            _ => Err(Refused::Value("expected `refuse` or `ignore`")),
        }
    }
}

impl Setting for Ahead {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        match text(given)? {
            "warn" => Ok(Self::Warn),
            "error" => Ok(Self::Error),
            _ => Err(Refused::Value("expected `warn` or `error`")),
        }
    }
}

impl Setting for Downs {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        match text(given)? {
            "required" => Ok(Self::Required),
            "optional" => Ok(Self::Optional),
            _ => Err(Refused::Value("expected `required` or `optional`")),
        }
    }
}

impl Setting for TransactionScope {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        match text(given)? {
            "revision" => Ok(Self::Revision),
            "all" => Ok(Self::All),
            _ => Err(Refused::Value("expected `revision` or `all`")),
        }
    }
}

impl Setting for Layout {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        text(given)?.parse().map_err(|_| {
            Refused::Value(
                "expected `native`, `sqlx`, `golang-migrate`, `diesel`, `dbmate`, `goose`, \
                `flyway`, `refinery`, `sql-migrate`, `pop` or `authelia`",
            )
        })
    }
}

impl Setting for Compression {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        let name = text(given)?;
        name.parse()
            .map_err(|_| Refused::Value("expected `zstd` or `none`"))
    }
}

/// In a variable, the list is a string with commas.
impl Setting for BackupBefore {
    fn read(given: &Given<'_>) -> Result<Self, Refused> {
        let mut before = Self::default();
        for command in words(given)? {
            match command.as_str() {
                "upgrade" => before.upgrade = true,
                "downgrade" => before.downgrade = true,
                _ => return Err(Refused::Value("expected `upgrade` and `downgrade`")),
            }
        }
        Ok(before)
    }
}

/// Parses a duration that must not be zero.
pub(super) fn positive(given: &Given<'_>) -> Result<Duration, Refused> {
    match Duration::read(given)? {
        Duration::ZERO => Err(Refused::Value("expected a duration above zero")),
        duration => Ok(duration),
    }
}

/// Parses the path of a file, which may not exist.
pub(super) fn file(given: &Given<'_>) -> Result<PathBuf, Refused> {
    match text(given)? {
        "" => Err(Refused::Value("expected a file")),
        _ => PathBuf::read(given),
    }
}

/// Parses a number of repetitions, at least one.
pub(super) fn times(given: &Given<'_>) -> Result<u32, Refused> {
    let above_zero = Refused::Value("expected a positive integer");
    match number(given) {
        Ok(0) | Err(Refused::Value(_)) => Err(above_zero),
        number => number,
    }
}

/// Parses a number, which a variable holds as a string.
pub(super) fn number(given: &Given<'_>) -> Result<u32, Refused> {
    let number = match (given.number, given.text) {
        (Some(number), _) => u32::try_from(number).ok(),
        (None, Some(text)) => text.parse().ok(),
        (None, None) => return Err(Refused::Type("a whole number")),
    };
    number.ok_or(Refused::Value("expected a whole number, 0 or above"))
}

/// Parses names separated by commas.
pub(super) fn names(given: &Given<'_>) -> Result<Vec<String>, Refused> {
    let names = text(given)?.split(',').map(str::trim);
    Ok(names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

/// Parses `name` or `schema.name`.
pub(super) fn version_table(given: &Given<'_>) -> Result<String, Refused> {
    let name = text(given)?;
    check_table_name(name).map_err(Refused::Value)?;
    Ok(name.to_owned())
}

/// Parses a URL. Only checks that it is not empty.
pub(super) fn url(given: &Given<'_>) -> Result<String, Refused> {
    match text(given)?.trim() {
        "" => Err(Refused::EmptyUrl),
        url => Ok(url.to_owned()),
    }
}

/// Parses the URL of a server. Only checks that it is not empty.
pub(super) fn scratch_url(given: &Given<'_>) -> Result<ScratchUrl, Refused> {
    match text(given)?.trim() {
        "" => Err(Refused::Value("expected a URL")),
        url => Ok(ScratchUrl {
            text: url.to_owned(),
            base: given.base.to_owned(),
        }),
    }
}

/// Parses a list of strings. In a variable, the list is a string with commas.
pub(super) fn words(given: &Given<'_>) -> Result<Vec<String>, Refused> {
    match (given.list, given.text) {
        (Some(list), _) => Ok(list.to_vec()),
        (None, Some(text)) => {
            let words = text.split(',').map(|word| word.trim().to_owned());
            Ok(words.filter(|word| !word.is_empty()).collect())
        }
        (None, None) => Err(Refused::Type("an array of strings")),
    }
}

/// Parses patterns over objects.
pub(super) fn patterns(given: &Given<'_>) -> Result<Vec<Pattern>, Refused> {
    let parsed: Result<Vec<Pattern>, _> = words(given)?.iter().map(|text| text.parse()).collect();
    parsed.map_err(|_| {
        Refused::Value(
            "expected patterns such as `shop.*`, `table:shop.tmp_*` or `view:*`: a kind of object, a schema and a name",
        )
    })
}

pub(super) fn text<'a>(given: &Given<'a>) -> Result<&'a str, Refused> {
    given.text.ok_or(Refused::Type("a string"))
}

/// Parses `500ms`, `2s`, `5m`, `5min`, `1h`, or `0`, within PostgreSQL's 31 bits of milliseconds.
fn duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let millis = number.parse::<u64>().ok()?.checked_mul(unit)?;
    (millis <= i32::MAX as u64).then(|| Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    fn given(text: &str) -> Given<'_> {
        Given {
            text: Some(text),
            flag: None,
            number: None,
            list: None,
            base: Path::new("/p"),
        }
    }

    #[test]
    fn durations() {
        let check = |text: &str, millis: Option<u64>| {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        };
        check("0", Some(0));
        check("0s", Some(0));
        check("500ms", Some(500));
        check("2s", Some(2_000));
        check("5m", Some(300_000));
        check("5min", Some(300_000));
        check("1h", Some(3_600_000));
        check("2147483647ms", Some(2_147_483_647));
        for wrong in [
            "",
            "2",
            "s",
            "-1s",
            "1.5s",
            "2 s",
            "2S",
            "1h30m",
            "2147483648ms",
            "18446744073709551615h",
            " 2s",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn commands_that_backups_are_made_before() {
        let check = |given: &Given<'_>, expected: Result<(bool, bool), Refused>| {
            let read = BackupBefore::read(given);
            assert_eq!(read.map(|it| (it.upgrade, it.downgrade)), expected);
        };
        check(&given(""), Ok((false, false)));
        check(&given("upgrade"), Ok((true, false)));
        check(&given(" downgrade , upgrade"), Ok((true, true)));
        let refused = Refused::Value("expected `upgrade` and `downgrade`");
        check(&given("upgrade;downgrade"), Err(refused));
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let listed = |list: &[String], expected| {
            let given = Given {
                text: None,
                list: Some(list),
                ..given("")
            };
            check(&given, expected);
        };
        let both: Vec<String> = list(&["upgrade", "downgrade"]);
        listed(&both, Ok((true, true)));
        listed(&[], Ok((false, false)));
        let wrong: Vec<String> = list(&["stamp"]);
        listed(&wrong, Err(refused));
        let neither = Given {
            text: None,
            ..given("")
        };
        check(&neither, Err(Refused::Type("an array of strings")));
    }

    #[test]
    fn version_tables() {
        let check = |name: &str, ok: bool| {
            assert_eq!(version_table(&given(name)).is_ok(), ok, "{name:?}");
        };
        check("migrator_version", true);
        check("ops.versions", true);
        check("wersje_żółć", true);
        check(&"t".repeat(59), true);
        check(&"t".repeat(60), false);
        check(&format!("{}.t", "s".repeat(63)), true);
        check(&format!("{}.t", "s".repeat(64)), false);
        for wrong in [
            "",
            ".",
            "a.",
            ".a",
            "a.b.c",
            "a\0",
            "a\n",
            "a b",
            "\"a\"",
            "sqlite_x",
            "main.SQLite_x",
        ] {
            check(wrong, false);
        }
    }

    #[test]
    fn a_layout_that_is_none_names_all_that_are() {
        assert_eq!(Layout::read(&given("goose")), Ok(Layout::Goose));
        let Err(Refused::Value(expected)) = Layout::read(&given("rails")) else {
            panic!("it is taken");
        };
        for layout in Layout::ALL {
            assert!(expected.contains(&format!("`{layout}`")), "{layout}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in any::<String>()) {
            let given = given(&text);
            if let Ok(duration) = Duration::read(&given) {
                prop_assert!(duration.as_millis() <= i32::MAX as u128);
            }
            if let Ok(name) = version_table(&given) {
                prop_assert!(!name.contains(['\0', '"']));
            }
        }
    }
}
