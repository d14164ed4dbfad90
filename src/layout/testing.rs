//! Helpers for tests of the tools.

use std::sync::Arc;

use super::{FaultKind, FileKind, Holds, Layout, read, sort_out};
use crate::{
    revision::Script,
    sql::{Dialect, position},
};

/// Checks the kind of each name: `ID SLUG up`, `ID SLUG both`, `other` or `refused`.
pub fn check_names(layout: Layout, names: &[(&str, &str)]) {
    for (name, expected) in names {
        let found = describe(&sort_out(layout, Dialect::Postgres, &[name])[0]);
        assert_eq!(found, *expected, "{name}");
    }
}

pub fn describe(kind: &FileKind) -> String {
    match kind {
        FileKind::Script(script) => {
            let holds = match script.holds {
                Holds::One(direction) => direction.as_str(),
                Holds::Both => "both",
            };
            let after = script.parents.as_ref().map_or(String::new(), |parents| {
                let parents: Vec<_> = parents.iter().map(ToString::to_string).collect();
                format!(" after {}", parents.join(" "))
            });
            format!("{} {} {holds}{after}", script.id, script.slug)
        }
        FileKind::Repeatable(id) => id.to_string(),
        FileKind::Other => "other".to_owned(),
        FileKind::Refused(_) => "refused".to_owned(),
    }
}

/// Returns the scripts of a file, or its problems: `line:column words`.
pub fn read_all(
    layout: Layout,
    name: &str,
    text: &str,
    settings: Option<&str>,
) -> Result<Vec<Script>, Vec<String>> {
    let FileKind::Script(file) = &sort_out(layout, Dialect::Postgres, &[name])[0] else {
        panic!("{name} is not a script");
    };
    let text: Arc<str> = text.into();
    read(layout, Dialect::Postgres, file, name, &text, settings).map_err(|faults| {
        let show = |fault: super::Fault| {
            let text = if fault.in_settings {
                settings.unwrap()
            } else {
                &*text
            };
            let place = fault.offset.map_or(String::new(), |offset| {
                let at = position(text, offset);
                format!("{}:{} ", at.line, at.column)
            });
            match fault.kind {
                FaultKind::Layout(problem) => format!("{place}{problem}"),
                FaultKind::Script(problem) => format!("{place}{problem}"),
            }
        };
        faults.into_iter().map(show).collect()
    })
}

/// Returns the only script of a file.
pub fn read_one(layout: Layout, name: &str, text: &str) -> Script {
    let mut scripts = read_all(layout, name, text, None).unwrap();
    assert_eq!(scripts.len(), 1);
    scripts.remove(0)
}

/// Checks the scripts of a file as separate files, each below its direction, and as parts of the
/// file.
pub fn check_cut(layout: Layout, name: &str, text: &str, expected: &str) {
    let scripts = read_all(layout, name, text, None).unwrap();
    let mut found = String::new();
    for script in &scripts {
        found += &format!("{}:\n{}", script.direction, script.alone());
        assert_eq!(script.text.len(), text.len());
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            let alone =
                Script::parse(dialect, script.direction, name, Arc::clone(script.alone())).unwrap();
            assert_eq!(alone.checksum(dialect), script.checksum(dialect), "{text}");
        }
    }
    assert_eq!(found, expected, "{text}");
}

/// Checks the only problem of a file.
pub fn check_fault(layout: Layout, name: &str, text: &str, expected: &str) {
    let found = read_all(layout, name, text, None).unwrap_err();
    assert_eq!(found, [expected], "{text}");
}
