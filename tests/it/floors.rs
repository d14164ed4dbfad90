//! Imports between rooms go down only, and rooms on one floor do not know each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The rooms by floor, as ARCHITECTURE.md has them.
const FLOORS: &[&[&str]] = &[
    &["sql", "files"],
    &["revision", "schema"],
    &["layout", "generate", "lint", "seed", "fleet"],
    &["plan", "project", "database", "online"],
    &["backup", "execute", "model"],
    &["ops"],
    &["report", "library"],
    &["cli"],
];

/// Crates that only some rooms may use.
const KEPT: &[(&str, &[&str])] = &[
    ("clap", &["cli"]),
    ("squawk_syntax", &["lint"]),
    ("sqlx", &["database"]),
    ("rusqlite", &["database"]),
    ("console", &["report", "cli"]),
    ("indicatif", &["report"]),
    ("toml", &["project"]),
    ("zstd", &["database"]),
    ("tokio", &["database", "execute", "model", "ops", "cli"]),
];

fn floors() -> BTreeMap<&'static str, usize> {
    let rooms = FLOORS.iter().enumerate();
    rooms
        .flat_map(|(floor, rooms)| rooms.iter().map(move |room| (*room, floor)))
        .collect()
}

/// Every `.rs` file below `dir` that is no test module, with its text.
fn sources(dir: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") && !is_test_module(&path) {
            found.push((
                path.display().to_string(),
                fs::read_to_string(&path).unwrap(),
            ));
        }
    }
}

/// The sources in a directory of the package, with their paths.
fn sources_in(directory: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    sources(&directory, &mut files);
    files
}

/// A file that is compiled for tests only.
fn is_test_module(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.is_some_and(|stem| stem == "tests" || stem == "testing" || stem.ends_with("_tests"))
}

/// The code without its test modules and comments: tests may look anywhere.
fn code(text: &str) -> String {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms that `code` names as `crate::room`, also in `use crate::{a::X, b::Y}`.
fn imported(code: &str, rooms: &BTreeMap<&'static str, usize>) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let names: Vec<&str> = if let Some(group) = rest.strip_prefix('{') {
            top_level(group)
        } else {
            vec![rest]
        };
        for name in names {
            let name = name.trim_start();
            let end = name
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(name.len());
            found.extend(rooms.keys().find(|room| **room == &name[..end]));
        }
    }
    found
}

/// The parts of `a::X, b::{Y, Z}}…` up to the closing brace.
fn top_level(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&group[start..at]);
                return parts;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

fn room_of(path: &str) -> Option<&str> {
    let inside = path.split("src/").nth(1)?;
    inside.split_once('/').map(|(room, _)| room)
}

#[test]
fn imports_go_down_only() {
    let floors = floors();
    let files = sources_in("src");
    let mut checked = 0;
    for (path, text) in &files {
        let Some(room) = room_of(path) else { continue };
        let floor = floors
            .get(room)
            .unwrap_or_else(|| panic!("{path}: no floor for `{room}`"));
        for other in imported(&code(text), &floors) {
            checked += 1;
            let fine = other == room || floors[other] < *floor;
            assert!(fine, "{path}: `{room}` must not know `{other}`");
        }
    }
    assert!(
        checked > 50,
        "only {checked} imports were found; does the check still see them?"
    );
}

/// The modules of `cli` by floor: none of them imports one of its own floor or above.
const CLI: &[&[&str]] = &[
    &["child", "deferred", "memory", "pager", "place", "roots"],
    &["editor", "options"],
    &["context"],
    &["backup", "confirm"],
    &["commands"],
    &["help"],
    &["args"],
    &["complete"],
];

/// The modules named after `prefix` in `code`, also in groups.
fn named_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        let rest = &code[at + prefix.len()..];
        let names = match rest.strip_prefix('{') {
            Some(group) => top_level(group),
            None => vec![rest],
        };
        found.extend(names.iter().map(|name| {
            let name = name.trim_start();
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
            name[..end.unwrap_or(name.len())].to_owned()
        }));
    }
    found
}

#[test]
fn modules_of_the_command_line_form_no_circle() {
    let floor = |module: &str| CLI.iter().position(|floor| floor.contains(&module));
    let cli = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
    let files = sources_in("src/cli");
    let mut checked = 0;
    for (path, text) in &files {
        let inside = Path::new(path).strip_prefix(&cli).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap();
        let module = module.trim_end_matches(".rs");
        if module == "mod" {
            continue;
        }
        let own = floor(module).unwrap_or_else(|| panic!("{path}: no floor for `{module}`"));
        let code = code(text);
        let mut used = named_after(&code, "cli::");
        let is_child_of_cli = inside.iter().count() == 1 || inside.ends_with("mod.rs");
        if is_child_of_cli {
            used.extend(named_after(&code, "super::"));
        }
        for other in used.iter().filter(|other| *other != module) {
            let Some(other_floor) = floor(other) else {
                continue;
            };
            checked += 1;
            assert!(
                other_floor < own,
                "{path}: `{module}` must not know `{other}`"
            );
        }
    }
    assert!(checked > 40, "only {checked} imports were found");
}

#[test]
fn crates_stay_in_their_rooms() {
    let files = sources_in("src");
    for (path, text) in &files {
        let Some(room) = room_of(path) else { continue };
        for (name, rooms) in KEPT {
            let used = code(text).contains(&format!("{name}::"));
            assert!(
                !used || rooms.contains(&room),
                "{path}: `{name}` belongs into {rooms:?}"
            );
        }
    }
}

/// What is done in one place only, and where: text leaves by one writer, files are opened by one
/// helper that looks at their type.
const ONE_PLACE: &[(&str, &[&str])] = &[
    ("println!(", &[]),
    ("eprint!(", &[]),
    ("eprintln!(", &[]),
    (" print!(", &[]),
    ("stdout().lock()", &["report/out.rs"]),
    ("stderr().lock()", &["report/out.rs"]),
    (".write_line(", &["report/live.rs"]),
    (" File::open(", &[]),
    ("::File::open(", &[]),
    ("fs::read(", &[]),
    ("fs::write(", &[]),
    ("fs::read_to_string(", &[]),
];

#[test]
fn text_and_files_go_through_one_place() {
    let files = sources_in("src");
    for (path, text) in &files {
        let code = code(text);
        let code = code.split("#[cfg(all(test").next().unwrap_or_default();
        for (what, places) in ONE_PLACE {
            let is_there = places.iter().any(|place| path.ends_with(place));
            assert!(
                is_there || !code.contains(what),
                "{path}: `{what}` is done in {places:?} only; see report/out.rs and files/"
            );
        }
    }
}

/// Where dialects may be told apart. A third one is new files below these directories, and an arm in
/// each of these files.
const DIALECT_ROOMS: &[&str] = &[
    "sql/dialect.rs",
    "sql/dialect/",
    "schema/postgres/",
    "schema/sqlite/",
    "generate/mod.rs",
    "generate/postgres/",
    "generate/sqlite/",
    "lint/predict/mod.rs",
    "lint/rules/postgres/",
    "lint/rules/sqlite/",
    "lint/rules/both/",
    "lint/text/",
    "seed/mod.rs",
    "seed/postgres/",
    "seed/sqlite/",
    "database/engine.rs",
    "database/postgres/",
    "database/sqlite/",
    // For tests only.
    "database/fake.rs",
];

/// What tells dialects apart. The text before each is no part of a word.
const TELLS_APART: &[&str] = &[
    "Dialect::Postgres",
    "Dialect::Sqlite",
    "Location::Postgres",
    "Location::Sqlite",
    "\"postgres:",
    "\"sqlite:\"",
];

/// Whether a line decides by a dialect: a match on it, or a comparison with one.
fn decides_by_dialect(line: &str) -> bool {
    let is_match = line
        .split_once("match ")
        .and_then(|(_, of)| of.strip_suffix(" {"))
        .is_some_and(|of| {
            let last = of.rsplit(['.', ' ', '(', '*', '&']).next();
            let called = of.strip_suffix("dialect()").is_some();
            last == Some("dialect") || called
        });
    let named = ["Postgres", "Sqlite"].iter().any(|name| {
        let compared = [format!("== {name}"), format!("!= {name}")];
        compared.iter().any(|it| line.contains(it.as_str()))
    });
    is_match || named || TELLS_APART.iter().any(|it| line.contains(it))
}

/// Whether a line has a literal that looks like an SQLSTATE, or like the beginning of some: five
/// digits and capitals, with a digit among the first two; or a class, as in `starts_with("42")`.
fn has_sqlstate(line: &str) -> bool {
    let literals = line.split('"').skip(1).step_by(2);
    let mut codes = literals.clone().filter(|it| {
        it.len() == 5
            && it
                .bytes()
                .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
            && it.bytes().any(|b| b.is_ascii_digit())
    });
    let is_class = |it: &str| it.len() == 2 && it.bytes().all(|b| b.is_ascii_digit());
    let by_class = line.contains("starts_with(\"") && literals.clone().any(is_class);
    codes.next().is_some() || by_class
}

/// The lines of the code outside `rooms` that `is_wrong`, with their places.
fn lines_outside(rooms: &[&str], is_wrong: fn(&str) -> bool) -> Vec<String> {
    let files = sources_in("src");
    let mut found = Vec::new();
    for (path, text) in &files {
        let inside = path.split("src/").nth(1).unwrap_or(path);
        if rooms.iter().any(|room| inside.starts_with(room)) {
            continue;
        }
        let code = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let line = line.trim();
            if !line.starts_with("//") && is_wrong(line) {
                found.push(format!("src/{inside}:{}: {line}", number + 1));
            }
        }
    }
    found
}

/// Whether a line names a code, as `"M701"`.
fn names_a_code(line: &str) -> bool {
    line.split('"').skip(1).step_by(2).any(|it| {
        let digits = it.strip_prefix('M');
        digits.is_some_and(|it| it.len() == 3 && it.bytes().all(|b| b.is_ascii_digit()))
    })
}

#[test]
fn codes_come_from_their_table() {
    let found = lines_outside(&["report/codes.rs"], names_a_code);
    assert!(
        found.is_empty(),
        "take it from report/codes.rs instead:\n{}",
        found.join("\n")
    );
    assert!(names_a_code("code: \"M701\",") && !names_a_code("codes::M701.id, \"M7\""));
}

#[test]
fn names_are_compared_in_one_place() {
    let found = lines_outside(&["nearest.rs"], |line| line.contains("strsim::"));
    assert!(
        found.is_empty(),
        "ask `crate::nearest` instead:\n{}",
        found.join("\n")
    );
}

#[test]
fn hints_are_not_patched() {
    let files = sources_in("src/report/error");
    assert!(files.len() > 5, "where are the errors?");
    for (path, text) in &files {
        let patches = code(text).contains(".replace(") || code(text).contains(".replacen(");
        assert!(!patches, "{path}: make the text with what it names");
    }
}

/// What writers of scripts implement: nothing that a script has no use for.
const OF_WRITERS: &[&str] = &["Ledger", "Runner", "ScriptWriter"];

#[test]
fn writers_of_scripts_implement_what_they_do() {
    for dialect in ["postgres", "sqlite"] {
        let path = format!("src/database/{dialect}/script.rs");
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).unwrap();
        let code = code(&text);
        let implemented = code.lines().filter_map(|line| {
            let (of, _) = line.strip_prefix("impl ")?.split_once(" for ")?;
            Some(of)
        });
        let mut implemented: Vec<_> = implemented.collect();
        implemented.sort_unstable();
        assert_eq!(implemented, OF_WRITERS, "{path}");
        assert!(
            !code.contains(".replacen("),
            "{path}: patches what it wrote"
        );
    }
}

#[test]
fn dialects_are_told_apart_in_their_rooms_only() {
    let found = lines_outside(DIALECT_ROOMS, decides_by_dialect);
    assert!(
        found.is_empty(),
        "ask the dialect or the location a question instead:\n{}",
        found.join("\n")
    );
}

#[test]
fn sqlstates_stay_with_postgres() {
    let found = lines_outside(&["database/postgres/"], has_sqlstate);
    assert!(
        found.is_empty(),
        "give the error a kind instead:\n{}",
        found.join("\n")
    );
}

#[test]
fn what_tells_dialects_apart_is_recognised() {
    for wrong in [
        "let end = match dialect {",
        "Some(match self.dialect {",
        "match session.dialect() {",
        "if dialect == Dialect::Sqlite {",
        "TokenKind::String if dialect != Postgres => return None,",
        "Location::Sqlite(file) => file,",
        "place.starts_with(\"postgres:\")",
        "let path = text.strip_prefix(\"sqlite:\");",
    ] {
        assert!(decides_by_dialect(wrong), "{wrong}");
    }
    for fine in [
        "match self.reader(dialect, false) {",
        "let known = self.dialect == other.dialect;",
        "if !dialect.capabilities().replicas {",
        "hint(\"name a file: sqlite:app.db\")",
    ] {
        assert!(!decides_by_dialect(fine), "{fine}");
    }
    for wrong in [
        "failure.code.as_deref() == Some(\"57014\")",
        "const IN_USE: &str = \"55P03\";",
        "const OURS: &str = \"MG001\";",
        "code.starts_with(\"42\")",
    ] {
        assert!(has_sqlstate(wrong), "{wrong}");
    }
    for fine in ["words.eat(\"BEGIN\")", "\"M607\"", "let n = 57014;"] {
        assert!(!has_sqlstate(fine), "{fine}");
    }
}

#[test]
fn main_stays_small() {
    let main =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs")).unwrap();
    assert!(main.lines().count() < 40);
}

#[test]
fn stable_sorts_share_one_copy() {
    let files = sources_in("src");
    let mut seen = 0;
    for (path, text) in &files {
        let code = code(text);
        let is_own = code.contains(".sort_by(") || code.contains(".sort_by_key(");
        assert!(
            !is_own || path.ends_with("src/arrange.rs"),
            "{path}: `arrange_by` and `arrange_by_key` of src/arrange.rs take 5 KB less each"
        );
        seen += usize::from(code.contains(".arrange_by"));
    }
    assert!(
        seen > 40,
        "only {seen} files sort; does the check still see them?"
    );
}
