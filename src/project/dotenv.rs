//! Reads the `.env` file beside the configuration. It does not change the process environment.

use std::{cell::Cell, io, path::Path};

use super::{
    problem::{ConfigProblem, ConfigProblemKind as Kind, Origin},
    text::decode,
    trust::{Refused, Trust},
};
use crate::sql::Position;

/// A line of `.env`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct DotenvVariable {
    pub name: String,
    pub value: String,
    pub origin: Origin,
}

/// Reads `path`, displayed as `file`. A missing file is treated as empty.
pub(super) fn read(
    path: &Path,
    file: &str,
    trust: &Trust,
    problems: &mut Vec<ConfigProblem>,
) -> Vec<DotenvVariable> {
    let mut problem = |position, kind| {
        let file = file.to_owned();
        let origin = Origin::File { file, position };
        problems.push(ConfigProblem { origin, kind });
    };
    // A directory with that name is a virtual environment of Python.
    if path.metadata().is_ok_and(|found| found.is_dir()) {
        return Vec::new();
    }
    match trust.read(path) {
        Err(Refused::Io(error)) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Ok(bytes) => match decode(bytes) {
            Ok(text) => parse(&text, file, problems),
            Err(fault) => {
                problem(Some(fault.position), Kind::Text(fault.problem));
                Vec::new()
            }
        },
        Err(Refused::Io(error)) => {
            let reason = error.to_string();
            problem(None, Kind::DotenvUnreadable { reason });
            Vec::new()
        }
        Err(Refused::Distrust(distrust)) => {
            problem(None, Kind::DistrustedDotenv(distrust));
            Vec::new()
        }
    }
}

fn parse(text: &str, file: &str, problems: &mut Vec<ConfigProblem>) -> Vec<DotenvVariable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let read = Cell::new(0);
    let origin = |line: usize, column: usize| Origin::File {
        file: file.to_owned(),
        position: Some(Position {
            line: line as u32 + 1,
            column: column as u32 + 1,
        }),
    };
    let mut variables = Vec::new();
    for item in dotenvy::from_read_iter(Lines {
        lines: &lines,
        read: &read,
        rest: &[],
    }) {
        match item {
            Ok((name, value)) => {
                let (line, column) = definition(&lines[..read.get()], &name);
                let origin = origin(line, column);
                variables.push(DotenvVariable {
                    name,
                    value,
                    origin,
                });
            }
            // The line may contain a secret, and the meaning of its index varies.
            Err(dotenvy::Error::LineParse(wrong, _)) => {
                let line = read.get().saturating_sub(wrong.lines().count().max(1));
                problems.push(ConfigProblem {
                    origin: origin(line, 0),
                    kind: Kind::DotenvSyntax,
                });
            }
            Err(error) => problems.push(ConfigProblem {
                origin: origin(read.get().saturating_sub(1), 0),
                kind: Kind::DotenvUnreadable {
                    reason: error.to_string(),
                },
            }),
        }
    }
    variables
}

/// Returns line and column, from 0, of the last definition of `name` in `lines`.
fn definition(lines: &[&str], name: &str) -> (usize, usize) {
    let column = |line: &str| {
        let start = line.trim_start();
        let start = match start.strip_prefix("export") {
            Some(rest)
                if rest.starts_with(char::is_whitespace) && !rest.trim_start().starts_with('=') =>
            {
                rest.trim_start()
            }
            _ => start,
        };
        let after = start.strip_prefix(name)?;
        after
            .trim_start()
            .starts_with('=')
            .then(|| line[..line.len() - start.len()].chars().count())
    };
    lines
        .iter()
        .enumerate()
        .rev()
        .find_map(|(index, line)| Some((index, column(line)?)))
        .unwrap_or((lines.len().saturating_sub(1), 0))
}

/// A reader that returns one line per read, to track how far the parser has come.
struct Lines<'a> {
    lines: &'a [&'a str],
    read: &'a Cell<usize>,
    rest: &'a [u8],
}

impl io::Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty()
            && let Some(line) = self.lines.get(self.read.get())
        {
            self.rest = line.as_bytes();
            self.read.set(self.read.get() + 1);
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest = &self.rest[count..];
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, variables: &[(&str, &str, &str)], problems: &[&str]) {
        let mut found_problems = Vec::new();
        let found = parse(text, ".env", &mut found_problems);
        let found: Vec<_> = found
            .iter()
            .map(|v| (v.name.as_str(), v.value.as_str(), v.origin.to_string()))
            .collect();
        let expected: Vec<_> = variables
            .iter()
            .map(|(name, value, origin)| (*name, *value, (*origin).to_owned()))
            .collect();
        assert_eq!(found, expected, "{text}");
        let found: Vec<_> = found_problems
            .iter()
            .map(|p| p.origin.to_string())
            .collect();
        assert_eq!(found, problems, "{text}");
    }

    #[test]
    fn variables_and_problems_have_their_lines() {
        check("", &[], &[]);
        check("A=1", &[("A", "1", ".env:1:1")], &[]);
        check("\u{feff}A=1\r\n", &[("A", "1", ".env:1:1")], &[]);
        check(
            "# x\n\n export A = 1 # one\nexport=2\nA=3\n",
            &[
                ("A", "1", ".env:3:9"),
                ("export", "2", ".env:4:1"),
                ("A", "3", ".env:5:1"),
            ],
            &[],
        );
        check(
            "A=\"x\ny\"\nB='$A'\n",
            &[("A", "x\ny", ".env:1:1"), ("B", "$A", ".env:3:1")],
            &[],
        );
        check(
            "A=1\nfoo bar\nB=2\n=x\nC=x y\n",
            &[("A", "1", ".env:1:1"), ("B", "2", ".env:3:1")],
            &[".env:2:1", ".env:4:1", ".env:5:1"],
        );
        check(
            "A=1\nB=\"open\nC=3\n",
            &[("A", "1", ".env:1:1")],
            &[".env:2:1"],
        );
        let long = format!("A={}\nB=2\n", "x".repeat(100_000));
        check(
            &long,
            &[
                ("A", &"x".repeat(100_000), ".env:1:1"),
                ("B", "2", ".env:2:1"),
            ],
            &[],
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[A-Z=\"'# \\\\$\n{}]{0,60}") {
            let mut problems = Vec::new();
            let variables = parse(&text, ".env", &mut problems);
            prop_assert!(variables.len() + problems.len() <= text.lines().count());
        }
    }
}
