use std::{fs, path::Path};

use chrono::DateTime;

use super::*;
use crate::project::Reading;
use crate::{revision::RevisionId, sql::Dialect};

fn id(text: &str) -> RevisionId {
    text.parse().unwrap()
}

/// Renders with templates in `files`; `change` adapts the request.
fn render_with(
    files: &[(&str, &str)],
    name: Option<&str>,
    change: impl FnOnce(&mut TemplateRequest<'_>),
) -> Result<Rendered, TemplateError> {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in files {
        fs::write(dir.path().join(file), text).unwrap();
    }
    let (own, parent) = (id("20261122093000"), [id("7")]);
    let mut request = TemplateRequest {
        id: &own,
        message: "Add users",
        slug: "add_users",
        revises: &parent,
        depends_on: &[],
        label: None,
        irreversible: None,
        transaction: true,
        phase: None,
        date: DateTime::from_timestamp(1_795_340_000, 0).unwrap(),
        dialect: Dialect::Sqlite,
        author: "ada@example",
    };
    change(&mut request);
    render(dir.path(), name, &request)
}

fn head(script: &str) -> &str {
    script.split("\n\n").next().unwrap()
}

#[test]
fn the_built_in_templates_write_every_header() {
    let plain = render_with(&[], None, |_| {}).unwrap();
    assert_eq!(head(&plain.up), "-- Add users\n-- migrator: revises = 7");
    assert!(plain.up.ends_with("transaction.\n"), "{}", plain.up);
    let down = plain.down.unwrap();
    assert_eq!(head(&down), "-- Revert: Add users");
    assert!(down.ends_with('\n'));

    let root = render_with(&[], None, |request| request.revises = &[]).unwrap();
    assert_eq!(head(&root.up), "-- Add users\n-- migrator: revises = base");

    let (two, other) = ([id("7"), id("8")], [id("3")]);
    let dir = tempfile::tempdir().unwrap();
    let request = TemplateRequest {
        id: &id("9"),
        message: " Join\nthe\tbranches ",
        slug: "join",
        revises: &two,
        depends_on: &other,
        label: Some("billing"),
        irreversible: Some("rows are\ndeleted"),
        transaction: true,
        phase: None,
        date: DateTime::UNIX_EPOCH,
        dialect: Dialect::Postgres,
        author: "",
    };
    let full = render(dir.path(), None, &request).unwrap();
    assert_eq!(
        head(&full.up),
        "-- Join the branches\n-- migrator: revises = 7, 8\n-- migrator: depends-on = 3\n\
         -- migrator: label = billing\n-- migrator: irreversible = rows are deleted"
    );
    assert_eq!(full.down, None);
}

#[test]
fn every_built_in_template_renders() {
    let names: Vec<_> = list(Path::new("/nowhere/at/all"))
        .unwrap()
        .into_iter()
        .map(|info| {
            assert_eq!(info.source, TemplateSource::BuiltIn);
            assert!(!info.about.is_empty(), "{}", info.name);
            info.name
        })
        .collect();
    assert_eq!(
        names,
        [
            "autogenerate",
            "default",
            "index-concurrently",
            "merge",
            "sqlite-rebuild"
        ]
    );
    for name in &names {
        let rendered = render_with(&[], Some(name), |request| {
            request.dialect = if name == "index-concurrently" {
                Dialect::Postgres
            } else {
                Dialect::Sqlite
            };
        });
        let rendered = rendered.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(rendered.up.contains("-- migrator: revises = 7\n"), "{name}");
        assert!(rendered.down.is_some(), "{name}");
    }
}

#[test]
fn templates_of_the_project_take_their_place() {
    let up = "-- {{ message }}\n{{ headers }}\n-- {{ id }} {{ slug }} {{ revises | join('+') }} \
              {{ date }} {{ dialect }} {{ author }} {{ label or 'none' }}\n";
    let rendered = render_with(&[("up.sql.jinja", up)], None, |_| {}).unwrap();
    assert_eq!(
        rendered.up,
        "-- Add users\n-- migrator: revises = 7\n-- 20261122093000 add_users 7 \
         2026-11-22 09:33:20 UTC sqlite ada@example none\n"
    );
    let own = [("own.up.sql.jinja", "-- own <&>\n{{ headers }}\n")];
    let rendered = render_with(&own, Some("own"), |_| {}).unwrap();
    assert_eq!(rendered.up, "-- own <&>\n-- migrator: revises = 7\n");
    assert!(rendered.down.unwrap().starts_with("-- Revert: Add users\n"));
}

#[test]
fn the_list_names_the_projects_own() {
    let dir = tempfile::tempdir().unwrap();
    for file in [
        "own.up.sql.jinja",
        "merge.up.sql.jinja",
        "x.down.sql.jinja",
        "README.md",
    ] {
        fs::write(dir.path().join(file), "").unwrap();
    }
    let found: Vec<_> = list(dir.path())
        .unwrap()
        .into_iter()
        .map(|info| (info.name, info.source))
        .collect();
    let project = |file: &str| TemplateSource::Project(dir.path().join(file));
    let expected = [
        ("autogenerate", TemplateSource::BuiltIn),
        ("default", TemplateSource::BuiltIn),
        ("index-concurrently", TemplateSource::BuiltIn),
        ("merge", project("merge.up.sql.jinja")),
        ("own", project("own.up.sql.jinja")),
        ("sqlite-rebuild", TemplateSource::BuiltIn),
    ];
    assert_eq!(
        found,
        expected.map(|(name, source)| (name.to_owned(), source))
    );
}

#[test]
fn templates_fail_with_their_place() {
    let check = |text: &str, expected_line: usize| {
        let error = render_with(&[("up.sql.jinja", text)], None, |_| {}).unwrap_err();
        let TemplateError::Template { file, line, .. } = &error else {
            panic!("{error:?}");
        };
        assert!(file.ends_with("up.sql.jinja"), "{file}");
        assert_eq!(*line, expected_line, "{error}");
    };
    check("-- a\n{{ headers }}\n{{ mesage }}\n", 3);
    check("-- a\n{% if %}\n", 2);
    check("-- a\n\n{{ id | nothing }}\n", 3);
}

#[test]
fn what_a_template_makes_is_read_back() {
    let lost = |text: &str, change: fn(&mut TemplateRequest<'_>), expected: &str| {
        let error = render_with(&[("up.sql.jinja", text)], None, change).unwrap_err();
        let TemplateError::LostHeader { key, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(key, expected, "{text}");
    };
    lost("-- {{ message }}\n", |_| {}, "revises");
    lost("-- migrator: revises = 8\n", |_| {}, "revises");
    let only = "-- migrator: revises = {{ revises | join(', ') }}\n";
    lost(only, |request| request.label = Some("a"), "label");
    lost(
        only,
        |request| request.irreversible = Some("a"),
        "irreversible",
    );
    let wrong = "{{ headers }}\n-- migrator: colour = red\n";
    let error = render_with(&[("up.sql.jinja", wrong)], None, |_| {}).unwrap_err();
    assert!(matches!(error, TemplateError::Script { .. }), "{error:?}");
}

#[test]
fn a_message_is_never_a_header() {
    for message in [
        "migrator: label = x",
        " Migrator: x",
        "no-transaction",
        "No-Transaction x",
    ] {
        let error = render_with(&[], None, |request| request.message = message).unwrap_err();
        assert!(matches!(error, TemplateError::Message { .. }), "{message}");
    }
    let rendered = render_with(&[], None, |request| {
        request.message = "x\r\n;DROP TABLE a\u{0}\u{85}--";
    });
    assert_eq!(
        head(&rendered.unwrap().up),
        "-- x ;DROP TABLE a --\n-- migrator: revises = 7"
    );
}

#[test]
fn unknown_templates_name_the_nearest() {
    let check = |name: &str, expected: Option<&str>| {
        let error = render_with(&[], Some(name), |_| {}).unwrap_err();
        let TemplateError::Unknown { nearest, .. } = error else {
            panic!("{error:?}");
        };
        assert_eq!(nearest.as_deref(), expected, "{name}");
    };
    check("merg", Some("merge"));
    check("something", None);
    check("../up", None);
    check("", None);
}

#[test]
fn init_makes_a_project_that_loads() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path().join("new/app");
    let made = init(&at, None).unwrap();
    let shown: Vec<_> = made
        .iter()
        .map(|path| path.strip_prefix(dir.path()).unwrap().display().to_string())
        .collect();
    assert_eq!(
        shown,
        [
            "new",
            "new/app",
            "new/app/migrator.toml",
            "new/app/.gitignore",
            "new/app/migrations",
            "new/app/migrations/.gitkeep",
            "new/app/templates",
            "new/app/templates/README.md",
        ]
    );
    let history = read(&at.join("migrations"), "m", &Reading::new(Dialect::Sqlite));
    assert_eq!(history.unwrap(), []);
    let again = init(&at, None);
    assert!(matches!(again, Err(InitError::Exists(_))), "{again:?}");
}

#[test]
fn init_overwrites_nothing_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("migrations")).unwrap();
    fs::write(at("migrations/1_a.up.sql"), "mine").unwrap();
    fs::write(at("templates"), "a file").unwrap();
    fs::write(at(".gitignore"), "mine").unwrap();
    let blocked = init(dir.path(), None);
    assert!(
        matches!(blocked, Err(InitError::NotADirectory(_))),
        "{blocked:?}"
    );
    assert!(!at("migrator.toml").exists());
    assert_eq!(fs::read_to_string(at("templates")).unwrap(), "a file");
    fs::remove_file(at("templates")).unwrap();
    let made = init(dir.path(), None).unwrap();
    assert!(!made.contains(&at("migrations")), "{made:?}");
    assert!(!at("migrations/.gitkeep").exists());
    assert_eq!(fs::read_to_string(at(".gitignore")).unwrap(), "mine");
    assert_eq!(
        fs::read_to_string(at("migrations/1_a.up.sql")).unwrap(),
        "mine"
    );
}
