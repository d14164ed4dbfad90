//! The recipes of docs/testing.md, as they are on the page.
#![cfg(unix)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::common::{Backend, Env};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The block of the page in a language.
fn recipe(language: &str) -> String {
    let page = fs::read_to_string(root().join("docs/testing.md")).unwrap();
    let block = page.split(&format!("```{language}\n")).nth(1).unwrap();
    block.split("```").next().unwrap().to_owned()
}

/// A project with one revision.
fn project(backend: Backend) -> Env {
    let env = Env::new(backend);
    env.revision(
        "1_users",
        "CREATE TABLE users (id integer PRIMARY KEY);\n",
        "DROP TABLE users;\n",
    );
    fs::create_dir(env.path("tmp")).unwrap();
    env
}

/// Whether the program can be run here.
fn exists(program: &str) -> bool {
    let output = Command::new(program).arg("--version").output();
    output.is_ok_and(|output| output.status.success())
}

/// Runs a test suite, which must pass, and leave no database.
#[track_caller]
fn passes(env: &Env, program: &str, arguments: &[&str]) {
    let migrator = Path::new(env!("CARGO_BIN_EXE_migrator"));
    let path = std::env::var("PATH").unwrap_or_default();
    let directory = migrator.parent().unwrap();
    let output = Command::new(program)
        .args(arguments)
        .current_dir(env.path(""))
        .env_remove("DATABASE_URL")
        .env("TMPDIR", env.path("tmp"))
        .env("PATH", format!("{}:{path}", directory.display()))
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{said}");
    let left = fs::read_dir(env.path("tmp"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left
        .filter(|name| name.to_string_lossy().starts_with("migrator-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    if env.backend == Backend::Postgres {
        let left = "SELECT count(*) FROM pg_database
                    WHERE starts_with(datname, current_database() || '_scratch_')";
        assert_eq!(env.sql(left), "0\n");
        assert!(env.run_quietly("scratch drop"));
    }
}

#[test]
fn the_recipe_of_rust_is_a_test_here() {
    let file = root().join("tests/it/testing_recipe.rs");
    assert_eq!(recipe("rust"), fs::read_to_string(file).unwrap());
}

#[test]
fn node_tests_have_a_database() {
    if !exists("node") {
        return;
    }
    for backend in Backend::ALL {
        let env = project(backend);
        env.write("database.mjs", recipe("js"));
        env.write(
            "users.test.mjs",
            "import { execFileSync } from 'node:child_process';\n\
             import { test } from 'node:test';\n\
             import { databaseUrl } from './database.mjs';\n\
             test('users', () => {\n\
               const words = ['--url', databaseUrl, 'current', '--check-heads'];\n\
               execFileSync('migrator', words);\n\
             });\n",
        );
        passes(&env, "node", &["--test"]);
    }
}

#[test]
fn go_tests_have_a_database() {
    if !exists("go") {
        return;
    }
    for backend in Backend::ALL {
        let env = project(backend);
        env.write("go.mod", "module example\n\ngo 1.21\n");
        let imports = ["bufio", "os", "os/exec", "strings", "testing"];
        let imports = imports.map(|name| format!("import \"{name}\"\n")).concat();
        let test = "func TestUsers(t *testing.T) {\n\
                    \tif out, err := exec.Command(\"migrator\", \"current\", \"--check-heads\").CombinedOutput(); err != nil {\n\
                    \t\tt.Fatal(string(out))\n\t}\n}\n";
        env.write(
            "users_test.go",
            format!("package example\n\n{imports}\n{}\n{test}", recipe("go")),
        );
        passes(&env, "go", &["test", "./..."]);
    }
}

/// Run by `tests/pytest`, which names a Python that has pytest.
#[test]
#[ignore = "needs pytest: tests/pytest"]
fn pytest_has_a_database() {
    let python = std::env::var("MIGRATOR_TEST_PYTEST").unwrap();
    for backend in Backend::ALL {
        let env = project(backend);
        env.write("conftest.py", recipe("python"));
        env.write(
            "test_users.py",
            "import subprocess\n\n\
             def test_users(database_url):\n    \
                 words = ['migrator', '--url', database_url, 'current', '--check-heads']\n    \
                 subprocess.run(words, check=True)\n\n\
             def test_again(database_url):\n    \
                 test_users(database_url)\n",
        );
        passes(&env, &python, &["-m", "pytest", "-q"]);
    }
}
