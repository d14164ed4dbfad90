use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::{
    ModelRequest, Program,
    interpreter::{Surroundings, node_file, python},
};
use crate::{project::ModelSource, sql::Dialect};

/// The beginning of the programs in Python.
const PRELUDE: &str = include_str!("programs/prelude.py");
const SQLALCHEMY: &str = include_str!("programs/sqlalchemy.py");
const DJANGO: &str = include_str!("programs/django.py");
const DRIZZLE: &str = include_str!("programs/drizzle.cjs");

const PRISMA: &str = include_str!("programs/prisma.cjs");

/// Where drizzle-kit and Prisma are in `node_modules`.
const DRIZZLE_KIT: &str = "drizzle-kit/bin.cjs";
const PRISMA_CLI: &str = "prisma/build/index.js";
const PRISMA_ENGINE: &str = "@prisma/schema-engine-wasm/schema_engine_bg.js";

/// The program that prints the DDL of an ORM's models; `None` if the source is none of an ORM.
pub fn program(source: &ModelSource, dialect: Dialect, request: &ModelRequest) -> Option<Program> {
    let root = &request.root;
    match source {
        ModelSource::SqlAlchemy(object) => {
            Some(in_python(SQLALCHEMY, source, object, dialect, root))
        }
        ModelSource::Django(settings) => Some(in_python(DJANGO, source, settings, dialect, root)),
        ModelSource::Drizzle(path) => Some(drizzle(path, dialect, root)),
        ModelSource::Prisma(path) => Some(prisma(path, dialect, root)),
        ModelSource::Sql(_) | ModelSource::Command(_) | ModelSource::Url(_) => None,
    }
}

fn in_python(
    program: &str,
    source: &ModelSource,
    argument: &str,
    dialect: Dialect,
    root: &Path,
) -> Program {
    let interpreter = python(root, &Surroundings::read());
    let mut words = interpreter.words;
    words.push("-c".into());
    words.push(format!("{PRELUDE}\n\n{program}").into());
    words.push(dialect.name().into());
    words.push(argument.into());
    Program {
        shown: format!("{} ({} = {argument})", interpreter.shown, source.key()),
        words,
        // Reading a model writes no files.
        variables: vec![("PYTHONDONTWRITEBYTECODE".to_owned(), "1".into())],
        input: None,
    }
}

fn drizzle(path: &Path, dialect: Dialect, root: &Path) -> Program {
    let bin = installed(root, DRIZZLE_KIT);
    let mut words: Vec<OsString> = ["node", "-e", DRIZZLE].map(OsString::from).into();
    words.extend([bin.into(), dialect.name().into(), "export".into()]);
    let name = path.file_name().map(|name| name.to_string_lossy());
    let is_config = name.is_some_and(|name| name.starts_with("drizzle.config."));
    words.push(option(
        if is_config { "--config" } else { "--schema" },
        below(root, path),
    ));
    Program {
        shown: format!(
            "drizzle-kit export (drizzle = {})",
            below(root, path).display()
        ),
        words,
        variables: Vec::new(),
        input: None,
    }
}

fn prisma(path: &Path, dialect: Dialect, root: &Path) -> Program {
    let mut words: Vec<OsString> = ["node", "-e", PRISMA, dialect.name()]
        .map(OsString::from)
        .into();
    words.push(below(root, path).into());
    words.push(installed(root, PRISMA_CLI).into());
    let engine = installed(root, PRISMA_ENGINE);
    words.push(engine.parent().unwrap_or(&engine).into());
    Program {
        shown: format!(
            "prisma migrate diff (prisma = {})",
            below(root, path).display()
        ),
        words,
        // It looks for updates.
        variables: vec![("CHECKPOINT_DISABLE".to_owned(), "1".into())],
        input: None,
    }
}

/// The file of an installed package; where it would be if it is not installed.
fn installed(root: &Path, file: &str) -> PathBuf {
    let found = node_file(root, file);
    found.unwrap_or_else(|| root.join("node_modules").join(file))
}

/// The path from the directory of the project, in which programs run.
fn below<'a>(root: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push("=");
    option.push(path);
    option
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn programs_name_their_source() {
        let dir = tempfile::tempdir().unwrap();
        let request = ModelRequest {
            root: dir.path().to_owned(),
            timeout: Duration::from_secs(60),
        };
        let file = |name: &str| dir.path().join(name);
        let cases = [
            (
                ModelSource::SqlAlchemy("app.models:Base".to_owned()),
                "(sqlalchemy = app.models:Base)",
            ),
            (
                ModelSource::Django("shop.settings".to_owned()),
                "(django = shop.settings)",
            ),
            (
                ModelSource::Drizzle(file("src/a.ts")),
                "drizzle-kit export (drizzle = src/a.ts)",
            ),
            (
                ModelSource::Prisma(file("a.prisma")),
                "prisma migrate diff (prisma = a.prisma)",
            ),
        ];
        for (source, shown) in cases {
            let program = program(&source, Dialect::Sqlite, &request).unwrap();
            assert!(program.shown.ends_with(shown), "{}", program.shown);
        }
        let none = program(&ModelSource::Sql(Vec::new()), Dialect::Sqlite, &request);
        assert!(none.is_none());
    }

    #[test]
    fn drizzle_takes_a_schema_or_a_configuration() {
        let option = |name: &str| {
            let program = drizzle(Path::new(name), Dialect::Sqlite, Path::new("/shop"));
            program.words.last().unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(option("/shop/src/schema.ts"), "--schema=src/schema.ts");
        assert_eq!(
            option("/shop/drizzle.config.ts"),
            "--config=drizzle.config.ts"
        );
    }
}
