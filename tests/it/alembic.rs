//! docs/alembic_to_scripts.py with Alembic itself: its revisions as scripts make what it makes, and its databases are
//! adopted.

#![cfg(unix)]

use std::{path::Path, process::Command, sync::OnceLock};

use crate::common::{Backend, Env, sqlite};

/// The revisions as Alembic makes them: id, command, what goes up and what comes down.
const REVISIONS: &[(&str, &str, &str, &str)] = &[
    (
        "a1",
        "revision -m users",
        "op.create_table('users', sa.Column('id', sa.Integer), sa.Column('name', sa.String(20), server_default=\"it's\"))",
        "op.drop_table('users')",
    ),
    (
        "b2",
        "revision -m posts",
        "op.execute('CREATE TABLE posts (id integer)')\n    with op.get_context().autocommit_block():\n        op.execute('VACUUM')\n    op.create_index('posts_id', 'posts', ['id'])",
        "op.drop_table('posts')",
    ),
    (
        "c3",
        "revision -m tags --head a1 --splice --branch-label side",
        "op.execute('CREATE TABLE tags (id integer)')",
        "op.drop_table('tags')",
    ),
    ("d4", "merge -m joined b2 c3", "pass", "pass"),
    (
        "e5",
        "revision -m rows --depends-on b2",
        "op.bulk_insert(sa.table('users', sa.column('id', sa.Integer), sa.column('name', sa.String)), [{'id': 1, 'name': 'a;b'}])",
        "raise NotImplementedError",
    ),
];

/// A Python that has Alembic.
fn python() -> &'static str {
    static PYTHON: OnceLock<String> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alembic-python");
        let output = Command::new(script).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    })
}

fn run(env: &Env, arguments: &[&str]) -> String {
    let output = Command::new(python())
        .args(arguments)
        .current_dir(env.path(""))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{arguments:?}\n{said}");
    said
}

fn alembic(env: &Env, line: &str) {
    let arguments = ["-m", "alembic"].into_iter().chain(line.split(' '));
    run(env, &arguments.collect::<Vec<_>>());
}

/// A project of Alembic's, whose offline dialect is that of `url`.
fn project(env: &Env, url: &str) {
    alembic(env, "init alembic");
    let ini = std::fs::read_to_string(env.path("alembic.ini")).unwrap();
    let ini = ini.replace("driver://user:pass@localhost/dbname", url);
    env.write("alembic.ini", ini);
    for (id, command, up, down) in REVISIONS {
        alembic(env, &format!("{command} --rev-id {id}"));
        let files = env.files();
        let file = files
            .iter()
            .find(|file| {
                file.starts_with(&format!("alembic/versions/{id}_")) && file.ends_with(".py")
            })
            .unwrap();
        let text = std::fs::read_to_string(env.path(file)).unwrap();
        let mut parts = text.split("    pass\n");
        let (head, middle) = (parts.next().unwrap(), parts.next().unwrap());
        env.write(file, format!("{head}    {up}\n{middle}    {down}\n"));
    }
}

/// Takes out what Alembic cannot run on SQLite, where it holds a transaction open.
fn without_vacuum(env: &Env) {
    let files = env.files();
    let file = files
        .iter()
        .find(|file| file.contains("versions/b2_") && file.ends_with(".py"));
    let text = std::fs::read_to_string(env.path(file.unwrap())).unwrap();
    env.write(file.unwrap(), text.replace("op.execute('VACUUM')", "pass"));
}

fn convert(env: &Env) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/alembic_to_scripts.py");
    let said = run(env, &[script.to_str().unwrap(), "--to", "migrations"]);
    assert_eq!(said, "Wrote 5 revisions as 9 scripts into migrations.\n");
}

fn migrator(env: &mut Env, line: &str) {
    let output = env.run(line);
    assert!(output.status.success(), "{}", env.transcript());
}

/// The up scripts without what is of today: the IDs.
fn ups(env: &Env) -> String {
    let files = env.files();
    let ups = files.iter().filter(|file| file.ends_with(".up.sql"));
    let mut text: String = ups
        .map(|file| std::fs::read_to_string(env.path(file)).unwrap())
        .collect();
    let ids: Vec<_> = files
        .iter()
        .filter_map(|file| file.strip_prefix("migrations/")?.split('_').next())
        .collect();
    for id in ids {
        text = text.replace(id, "[ID]");
    }
    text
}

#[test]
#[ignore = "needs Alembic: run tests/alembic"]
fn alembics_revisions_as_scripts_make_what_it_makes() {
    let mut env = Env::new(Backend::Sqlite);
    project(&env, "sqlite:///theirs.db");
    convert(&env);
    assert!(ups(&env).contains(
        "-- posts\n-- alembic: b2\n-- migrator: revises = [ID]\n-- migrator: transaction = off\n\n\
         BEGIN;\n\nCREATE TABLE posts (id integer);\n\nCOMMIT;\n\nVACUUM;\n\n\
         BEGIN;\n\nCREATE INDEX posts_id ON posts (id);\n\nCOMMIT;\n"
    ));
    assert!(ups(&env).contains("-- joined\n-- alembic: d4\n-- migrator: revises = [ID], [ID]\n"));
    assert!(ups(&env).contains("-- migrator: depends-on = [ID]\n-- migrator: irreversible = "));
    migrator(&mut env, "upgrade");
    migrator(&mut env, "check");
    without_vacuum(&env);
    alembic(&env, "upgrade head");
    let tables = "SELECT name, replace(replace(sql, char(9), ''), '    ', '') FROM sqlite_schema
         WHERE name NOT LIKE '%migrator%' AND name NOT LIKE '%alembic%' ORDER BY name";
    assert_eq!(env.sql(tables), sqlite(&env.path("theirs.db"), tables));
    let rows = "SELECT * FROM users";
    assert_eq!(env.sql(rows), sqlite(&env.path("theirs.db"), rows));
}

/// The steps of docs/moving-in.md, as they are written.
#[test]
#[ignore = "needs Alembic: run tests/alembic"]
fn what_alembic_has_half_applied_goes_on_here() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/moving-in.md")).unwrap();
    let part = page.split("\n## Alembic\n").nth(1).unwrap();
    let steps = part
        .split("```sh\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    assert_eq!(steps.lines().count(), 5);
    let steps = steps.replace("python ", &format!("{} ", python()));
    for target in ["b2", "d4"] {
        let env = Env::new(Backend::Sqlite);
        env.remove("migrator.toml");
        project(&env, "sqlite:///app.db");
        without_vacuum(&env);
        alembic(&env, &format!("upgrade {target}"));
        let script = std::fs::read(root.join("docs/alembic_to_scripts.py")).unwrap();
        env.write("alembic_to_scripts.py", script);
        let program = Path::new(env!("CARGO_BIN_EXE_migrator")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("sh")
            .args(["-euc", &format!("exec 2>&1\n{steps}")])
            .current_dir(env.path(""))
            .env("PATH", format!("{}:{path}", program.display()))
            .env("DATABASE_URL", "sqlite:app.db")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("from alembic"), "{said}");
        let count = env.sql("SELECT count(*) FROM migrator_version");
        assert_eq!(count.trim(), "5", "{said}");
        assert_eq!(env.sql("SELECT count(*) FROM users").trim(), "1");
    }
}

#[test]
#[ignore = "needs Alembic: run tests/alembic"]
fn scripts_of_a_project_on_postgresql_run() {
    let mut env = Env::new(Backend::Postgres);
    project(&env, "postgresql://localhost/nothing");
    convert(&env);
    migrator(&mut env, "upgrade");
    migrator(&mut env, "check");
    assert!(env.schema().contains("posts_id"));
}

#[test]
#[ignore = "needs Alembic: run tests/alembic"]
fn nothing_is_written_when_a_revision_is_no_sql() {
    let env = Env::new(Backend::Sqlite);
    project(&env, "sqlite:///theirs.db");
    let files = env.files();
    let file = files
        .iter()
        .find(|file| file.contains("versions/d4_") && file.ends_with(".py"));
    let file = file.unwrap();
    let text = std::fs::read_to_string(env.path(file)).unwrap();
    env.write(
        file,
        text.replacen(
            "    pass",
            "    op.get_bind().execute(sa.text('SELECT 1')).scalar()",
            1,
        ),
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/alembic_to_scripts.py");
    let output = Command::new(python())
        .args([script.to_str().unwrap(), "--to", "scripts"])
        .current_dir(env.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("versions/d4_") && said.contains("nothing was written"),
        "{said}"
    );
    assert!(!env.path("scripts").exists());
}
