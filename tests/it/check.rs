//! `check` end to end on both databases, and against commits of real git repositories.

use std::{path::Path, process::Command};

use crate::common::{Backend, Env};

fn table(env: &Env, name: &str, headers: &str) {
    let table = name.split_once('_').unwrap().1;
    let up = format!("-- {table}\n{headers}CREATE TABLE {table} (x integer);\n");
    env.revision(name, &up, &format!("DROP TABLE {table};\n"));
}

fn revises(parents: &str) -> String {
    format!("-- migrator: revises = {parents}\n")
}

fn two(env: &Env) {
    table(env, "1_a", &revises("base"));
    table(env, "2_b", &revises("1"));
}

fn on_both(name: &str, scenario: impl Fn(&mut Env)) {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        scenario(&mut env);
        snapshot!(env, name);
    }
}

#[test]
fn a_database() {
    on_both("check_database", |env| {
        two(env);
        if env.backend == Backend::Sqlite {
            // Nothing is made by looking.
            env.run("check");
            assert!(!env.path("app.db").exists());
        }
        env.run("-q upgrade 1");
        env.run("check");
        env.run("check --pending-ok");
        env.run("check --no-database");
        env.run("-q upgrade");
        env.run("check");
        env.run("-q check");
        env.run("check --format json");
        env.write(
            "migrations/1_a.up.sql",
            "-- a\n-- migrator: revises = base\nCREATE TABLE a (y integer);\n",
        );
        env.write("migrations/1_a.down.sql", "DROP TABLE IF EXISTS a;\n");
        env.remove("migrations/2_b.up.sql");
        env.remove("migrations/2_b.down.sql");
        env.write("migrations/0_late.up.sql", "SELECT 1;\n");
        let before = env.fingerprint();
        env.run("check");
        env.run("check --format json");
        env.run("check --format github");
        assert_eq!(env.fingerprint(), before);
        env.run("status --format github");
    });
}

#[test]
fn a_revision_in_its_middle() {
    on_both("check_partial", |env| {
        let text = "-- migrator: transaction = off\nCREATE TABLE a (x integer);\nSELECT nothing;\n";
        env.revision("1_a", text, "DROP TABLE a;\n");
        env.run("-q upgrade");
        env.run("check");
    });
}

#[test]
fn a_directory_alone() {
    on_both("check_directory", |env| {
        env.write("migrator.toml", "[migrator]\n");
        env.run("check");
        two(env);
        table(env, "3_c", &revises("1"));
        env.remove("migrations/2_b.down.sql");
        env.write(
            "migrations/4_d.up.sql",
            "-- migrator: revises = 3\n-- migrator: irreversible = data is gone\nSELECT 1;\n",
        );
        env.run("check");
        env.run("check --format github");
        env.write("migrations/30_x.up..sql", "");
        env.run("check");
        env.run("check --format github");
    });
}

fn git(dir: &Path, line: &str) {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=Tester",
            "-c",
            "user.email=tester@example.com",
        ])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(line.split(' '))
        .current_dir(dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", dir)
        .output()
        .expect("git is needed");
    assert!(output.status.success(), "git {line}: {output:?}");
}

fn commit(env: &Env) {
    git(&env.path("."), "add -A");
    git(&env.path("."), "commit -q -m x");
}

/// A repository whose branch `main` has two revisions, and one more in this branch.
fn repository(env: &Env) {
    two(env);
    env.write(".gitignore", "app.db*\n");
    git(&env.path("."), "init -q .");
    commit(env);
    git(&env.path("."), "checkout -q -b mine");
}

#[test]
fn against_a_base() {
    on_both("check_base", |env| {
        repository(env);
        let check = "check --no-database --base main";
        env.run(check);
        table(env, "3_c", &revises("2"));
        // Comments, white space and line endings are nothing.
        env.write(
            "migrations/1_a.up.sql",
            "-- another\r\n-- migrator: revises = base\r\nCREATE  TABLE a (x integer) ;\r\n",
        );
        env.run(check);
        env.write(
            "migrations/1_a.up.sql",
            "-- migrator: revises = base\nCREATE TABLE a (y integer);\n",
        );
        env.write("migrations/1_a.down.sql", "DROP TABLE IF EXISTS a;\n");
        env.run(check);
        git(&env.path("."), "checkout -q -- migrations");
        git(
            &env.path("."),
            "mv migrations/2_b.up.sql migrations/2_bb.up.sql",
        );
        git(
            &env.path("."),
            "mv migrations/2_b.down.sql migrations/2_bb.down.sql",
        );
        env.run(check);
        git(&env.path("."), "reset -q --hard");
        env.write(
            "migrations/2_b.up.sql",
            "-- b\n-- migrator: revises = base\nCREATE TABLE b (x integer);\n",
        );
        env.run(check);
        git(&env.path("."), "reset -q --hard");
        for name in ["migrations/2_b.up.sql", "migrations/2_b.down.sql"] {
            env.remove(name);
        }
        env.write(
            "migrations/3_c.up.sql",
            "-- c\n-- migrator: revises = 1\nCREATE TABLE c (x integer);\n",
        );
        env.run(check);
        env.run(&format!("{check} --format json"));
    });
}

/// Two branches, each fine alone.
#[test]
fn overtaken_by_the_base() {
    on_both("check_overtaken", |env| {
        repository(env);
        table(env, "20_mine", &revises("2"));
        commit(env);
        git(&env.path("."), "checkout -q main");
        table(env, "30_theirs", &revises("2"));
        commit(env);
        git(&env.path("."), "checkout -q mine");
        env.run("check --no-database --base main");
        git(&env.path("."), "merge -q --no-edit main");
        env.run("check --no-database --base main");
        env.run("check --no-database --base main --format github");
        let mut rebase = env.command();
        let status = rebase.args(["-q", "rebase", "mine", "--offline"]).status();
        assert!(status.unwrap().success());
        assert!(
            env.run("-q check --no-database --base main")
                .status
                .success()
        );
        // Old IDs upon the head.
        git(&env.path("."), "clean -q -f -d migrations");
        git(&env.path("."), "checkout -q -- .");
        env.write(
            "migrations/20_mine.up.sql",
            "-- migrator: revises = 30\nSELECT 1;\n",
        );
        env.run("check --no-database --base main");
    });
}

#[test]
fn where_the_base_can_not_be_had() {
    on_both("check_no_base", |env| {
        two(env);
        env.run("check --no-database --base main");
        env.run_with("check --no-database --base main", &[("PATH", "")]);
        git(&env.path("."), "init -q .");
        commit(env);
        env.run("check --no-database --base other");
        env.run("check --no-database --base=--all");
        git(&env.path("."), "update-ref refs/remotes/origin/next HEAD");
        env.run("check --no-database --base next");
        git(&env.path("."), "clone -q --bare . copy.git");
        env.write("migrations/3_c.up.sql", "SELECT 1;");
        git(&env.path("."), "add migrations");
        git(&env.path("."), "commit -q -m y");
        let url = format!(
            "clone -q --depth 1 file://{} shallow",
            env.path(".").display()
        );
        git(&env.path("."), &url);
        env.run("check --no-database --config shallow/migrator.toml --base HEAD~1");
    });
}

/// The migrations directory is below the repository's root, in which git hooks set variables; and a
/// commit without it has an empty one.
#[test]
fn in_a_subdirectory() {
    let mut env = Env::new(Backend::Sqlite);
    git(&env.path("."), "init -q .");
    env.write("service/keep", "");
    commit(&env);
    std::fs::rename(env.path("migrator.toml"), env.path("service/migrator.toml")).unwrap();
    env.write(
        "service/migrations/1_a.up.sql",
        "-- migrator: irreversible = no\nSELECT 1;\n",
    );
    env.write("service/migrations/README.md", "none of our business");
    let hook = [
        ("GIT_DIR", ".git"),
        ("GIT_INDEX_FILE", ".git/index"),
        ("GITHUB_WORKSPACE", ""),
    ];
    let base = "check -c service/migrator.toml --no-database --base HEAD";
    env.run_with(base, &hook);
    commit(&env);
    env.write(
        "service/migrations/1_a.up.sql",
        "-- migrator: irreversible = no\nSELECT 2;\n",
    );
    env.run_with(base, &hook);
    env.run_with(&format!("{base} --format github"), &hook);
    snapshot!(env, "check_subdirectory");
}

/// Annotations name files from the root of the repository, wherever the command runs.
#[test]
fn annotations_in_a_working_directory() {
    let mut env = Env::new(Backend::Sqlite);
    env.write("migrations/1_a.up.sql", "SELECT 1;\n");
    let root = env.path(".").canonicalize().unwrap();
    let parent = root.parent().unwrap().display().to_string();
    let output = env.run_with(
        "check --no-database --format github",
        &[("GITHUB_WORKSPACE", &parent)],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let name = root.file_name().unwrap().to_str().unwrap();
    let file = format!("::error file={name}/migrations/1_a.up.sql,title=M802::");
    assert!(text.starts_with(&file), "{text}");
}

#[test]
fn at_the_root_of_a_repository() {
    let mut env = Env::new(Backend::Sqlite);
    env.write("migrator.toml", "[migrator]\nmigrations = \".\"\n");
    env.write("1_a.up.sql", "-- migrator: irreversible = no\nSELECT 1;\n");
    git(&env.path("."), "init -q .");
    commit(&env);
    let check = "check --base HEAD";
    assert!(env.run(check).status.success(), "{}", env.transcript());
    env.write("1_a.up.sql", "-- migrator: irreversible = no\nSELECT 2;\n");
    let found = env.run(check);
    assert_eq!(found.status.code(), Some(3), "{}", env.transcript());
    assert!(String::from_utf8(found.stdout).unwrap().contains("M811"));
}

#[test]
fn a_baseline_holds_what_the_base_has() {
    on_both("check_squashed", |env| {
        two(env);
        table(env, "3_c", &revises("2"));
        let root = env.path("");
        git(&root, "init -q -b main");
        git(&root, "add migrations");
        git(&root, "commit -qm base");
        env.run("-q squash --to 2");
        env.run("check --no-database --base main");
        env.write(
            "migrations/4_d.up.sql",
            format!("{}SELECT 1;\n", revises("2")),
        );
        env.run("check --no-database --base main");
        env.remove("migrations/4_d.up.sql");
        let file = "migrations/2_baseline.up.sql";
        let text = std::fs::read_to_string(env.path(file)).unwrap();
        env.write(file, text.replace("CREATE TABLE a (x", "CREATE TABLE a (y"));
        env.run("check --no-database --base main");
        env.write(file, text.replace("replaces = 1", "replaces = 7"));
        env.run("check --no-database --base main");
    });
}
