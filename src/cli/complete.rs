//! Completion of values: `migrator __complete WORDS` prints what the last word can become. The scripts of
//! `completions` run it; names of commands and options they know themselves.

use std::ffi::OsString;

use super::{
    args::{self, Args},
    context::Context,
    place::{Kind, place},
};
use crate::{
    ops,
    report::{self, Page, codes::CODES, error::Error},
};

/// The first argument that leads here. It is not a command: no help lists it.
pub const COMMAND: &str = "__complete";

/// A value, and what it is.
type Candidate = (String, String);

/// Prints the values that the last of `words` can become, a line each, with a description behind a tab.
/// What cannot be read offers nothing.
pub fn print(words: &[OsString]) {
    let words: Vec<_> = words.iter().map(|it| it.to_string_lossy()).collect();
    let words: Vec<_> = words.iter().map(AsRef::as_ref).collect();
    let Some((typed, before)) = words.split_last() else {
        return;
    };
    let mut root = args::command();
    root.build();
    let Some((kind, global)) = place(&root, before, typed) else {
        return;
    };
    let values = values(kind, &global, typed).unwrap_or_default();
    let mut text = String::new();
    for (value, about) in values {
        if value.starts_with(typed) && value.chars().all(is_plain) {
            let line = Page::of(about).to_string();
            text.push_str(&format!("{value}\t{}\n", line.lines().next().unwrap_or("")));
        }
    }
    report::print_exact(text.as_bytes());
}

/// Whether no shell sees more in it than a character.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "_.@+-".contains(c)
}

fn values(kind: Kind, global: &[String], typed: &str) -> Result<Vec<Candidate>, Error> {
    if kind == Kind::Code {
        let codes = CODES.iter();
        let codes = codes.map(|code| (code.id.to_owned(), code.title.to_owned()));
        return Ok(codes.collect());
    }
    let line = ["migrator"]
        .into_iter()
        .chain(global.iter().map(String::as_str));
    let Ok((args, name)) = Args::read(line.chain(["-q", "heads"])) else {
        return Ok(Vec::new());
    };
    let context = Context::load(&args.global, Vec::new(), args.global.output(&name))?;
    match kind {
        Kind::Code => Ok(Vec::new()),
        Kind::Environment => {
            let names = context.config.environments.iter();
            Ok(names.map(|name| (name.clone(), String::new())).collect())
        }
        Kind::Template => {
            let report = ops::list_templates(&context.project)?;
            let templates = report.templates.into_iter();
            Ok(templates.map(|one| (one.name, one.about)).collect())
        }
        Kind::Revision => revisions(&context, typed),
    }
}

/// IDs, newest first, and names of targets; slugs once a letter is typed.
fn revisions(context: &Context, typed: &str) -> Result<Vec<Candidate>, Error> {
    let history = context.project.history(context.dialect()?)?;
    let by_slug = typed.starts_with(|c: char| c.is_alphabetic());
    let mut found = Vec::new();
    for revision in history.in_order().rev() {
        let (id, about) = (revision.id.to_string(), revision.message.clone());
        if by_slug {
            found.push((revision.slug.clone(), format!("{id} {about}")));
        }
        if let Some(label) = &revision.label {
            found.push((format!("{label}@head"), format!("the head of {label}")));
        }
        found.push((id, about));
    }
    for (name, about) in [
        ("head", "the only head"),
        ("heads", "all heads"),
        ("base", "before the first revision"),
        ("current", "where the database is"),
    ] {
        found.push((name.to_owned(), about.to_owned()));
    }
    Ok(found)
}
