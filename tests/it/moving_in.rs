//! The steps of docs/moving-in.md, as they are written, in directories of the tools they are for.

#![cfg(unix)]

use std::{fs, path::Path, process::Command};

use crate::common::{Backend, Env, sqlite};

/// The parts of the page with steps, each with its title.
fn parts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/moving-in.md")).unwrap();
    let parts = page.split("\n## ").skip(1).filter_map(|part| {
        let title = part.lines().next()?.to_owned();
        let steps = part.split("```sh\n").nth(1)?.split("```").next()?;
        Some((title, steps.to_owned()))
    });
    parts.collect()
}

/// What the tool has left: its directory, and its database with half of it applied.
fn prepare(env: &Env, tool: &str, directory: &str) {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/adopt");
    copy(env, &fixtures.join(tool), directory);
    let dump = fs::read_to_string(fixtures.join(format!("{tool}_sqlite.sql"))).unwrap();
    env.write("app.db", "");
    sqlite(&env.path("app.db"), &dump);
}

fn copy(env: &Env, from: &Path, to: &str) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{to}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            copy(env, &path, &name);
        } else {
            env.write(&name, fs::read(&path).unwrap());
        }
    }
}

/// Runs the steps in the project, as a shell would that stops at the first that fails.
fn run(env: &Env, steps: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_migrator")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-euc", &format!("exec 2>&1\n{steps}")])
        .current_dir(env.path(""))
        .env_clear()
        .env("PATH", format!("{}:{path}", program.display()))
        .env("DATABASE_URL", "sqlite:app.db")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{steps}\n{said}");
    said
}

#[test]
fn every_part_moves_its_tool_in() {
    let mut parts = parts();
    // Its steps need Alembic itself: tests/alembic.rs.
    parts.retain(|(title, _)| title != "Alembic");
    assert_eq!(parts.len(), 9);
    for (title, steps) in parts {
        let env = Env::new(Backend::Sqlite);
        env.remove("migrator.toml");
        assert!(steps.lines().count() <= 5, "{title}");
        let directory = steps.split("migrations = \"").nth(1);
        let directory = directory.map_or("migrations", |rest| rest.split('"').next().unwrap());
        let tool = title.to_lowercase();
        if tool.starts_with("pop") {
            let general = "CREATE TABLE items (id integer);";
            env.write("migrations/1_items.up.sql", general);
            env.write("migrations/1_items.down.sql", "DROP TABLE items;");
        } else {
            prepare(&env, &tool, directory);
        }
        run(&env, &steps);

        // All of it is applied, and to the scripts of our own nothing is left to do.
        env.write("migrator.toml", "[migrator]\nmigrations = \"scripts\"\n");
        let status = run(&env, "migrator status");
        let words = status.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("Pending 0 revisions"), "{title}\n{status}");
        assert!(words.contains("Drift none"), "{title}\n{status}");
    }
}
