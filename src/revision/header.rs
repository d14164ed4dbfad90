use std::time::Duration;

use super::Phase;
use super::{
    BatchDirective, Direction, ProblemKind, RevisionId,
    batch::{self, BATCH},
    block::{self, Comment, CommentKind},
    header_line::{
        HeaderLine, Line, after, almost_directive, directive, is_of_statement, is_sqlx_marker,
        line, may_hold_directive,
    },
    license, parse_duration,
};
use crate::{
    nearest::nearest,
    sql::{self, Dialect, Placeholders, TokenKind},
};

/// The transaction mode of a script.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TransactionMode {
    /// The whole script runs in one transaction.
    #[default]
    On,
    /// Statements run one by one, each with its progress.
    Off,
}

/// Whether SQLite enforces foreign keys while a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ForeignKeys {
    /// Foreign keys are enforced statement by statement.
    On,
    /// Foreign keys are not enforced, but verified before the commit.
    Off,
    /// Like [`Self::Off`], but foreign keys may be violated or uncheckable afterwards.
    Unchecked,
}

/// A revision that a baseline replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The ID.
    pub id: RevisionId,
    /// The earlier baseline that replaced it first, and is now replaced itself.
    pub by: Option<RevisionId>,
}

/// The content of the comment block at the top of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// The first comment line that is not a header.
    pub message: Option<String>,
    /// `revises`: `None` when absent, empty for `revises = base`.
    pub revises: Option<Vec<RevisionId>>,
    /// `depends-on`
    pub depends_on: Vec<RevisionId>,
    /// `replaces`, over all its lines.
    pub replaces: Vec<Replaced>,
    /// `label`
    pub label: Option<String>,
    /// `transaction`, or sqlx's `-- no-transaction`.
    pub transaction: TransactionMode,
    /// `irreversible`: the reason.
    pub irreversible: Option<String>,
    /// `phase`; `None` when absent, which is as good as `expand`.
    pub phase: Option<Phase>,
    /// `foreign-keys`; `None` when absent.
    pub foreign_keys: Option<ForeignKeys>,
    /// `lock-timeout`
    pub lock_timeout: Option<Duration>,
    /// `statement-timeout`
    pub statement_timeout: Option<Duration>,
    /// `batch` directives, which may be anywhere, in text order.
    pub batches: Vec<BatchDirective>,
    /// `vars`: the syntax of placeholders; `None` if nothing is replaced.
    pub placeholders: Option<Placeholders>,
}

/// The purpose of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Up,
    Down,
    Repeatable,
}

impl From<Direction> for Role {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Up => Self::Up,
            Direction::Down => Self::Down,
        }
    }
}

/// A header that a script may have.
struct Key {
    name: &'static str,
    /// The roles of scripts that may have it.
    roles: &'static [Role],
    /// A description of valid values.
    expected: &'static str,
    /// Parses the value into its field; `None` if the value is invalid.
    set: fn(&mut Headers, &str) -> Option<()>,
}

pub(super) const REVISES: &str = "revises";
pub(super) const DEPENDS_ON: &str = "depends-on";
pub(super) const REPLACES: &str = "replaces";
pub(super) const LABEL: &str = "label";
pub(super) const IRREVERSIBLE: &str = "irreversible";
pub(super) const TRANSACTION: &str = "transaction";

const UP: &[Role] = &[Role::Up];
const REVISION: &[Role] = &[Role::Up, Role::Down];
const ALL: &[Role] = &[Role::Up, Role::Down, Role::Repeatable];
const ON_OFF: &str = "expected `on` or `off`";
const VARS: &str = "expected `on`, `off` or `dollar`";
const DURATION: &str = "expected a duration such as `500ms`, `2s`, `5min` or `1h`, or `0`";
const IDS: &str = "expected revision IDs separated by commas";
const REPLACED: &str = "expected revision IDs separated by commas, optionally after `ID:`";
const PARENTS: &str = "expected revision IDs separated by commas, or `base`";
const NAME: &str = "expected a letter and then letters, digits, `_` or `-`; \
    `head`, `heads`, `base` and `current` are taken";
const REASON: &str = "expected the reason, in words";

#[rustfmt::skip]
const KEYS: &[Key] = &[
    Key { name: REVISES, roles: UP, expected: PARENTS, set: set_revises },
    Key { name: DEPENDS_ON, roles: UP, expected: IDS, set: |h, v| { h.depends_on = ids(v)?; Some(()) } },
    Key { name: REPLACES, roles: UP, expected: REPLACED, set: set_replaces },
    Key { name: LABEL, roles: UP, expected: NAME, set: |h, v| put(&mut h.label, is_label(v).then(|| v.to_owned())) },
    Key { name: TRANSACTION, roles: REVISION, expected: ON_OFF, set: set_transaction },
    Key { name: IRREVERSIBLE, roles: UP, expected: REASON, set: |h, v| put(&mut h.irreversible, (!v.is_empty()).then(|| v.to_owned())) },
    Key { name: "phase", roles: UP, expected: "expected `expand` or `contract`", set: |h, v| put(&mut h.phase, Phase::parse(v)) },
    Key { name: "foreign-keys", roles: ALL, expected: "`on`, `off` or `unchecked`", set: set_foreign_keys },
    Key { name: "lock-timeout", roles: ALL, expected: DURATION, set: |h, v| put(&mut h.lock_timeout, parse_duration(v)) },
    Key { name: "statement-timeout", roles: ALL, expected: DURATION, set: |h, v| put(&mut h.statement_timeout, parse_duration(v)) },
    Key { name: "vars", roles: ALL, expected: VARS, set: set_vars },
];

/// Reads the headers of a script, and returns their problems with byte offsets.
pub(super) fn read(
    dialect: Dialect,
    role: impl Into<Role>,
    text: &str,
) -> (Headers, Vec<(usize, ProblemKind)>) {
    let block = block::top_block(dialect, text);
    let mut reader = Reader {
        role: role.into(),
        headers: Headers::default(),
        seen: Vec::new(),
        problems: Vec::new(),
        in_license: false,
    };
    let first = block.comments.first();
    let marked = first.is_some_and(|comment| is_sqlx_marker(text, comment));
    if marked && reader.role == Role::Repeatable {
        let kind = ProblemKind::NotRepeatable { key: TRANSACTION };
        let at = first.map_or(0, |comment| comment.offset);
        reader.problems.push((at, kind));
    } else if marked {
        reader.headers.transaction = TransactionMode::Off;
    }
    let mut before: Option<&Comment<'_>> = None;
    for comment in block.comments.iter().skip(usize::from(marked)) {
        reader.in_license &= before.is_some_and(|before| goes_on(text, before, comment));
        reader.comment(comment);
        before = Some(comment);
    }
    if marked {
        reader.refuse_contradiction();
    }
    reader.below(dialect, text, block.end);
    reader.refuse_batches_in_transaction();
    (reader.headers, reader.problems)
}

/// Returns whether two comments belong to one block: only whitespace without an empty line is
/// between them.
fn goes_on(text: &str, before: &Comment<'_>, comment: &Comment<'_>) -> bool {
    let between = text.get(before.offset + before.text.len()..comment.offset);
    before.kind == comment.kind && between.is_some_and(|text| text.matches('\n').count() <= 1)
}

/// Returns whether `text` can be a branch label: a letter, then letters, digits, `_` or `-`, and
/// not a word reserved for targets.
pub fn is_label(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        && !matches!(text, "head" | "heads" | "base" | "current")
}

struct Reader {
    role: Role,
    headers: Headers,
    /// Keys already read, with their offsets.
    seen: Vec<(&'static str, usize)>,
    problems: Vec<(usize, ProblemKind)>,
    /// Whether the current comment block contains license text.
    in_license: bool,
}

impl Reader {
    fn comment(&mut self, comment: &Comment<'_>) {
        match line(comment) {
            Line::Header(header) => self.header(&header),
            Line::Malformed(at) => self.problems.push((at, ProblemKind::HeaderSyntax)),
            Line::OfStatement => self.of_statement(comment),
            Line::Prose(text) => {
                let says_something = text.contains(char::is_alphanumeric);
                if says_something && self.headers.message.is_none() && !self.is_of_license(text) {
                    self.headers.message = Some(text.to_owned());
                }
            }
        }
    }

    /// Returns whether a line is a copyright or license notice rather than a description. After the
    /// first sentence of a license, the rest of its comment block is license text.
    fn is_of_license(&mut self, text: &str) -> bool {
        let line = license::line(text);
        self.in_license |= line == Some(license::Line::Text);
        self.in_license || line.is_some()
    }

    /// Reads the directives below the top block. The text is only tokenized if it may contain a
    /// directive, to keep large directories fast.
    fn below(&mut self, dialect: Dialect, text: &str, start: usize) {
        let rest = &text[start..];
        if !may_hold_directive(rest) {
            return;
        }
        let comments =
            sql::lex(dialect, rest.as_bytes()).filter(|token| token.kind == TokenKind::LineComment);
        for token in comments {
            let at = start + token.start;
            let Some(text) = rest.get(token.start + 2..token.end) else {
                continue;
            };
            let comment = Comment {
                kind: CommentKind::Line,
                offset: at + 2,
                text,
            };
            match directive(&comment) {
                Some((_, rest)) if is_of_statement(rest) => self.of_statement(&comment),
                Some(_) => self.problems.push((at, ProblemKind::HeaderBelowTop)),
                None if almost_directive(text).is_some_and(is_of_statement) => {
                    self.problems.push((at, ProblemKind::BatchSyntax));
                }
                None => {}
            }
        }
    }

    /// Reads a directive of a statement. The plan determines which statement it applies to.
    fn of_statement(&mut self, comment: &Comment<'_>) {
        let Some((at, text)) = directive(comment) else {
            return;
        };
        // The other ones concern lint alone.
        let Some(options) = after(BATCH, text) else {
            return;
        };
        let (pace, problems) = batch::pace(at + BATCH.len(), options);
        self.problems.extend(problems);
        self.headers.batches.push(BatchDirective {
            start: comment.offset - 2,
            end: comment.offset + comment.text.len(),
            pace,
        });
    }

    fn refuse_batches_in_transaction(&mut self) {
        if self.headers.transaction == TransactionMode::On {
            let directives = self.headers.batches.iter();
            let problems = directives.map(|it| (it.start, ProblemKind::BatchInTransaction));
            self.problems.extend(problems);
        }
    }

    fn header(&mut self, header: &HeaderLine<'_>) {
        let Some(key) = KEYS.iter().find(|key| key.name == header.key) else {
            let names = KEYS.iter().map(|key| key.name);
            let kind = ProblemKind::UnknownHeader {
                key: header.key.to_owned(),
                nearest: nearest(header.key, names, 1).first().copied(),
            };
            return self.problems.push((header.key_at, kind));
        };
        let name = key.name;
        if !key.roles.contains(&self.role) {
            let kind = match self.role {
                Role::Repeatable => ProblemKind::NotRepeatable { key: name },
                Role::Up | Role::Down => ProblemKind::WrongDirection { key: name },
            };
            return self.problems.push((header.key_at, kind));
        }
        // A list of hundreds spans several lines.
        if name != REPLACES && self.seen.iter().any(|(seen, _)| *seen == name) {
            let kind = ProblemKind::RepeatedHeader { key: name };
            return self.problems.push((header.key_at, kind));
        }
        self.seen.push((name, header.key_at));
        if (key.set)(&mut self.headers, header.value).is_none() {
            let kind = ProblemKind::HeaderValue {
                key: name,
                value: header.value.to_owned(),
                expected: key.expected,
            };
            self.problems.push((header.value_at, kind));
        }
    }

    /// Reports `transaction = on` below sqlx's marker, which contradicts it.
    fn refuse_contradiction(&mut self) {
        let given = self.seen.iter().find(|(key, _)| *key == TRANSACTION);
        if let (Some((key, at)), TransactionMode::On) = (given, self.headers.transaction) {
            let kind = ProblemKind::RepeatedHeader { key };
            self.problems.push((*at, kind));
        }
    }
}

fn put<T>(field: &mut Option<T>, value: Option<T>) -> Option<()> {
    *field = Some(value?);
    Some(())
}

fn set_revises(headers: &mut Headers, value: &str) -> Option<()> {
    let parents = match value {
        "base" => Vec::new(),
        _ => ids(value)?,
    };
    headers.revises = Some(parents);
    Some(())
}

fn set_replaces(headers: &mut Headers, value: &str) -> Option<()> {
    let (by, list) = match value.split_once(':') {
        Some((by, list)) => (Some(by.trim().parse().ok()?), list),
        None => (None, value),
    };
    let replaced = ids(list)?.into_iter();
    let replaced = replaced.map(|id| Replaced { id, by: by.clone() });
    headers.replaces.extend(replaced);
    Some(())
}

fn set_transaction(headers: &mut Headers, value: &str) -> Option<()> {
    headers.transaction = match value {
        "on" => TransactionMode::On,
        "off" => TransactionMode::Off,
        _ => return None,
    };
    Some(())
}

fn set_foreign_keys(headers: &mut Headers, value: &str) -> Option<()> {
    let mode = match value {
        "on" => ForeignKeys::On,
        "off" => ForeignKeys::Off,
        "unchecked" => ForeignKeys::Unchecked,
        _ => return None,
    };
    put(&mut headers.foreign_keys, Some(mode))
}

fn set_vars(headers: &mut Headers, value: &str) -> Option<()> {
    headers.placeholders = match value {
        "on" => Some(Placeholders::NATIVE),
        "dollar" => Some(Placeholders::DOLLAR),
        "off" => None,
        _ => return None,
    };
    Some(())
}

fn ids(value: &str) -> Option<Vec<RevisionId>> {
    value
        .split(',')
        .map(|part| part.trim().parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::revision::testing::ids;

    const DIALECTS: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

    /// Checks headers of an up script without problems.
    fn check<T: PartialEq + std::fmt::Debug>(text: &str, get: fn(Headers) -> T, expected: T) {
        for dialect in DIALECTS {
            let (headers, problems) = read(dialect, Direction::Up, text);
            assert_eq!(problems, [], "{text:?}");
            assert_eq!(get(headers), expected, "{text:?}");
        }
    }

    /// Checks the only problem of a script, at the text that follows `¦`.
    fn check_problem(direction: Direction, text: &str, expected: ProblemKind) {
        let offset = text.find('¦').expect("a mark");
        let text = text.replacen('¦', "", 1);
        for dialect in DIALECTS {
            let (_, problems) = read(dialect, direction, &text);
            assert_eq!(problems, [(offset, expected.clone())], "{text:?}");
        }
    }

    #[test]
    fn the_message_is_the_first_comment_that_is_no_header() {
        let message = |text, expected: Option<&str>| {
            check(text, |h| h.message, expected.map(str::to_owned));
        };
        message("", None);
        message("SELECT 1; -- no\n-- message", None);
        message("-- Add users\n-- and more\nSELECT 1", Some("Add users"));
        message("\u{feff}--Add users  \r\n", Some("Add users"));
        message("\n\n-----\n-- =====\n--\n--- Add users", Some("Add users"));
        message("/*\n * Add users\n */", Some("Add users"));
        message("/*** Add ***/", Some("Add"));
        message("-- migrator: revises=1\n-- Żółć", Some("Żółć"));
        message(
            "-- Copyright 2024 Acme\n-- SPDX-License-Identifier: MIT\n-- Add",
            Some("Add"),
        );
        message("/* (c) Acme. All rights reserved. */\nSELECT 1", None);
        message(
            "/*\n * Licensed under X;\n *\n * you may not\n */\n-- Add",
            Some("Add"),
        );
        message(
            "-- Licensed under X;\n--\n-- you may not\n\n-- Add",
            Some("Add"),
        );
        message(
            "-- License keys get an expiry date",
            Some("License keys get an expiry date"),
        );
        message("-- no-transaction\n-- Add", Some("Add"));
        message("-- -- migrator: revises = 1\n-- Add", Some("Add"));
        message("/* -- migrator: revises = 1 */ -- Add", Some("Add"));
        message(
            "-- we use migrator: it is nice",
            Some("we use migrator: it is nice"),
        );
    }

    #[test]
    fn values() {
        check("-- a", |h| h.revises, None);
        check("-- migrator: revises = base", |h| h.revises, Some(vec![]));
        check("--migrator:revises=1 ,02", |h| h.revises, Some(ids("1 2")));
        check(
            "--\tmigrator:  depends-on =3\r\nX",
            |h| h.depends_on,
            ids("3"),
        );
        check(
            "-- migrator: label = b-1_x",
            |h| h.label,
            Some("b-1_x".to_owned()),
        );
        let reason = Some("data = gone, sorry".to_owned());
        check(
            "-- migrator: irreversible = data = gone, sorry",
            |h| h.irreversible,
            reason,
        );
        let on = TransactionMode::On;
        let off = TransactionMode::Off;
        check("-- migrator: transaction = on", |h| h.transaction, on);
        check("-- migrator: transaction = off", |h| h.transaction, off);
        check(
            "/* x */\n\n-- y\n-- migrator: transaction = off",
            |h| h.transaction,
            off,
        );
        check(
            "/* -- migrator: transaction = off */",
            |h| h.transaction,
            on,
        );
        check(
            "-- migrator: foreign-keys = on",
            |h| h.foreign_keys,
            Some(ForeignKeys::On),
        );
        check(
            "-- migrator: foreign-keys = off",
            |h| h.foreign_keys,
            Some(ForeignKeys::Off),
        );
        let time = |seconds| Some(Duration::from_secs(seconds));
        check(
            "-- migrator: lock-timeout = 5min",
            |h| h.lock_timeout,
            time(300),
        );
        check(
            "-- migrator: statement-timeout = 0",
            |h| h.statement_timeout,
            time(0),
        );
        let batch = "-- migrator: batch\n-- migrator: transaction = off\nDELETE FROM x";
        check(batch, |h| h.message, None);
        let native = Some(Placeholders::NATIVE);
        check("-- migrator: vars = on", |h| h.placeholders, native);
        let dollar = Some(Placeholders::DOLLAR);
        check("-- migrator: vars = dollar", |h| h.placeholders, dollar);
        check("-- migrator: vars = off", |h| h.placeholders, None);
    }

    #[test]
    fn the_marker_of_sqlx_counts_on_the_first_line_only() {
        let transaction = |text, expected| check(text, |h| h.transaction, expected);
        transaction("-- no-transaction", TransactionMode::Off);
        transaction(
            "\u{feff}-- no-transaction: an index\nX",
            TransactionMode::Off,
        );
        transaction(
            "-- no-transaction\n-- migrator: transaction = off",
            TransactionMode::Off,
        );
        transaction("-- no-transactions", TransactionMode::On);
        transaction("\n-- no-transaction", TransactionMode::On);
        transaction("-- x\n-- no-transaction", TransactionMode::On);
        transaction("SELECT 1; -- no-transaction", TransactionMode::On);
        check_problem(
            Direction::Up,
            "-- no-transaction\n-- migrator: ¦transaction = on",
            ProblemKind::RepeatedHeader { key: TRANSACTION },
        );
    }

    #[test]
    fn unknown_and_misplaced_keys() {
        let unknown = |key: &str, nearest| ProblemKind::UnknownHeader {
            key: key.to_owned(),
            nearest,
        };
        let up = Direction::Up;
        check_problem(up, "-- migrator: ¦colour = red", unknown("colour", None));
        check_problem(
            up,
            "\u{feff}-- ż\r\n-- migrator: ¦transactoin=off\r\n",
            unknown("transactoin", Some("transaction")),
        );
        check_problem(
            up,
            "-- migrator: ¦Depends_On = 1",
            unknown("Depends_On", Some("depends-on")),
        );
        check_problem(up, "-- migrator: ¦batches = 1", unknown("batches", None));
        check_problem(
            up,
            "-- migrator: label = a\n-- migrator: ¦label = a",
            ProblemKind::RepeatedHeader { key: LABEL },
        );
        for key in [REVISES, DEPENDS_ON, REPLACES, LABEL, IRREVERSIBLE] {
            check_problem(
                Direction::Down,
                &format!("-- migrator: ¦{key} = 1"),
                ProblemKind::WrongDirection { key },
            );
        }
    }

    #[test]
    fn repeatable_scripts_have_few_headers() {
        for (text, refused) in [
            ("-- migrator: revises = 1", Some((13, REVISES))),
            ("-- migrator: depends-on = 1", Some((13, DEPENDS_ON))),
            ("-- migrator: label = a", Some((13, LABEL))),
            ("-- migrator: replaces = 1", Some((13, REPLACES))),
            ("-- migrator: irreversible = a", Some((13, IRREVERSIBLE))),
            ("-- migrator: transaction = on", Some((13, TRANSACTION))),
            ("-- no-transaction", Some((2, TRANSACTION))),
            ("-- migrator: foreign-keys = on", None),
            ("-- migrator: lock-timeout = 1s", None),
            ("-- migrator: statement-timeout = 1s", None),
            ("-- migrator: vars = on", None),
        ] {
            let (_, problems) = read(Dialect::Postgres, Role::Repeatable, text);
            let expected: Vec<_> = refused
                .map(|(at, key)| (at, ProblemKind::NotRepeatable { key }))
                .into_iter()
                .collect();
            assert_eq!(problems, expected, "{text}");
        }
    }

    #[test]
    fn malformed_lines() {
        for text in [
            "-- migrator: ¦transaction",
            "-- migrator:¦",
            "-- migrator: ¦= off",
            "-- migrator: ¦turn transaction = off",
            "-- ¦Migrator: transaction = off",
            "-- ¦migrator : transaction = off",
        ] {
            check_problem(Direction::Up, text, ProblemKind::HeaderSyntax);
        }
    }

    #[test]
    fn every_key_refuses_wrong_values() {
        let values: &[(&str, &[&str])] = &[
            (REVISES, &["", "x", "1,", "base, 1", "none", "1 2"]),
            (DEPENDS_ON, &["", "base", "-1"]),
            (REPLACES, &["", "base", "1:", ": 1", "1: 2: 3"]),
            (
                LABEL,
                &["", "1x", "a b", "ä", "head", "heads", "base", "current"],
            ),
            (TRANSACTION, &["", "no", "OFF", "off -- why"]),
            (IRREVERSIBLE, &[""]),
            ("phase", &["", "Expand", "both"]),
            ("foreign-keys", &["", "true"]),
            ("lock-timeout", &["", "5", "never"]),
            ("statement-timeout", &["", "1 s"]),
            ("vars", &["", "yes"]),
        ];
        let covered: Vec<_> = values.iter().map(|(key, _)| *key).collect();
        let names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(covered, names);
        for (key, (name, values)) in KEYS.iter().zip(values) {
            for value in *values {
                check_problem(
                    Direction::Up,
                    &format!("-- migrator: {name} =¦{value}"),
                    ProblemKind::HeaderValue {
                        key: key.name,
                        value: (*value).to_owned(),
                        expected: key.expected,
                    },
                );
            }
        }
    }

    #[test]
    fn all_problems_are_found_at_once() {
        let text = "-- migrator: a = 1\n-- migrator: b\n-- migrator: label = 1\nSELECT 1;";
        let (_, problems) = read(Dialect::Sqlite, Direction::Up, text);
        let offsets: Vec<_> = problems.iter().map(|(offset, _)| *offset).collect();
        assert_eq!(offsets, [13, 32, 55]);
    }

    #[test]
    fn headers_below_the_top_block() {
        for text in [
            "SELECT 1;\n¦-- migrator: transaction = off",
            "SELECT 1; ¦--migrator: label = x\r\n",
            "SELECT '-- migrator: x = y';\n¦-- migrator: x",
        ] {
            check_problem(Direction::Up, text, ProblemKind::HeaderBelowTop);
        }
        for text in [
            "SELECT '\n-- migrator: transaction = off\n';",
            "SELECT 1; /*\n-- migrator: transaction = off\n*/",
            "SELECT 1; -- see migrator: transaction",
            "SELECT \"\n-- migrator: transaction = off\"",
        ] {
            check(text, |h| h, Headers::default());
        }
        let dollar = "SELECT $$\n-- migrator: transaction = off\n$$";
        assert_eq!(read(Dialect::Postgres, Direction::Up, dollar).1, []);
        assert_eq!(read(Dialect::Sqlite, Direction::Up, dollar).1.len(), 1);
    }

    #[test]
    fn batches_are_found_wherever_they_stand() {
        let text = "-- migrator: transaction = off\n-- migrator: batch pause=1s\nDELETE FROM x;\n\
             SELECT '\n-- migrator: batch\n';\n  --migrator:batch\r\nDELETE FROM y";
        for dialect in DIALECTS {
            let (headers, problems) = read(dialect, Direction::Up, text);
            assert_eq!(problems, []);
            let found: Vec<_> = headers.batches.iter().collect();
            let texts: Vec<_> = found
                .iter()
                .map(|it| text[it.start..it.end].trim())
                .collect();
            assert_eq!(texts, ["-- migrator: batch pause=1s", "--migrator:batch"]);
            assert_eq!(found[0].pace.pause, Duration::from_secs(1));
            assert_eq!(found[1].pace, Default::default());
        }
    }

    #[test]
    fn a_batch_that_would_not_be_one_is_refused() {
        let off = "-- migrator: transaction = off\n";
        let check = |text: &str, kind| check_problem(Direction::Down, text, kind);
        for almost in ["-- Migrator: batch", "--MIGRATOR : batch pause=1s"] {
            let text = format!("{off}SELECT 1;\n¦{almost}\nDELETE FROM x");
            check(&text, ProblemKind::BatchSyntax);
        }
        for text in [
            "¦-- migrator: batch\nDELETE FROM x",
            "SELECT 1;\n¦-- migrator: batch\nDELETE FROM x",
        ] {
            check(text, ProblemKind::BatchInTransaction);
        }
        let value = ProblemKind::BatchValue {
            option: "pause",
            value: "1".to_owned(),
            expected: "expected a duration such as `50ms`, `5s` or `1min`",
        };
        let text = format!("{off}SELECT 'ż';\n-- migrator: batch ¦pause=1\nDELETE FROM x");
        check(&text, value);
    }

    proptest! {
        #[test]
        fn any_comment_is_read_without_panic(
            lines in prop::collection::vec(
                "(-- ?|/\\*)?(migrator:|Migrator :|no-transaction)? ?([a-z-]{0,12}|revises|label|.{0,6})? ?=?,?.{0,12}",
                0..6,
            ),
            down in any::<bool>(),
        ) {
            let direction = if down { Direction::Down } else { Direction::Up };
            let text = lines.join("\n");
            // The lexer handles the text below the block.
            let end = block::top_block(Dialect::Sqlite, &text).end;
            let (_, problems) = read(Dialect::Sqlite, direction, &text[..end]);
            for (offset, _) in problems {
                prop_assert!(text.is_char_boundary(offset));
            }
        }

        #[test]
        fn headers_are_read_as_written(
            parents in prop::collection::vec("[0-9]{1,25}", 1..4),
            space in "[ \t]{0,3}",
            label in "[A-Za-z][A-Za-z0-9_-]{0,10}",
        ) {
            prop_assume!(is_label(&label));
            let text = format!(
                "--{space}migrator:{space}revises{space}={space}{}{space}\r\n--migrator: label={label}",
                parents.join(&format!("{space},{space}")),
            );
            let (headers, problems) = read(Dialect::Postgres, Direction::Up, &text);
            prop_assert_eq!(problems, []);
            prop_assert_eq!(headers.revises, Some(ids(&parents.join(" "))));
            prop_assert_eq!(headers.label, Some(label));
        }
    }
}
