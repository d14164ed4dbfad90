//! Files of others that nobody has named are not obeyed.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
};

use crate::common::{Backend, Env};

/// A user who is neither root nor whoever runs the tests.
const OTHER: u32 = 54_321;

/// A project whose configuration would have `log-file` written to, and a directory below it.
fn project() -> Env {
    let env = Env::new(Backend::Sqlite);
    env.write(
        "migrator.toml",
        "[migrator]\nurl = \"sqlite:app.db\"\nlog-file = \"profile\"\n",
    );
    env.revision("1_a", "CREATE TABLE a (x integer);\n", "DROP TABLE a;\n");
    fs::create_dir(env.path("below")).unwrap();
    env
}

/// Runs `migrator ARGUMENTS` in `directory` of the project; what it said where it was refused.
fn run(env: &Env, directory: &str, arguments: &[&str]) -> Result<(), String> {
    let mut command = env.command();
    command.current_dir(env.path(directory)).args(arguments);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        return Ok(());
    }
    assert_eq!(output.status.code(), Some(2), "{text}");
    Err(text)
}

/// Checks that a run is refused with `expected`, and that it wrote nothing.
fn refused(env: &Env, directory: &str, expected: &str) {
    let text = run(env, directory, &["upgrade"]).unwrap_err();
    assert!(text.contains("M114") && text.contains(expected), "{text}");
    assert!(!env.path("app.db").exists() && !env.path("profile").exists());
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn is_root(env: &Env) -> bool {
    fs::metadata(env.path("below")).unwrap().uid() == 0
}

#[test]
fn a_configuration_that_everybody_may_write_to_is_not_obeyed_from_below() {
    let env = project();
    let file = env.path("migrator.toml");
    set_mode(&file, 0o666);
    refused(&env, "below", "every user may write to the file");
    // A group may: that is how teams share a directory.
    set_mode(&file, 0o664);
    run(&env, "below", &["upgrade"]).unwrap();
    set_mode(&file, 0o666);
    run(&env, "below", &["-c", "../migrator.toml", "status"]).unwrap();
    run(&env, ".", &["status"]).unwrap();
}

#[test]
fn a_dotenv_that_everybody_may_write_to_is_not_obeyed_from_below() {
    let env = project();
    env.write(".env", "MIGRATOR_LOG_FILE=profile\n");
    set_mode(&env.path(".env"), 0o666);
    refused(&env, "below", ".env");
    set_mode(&env.path(".env"), 0o600);
    run(&env, "below", &["upgrade"]).unwrap();
}

/// Only root can give files away. Whoever cannot is told so by the system, and the rules are tried
/// in `project/trust.rs`.
#[test]
fn files_of_another_user_are_not_obeyed() {
    let env = project();
    let file = env.path("migrator.toml");
    let given = chown(&file, Some(OTHER), None);
    assert_eq!(given.is_ok(), is_root(&env), "{given:?}");
    if given.is_err() {
        return;
    }
    for directory in [".", "below"] {
        refused(&env, directory, "belongs to user 54321");
    }
    // Who works in that user's directory obeys that user.
    chown(env.path("below"), Some(OTHER), None).unwrap();
    run(&env, "below", &["upgrade"]).unwrap();
    chown(env.path("below"), Some(0), None).unwrap();
    run(&env, "below", &["-c", "../migrator.toml", "status"]).unwrap();
    let sudo = |user: &str| {
        let mut command = env.command();
        command.env("SUDO_UID", user).arg("status");
        command.output().unwrap().status.success()
    };
    assert!(sudo("54321") && !sudo("54322"));
    // Beside a configuration that was named, its owner's `.env` counts.
    env.write(".env", "MIGRATOR_LOCK_WAIT=1s\n");
    chown(env.path(".env"), Some(OTHER), None).unwrap();
    run(&env, "below", &["-c", "../migrator.toml", "status"]).unwrap();
    chown(env.path(".env"), Some(OTHER + 1), None).unwrap();
    let text = run(&env, "below", &["-c", "../migrator.toml", "status"]).unwrap_err();
    assert!(text.contains("M114") && text.contains(".env"), "{text}");
}

#[test]
fn links_of_another_user_are_not_followed() {
    let env = project();
    fs::rename(env.path("migrator.toml"), env.path("real.toml")).unwrap();
    let link = env.path("migrator.toml");
    symlink("real.toml", &link).unwrap();
    run(&env, "below", &["heads"]).unwrap();
    let given = std::os::unix::fs::lchown(&link, Some(OTHER), None);
    assert_eq!(given.is_ok(), is_root(&env), "{given:?}");
    if given.is_ok() {
        refused(
            &env,
            "below",
            "symbolic link that leads to the file belongs to user 54321",
        );
    }
}
