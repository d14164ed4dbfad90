use super::{Advice, Error, Exit, advised, diagnostic, hinted, plain, run};
use crate::{
    database::{ScratchError, ScratchWay},
    generate::Refusal,
    ops::{Error as E, Outside, SchemaDrift, SeedReport, SourceError},
    report::{Diagnostic, Snippet, codes, drift_sentences},
    schema::{Cycle, PatternError, Schema},
};

impl From<SourceError> for Error {
    fn from(error: SourceError) -> Self {
        let advice: Advice = match &error {
            SourceError::Url(_) => hinted(codes::M870, SOURCES),
            SourceError::Target(_) => hinted(codes::M870, SOURCES),
            SourceError::Read { .. } | SourceError::Seed { .. } => plain(codes::M871),
            SourceError::NoFiles(_) => hinted(codes::M871, "name a directory of .sql files"),
            SourceError::Migrations(_) => hinted(
                codes::M871,
                "`head` is the schema that the project's scripts make",
            ),
            SourceError::OtherDialect(_) => hinted(
                codes::M870,
                "only databases of the configured kind can be compared",
            ),
        };
        advised(advice, error).into()
    }
}

/// What WHAT can be.
const SOURCES: &str =
    "name `live`, a revision such as `head`, a .sql file or a directory (`./schema`), or a URL";

impl From<ScratchError> for Error {
    fn from(error: ScratchError) -> Self {
        let mut found = diagnostic(codes::M872, "no scratch database can be created");
        for (way, reason) in &error.0 {
            let reason = Self::from(reason.clone());
            let said = reason.diagnostics.iter().map(|it| it.message.as_str());
            let said: Vec<&str> = said.collect();
            found.notes.push(format!("{way}: {}", said.join("; ")));
        }
        let is_url = error.0.iter().any(|(way, _)| *way == ScratchWay::Url);
        found.hint = Some(match is_url {
            true => "give the role of scratch-url the right to create databases (`ALTER ROLE … CREATEDB`)".to_owned(),
            false => "set `scratch-url` to a server where databases may be created, or give the role CREATEDB, or install PostgreSQL's server here and run as another user than root".to_owned(),
        });
        found.into()
    }
}

impl From<Outside> for Error {
    fn from(error: Outside) -> Self {
        let found = error.scripts.iter().map(|script| Diagnostic {
            place: Some(Snippet {
                file: script.file.clone(),
                text: Some(script.text.clone().into()),
                offset: Some(script.offset),
                ..Snippet::default()
            }),
            hint: error.on_server.then(|| {
                "set `scratch-url` to a server that is for scratch databases alone".to_owned()
            }),
            ..diagnostic(
                codes::M874,
                format!("a scratch database cannot contain this: it {}", script.does),
            )
        });
        Self::many(found.collect())
    }
}

impl From<Cycle> for Error {
    fn from(error: Cycle) -> Self {
        advised(plain(codes::M875), error).into()
    }
}

/// The error of changes that no statements are known for.
pub(super) fn not_generated(refusals: &[Refusal]) -> Error {
    let found = refusals.iter();
    let found = found.map(|it| diagnostic(codes::M890, format!("{}: {}", it.object, it.reason)));
    Error::many(found.collect())
}

/// The error of scripts that failed in a scratch database, which is gone. Nothing was changed.
pub(super) fn in_scratch(error: E) -> Error {
    let error = match error {
        E::Failed(failure) => run::without_outcome(&failure),
        error => error.into(),
    };
    Error {
        exit: Exit::Failed,
        ..error.note("this happened in a scratch database; the database itself was not touched")
    }
}

/// The error of SQL files, with the names of the files.
pub(super) fn in_files(error: E, names: &[(String, String)]) -> Error {
    let mut error = Error::from(error);
    for diagnostic in &mut error.diagnostics {
        if diagnostic.code == codes::M701.id {
            // What a program prints, and a declared schema, have no headers of scripts.
            diagnostic.hint = Some("fix the statement and run the same command again".to_owned());
        }
        for (name, shown) in names {
            diagnostic.rename(name, shown);
            if let Some(place) = diagnostic
                .place
                .as_mut()
                .filter(|place| place.file == *name)
            {
                place.file.clone_from(shown);
            }
        }
    }
    error
}

/// The findings of a check of the schema.
pub fn drift(drift: &SchemaDrift) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = drift_sentences(drift)
        .into_iter()
        .map(|sentence| diagnostic(codes::M815, sentence))
        .collect();
    if let Some(last) = found.last_mut() {
        last.hint = Some(
            "write a revision that makes the change, or undo it; `migrator schema diff` shows definitions".to_owned(),
        );
        if !drift.pending.is_empty() {
            let pending: Vec<String> = drift.pending.iter().map(ToString::to_string).collect();
            last.notes.push(format!(
                "repeatable scripts that are to run again may explain it: {}",
                pending.join(", ")
            ));
        }
    }
    found
}

/// The error of a pattern on the command line.
pub fn pattern(error: PatternError) -> Error {
    let advice = hinted(
        codes::M001,
        "a pattern is `name`, `schema.name` or `kind:schema.name`, with * and ?",
    );
    advised(advice, error).into()
}

/// Warnings of objects that have no facts, and of facts that the role may not read.
pub fn incomplete(schema: &Schema) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let unmodelled = schema.unmodelled.iter();
    let unmodelled: Vec<String> = unmodelled
        .map(|object| format!("{} {}", object.kind, object.name))
        .collect();
    if !unmodelled.is_empty() {
        found.push(Diagnostic {
            message: format!(
                "left out, since migrator does not model them: {}",
                unmodelled.join(", ")
            ),
            ..Diagnostic::default()
        });
    }
    let unreadable = schema.unreadable.iter();
    let unreadable: Vec<String> = unreadable
        .map(|fact| format!("{} of {}", fact.what, fact.id))
        .collect();
    if !unreadable.is_empty() {
        found.push(Diagnostic {
            message: format!(
                "left out, since the role may not read them: {}",
                unreadable.join(", ")
            ),
            ..Diagnostic::default()
        });
    }
    found
}

/// Warnings of tables for which no rows could be made, and of statements of a seed file that failed.
pub fn not_seeded(report: &SeedReport) -> Vec<Diagnostic> {
    let empty = report.empty.iter().map(|(table, reason)| Diagnostic {
        message: format!("no rows could be made in {table}: {reason}"),
        ..Diagnostic::default()
    });
    let failed = report.failed.iter().map(|(place, reason)| Diagnostic {
        message: format!("{place}: the statement failed: {reason}"),
        ..Diagnostic::default()
    });
    empty.chain(failed).collect()
}

/// The warning that a scratch database was not dropped.
pub fn not_dropped(error: Error) -> Error {
    error.note("the scratch database was not dropped; the next one removes it")
}

/// The warning that the schema file was not written.
pub fn schema_file(error: Error, file: &str) -> Error {
    let reasons = error.diagnostics.iter().map(|it| it.message.as_str());
    let reasons: Vec<&str> = reasons.collect();
    let message = format!(
        "{file}: the schema file was not written: {}",
        reasons.join("; ")
    );
    advised(
        hinted(
            codes::M876,
            format!(
                "the migration is complete; write the file with `migrator schema dump > {file}`"
            ),
        ),
        message,
    )
    .into()
}
