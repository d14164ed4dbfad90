//! Servers that are like PostgreSQL, and what of it they lack, behind a proxy that changes messages.

use std::{
    fs,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use crate::common::{Backend, Env, Finished, Running};

/// Changes messages on their way.
#[derive(Clone, Copy)]
enum Disguise {
    /// The text of `version()` begins with these bytes.
    Version(&'static [u8; 12]),
    /// Some statements are refused in a message with others.
    OneCommand,
}

fn run(env: &Env, line: &str) -> Finished {
    Running::start(env, line).finish()
}

/// Makes the configuration lead through a proxy, which lives as long as the test.
fn disguise(env: &Env, disguise: Disguise, settings: &str) {
    let url = env.url();
    let (_, rest) = url.rsplit_once('@').unwrap();
    let (address, _) = rest.split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = address.to_owned();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || answers(from, to, disguise));
            thread::spawn(move || requests(client, server, disguise));
        }
    });
    let url = url.replace(address, &format!("127.0.0.1:{port}"));
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}?sslmode=disable\"\n{settings}"),
    );
}

/// Passes on what the server says.
fn answers(mut from: TcpStream, mut to: TcpStream, disguise: Disguise) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let bytes = &mut buffer[..read];
        if let Disguise::Version(name) = disguise {
            let place = bytes
                .windows(name.len())
                .position(|it| it == b"PostgreSQL 1");
            if let Some(at) = place {
                bytes[at..at + name.len()].copy_from_slice(name);
            }
        }
        if to.write_all(bytes).is_err() {
            return;
        }
    }
}

/// Passes on what the client says, message by message after the first one, which has no type.
fn requests(mut from: TcpStream, mut to: TcpStream, disguise: Disguise) {
    let Ok(mut sent) = message(&mut from, 0) else {
        return;
    };
    while to.write_all(&sent).is_ok() {
        let Ok(next) = message(&mut from, 1) else {
            return;
        };
        sent = match disguise {
            Disguise::OneCommand if is_refused(&next) => {
                let sql = b"DO $$BEGIN RAISE EXCEPTION 'a message of several commands'; END$$\0";
                let length = u32::try_from(sql.len() + 4).unwrap().to_be_bytes();
                [&b"Q"[..], &length, sql].concat()
            }
            _ => next,
        };
    }
}

fn message(from: &mut TcpStream, type_length: usize) -> io::Result<Vec<u8>> {
    let mut all = vec![0; type_length + 4];
    from.read_exact(&mut all)?;
    let length = u32::from_be_bytes(all[type_length..].try_into().unwrap()) as usize;
    let mut rest = vec![0; length - 4];
    from.read_exact(&mut rest)?;
    all.append(&mut rest);
    Ok(all)
}

/// Whether a simple query has one of Citus's statements and another one.
fn is_refused(message: &[u8]) -> bool {
    let text = String::from_utf8_lossy(message);
    // Records contain scripts, as strings.
    let code: String = text.split('\'').step_by(2).collect();
    let code = code.trim_end_matches('\0');
    let commands = code.split(";\n").filter(|it| !it.trim().is_empty());
    let alone = ["CREATE INDEX", "ADD CONSTRAINT", "DROP COLUMN"];
    message[0] == b'Q' && commands.count() > 1 && alone.iter().any(|it| code.contains(it))
}

#[test]
fn other_products_are_refused_by_name() {
    let cases: [(&[u8; 12], &str); 3] = [
        (b"CockroachDB ", "CockroachDB"),
        (b"12.1-YB-2.2 ", "YugabyteDB"),
        (b"Materialize ", "Materialize"),
    ];
    for (version, name) in cases {
        let env = Env::new(Backend::Postgres);
        env.revision("1_a", "CREATE TABLE a (x int);\n", "DROP TABLE a;\n");
        disguise(&env, Disguise::Version(version), "");
        for line in ["status", "upgrade", "stamp head"] {
            let text = run(&env, line).expect(1).stderr;
            assert!(text.contains("error[M619]"), "{text}");
            assert!(
                text.contains(&format!("is {name}, which is not supported")),
                "{text}"
            );
        }
        assert_eq!(
            env.sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"),
            "0\n"
        );
    }
}

/// A project with the statements that Citus wants alone.
fn for_citus(is_installed: bool, settings: &str) -> Env {
    let env = Env::new(Backend::Postgres);
    if is_installed {
        env.sql(
            "SET allow_system_table_mods TO on; \
             CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass)",
        );
    }
    env.revision(
        "1_a",
        "CREATE TABLE a (x int, y int);\nINSERT INTO a VALUES (1, 2);\nCREATE INDEX a_x ON a (x);\n",
        "DROP TABLE a;\n",
    );
    env.revision(
        "2_b",
        "ALTER TABLE a ADD CONSTRAINT positive CHECK (x > 0);\nALTER TABLE a DROP COLUMN y;\n",
        "ALTER TABLE a ADD COLUMN y int;\nALTER TABLE a DROP CONSTRAINT positive;\n",
    );
    disguise(&env, Disguise::OneCommand, settings);
    env
}

#[test]
fn citus_gets_one_command_a_message() {
    for settings in ["", "transaction = \"all\"\n"] {
        let env = for_citus(true, settings);
        let done = run(&env, "upgrade").expect(0).stdout;
        assert!(done.contains("2 revisions"), "{done}");
        run(&env, "downgrade base").expect(0);
        run(&env, "upgrade").expect(0);
        assert_eq!(env.sql("SELECT x FROM a"), "1\n");
    }
    // The proxy refuses what is sent otherwise.
    let text = run(&for_citus(false, ""), "upgrade").expect(1).stderr;
    assert!(text.contains("a message of several commands"), "{text}");
}

#[test]
fn a_script_that_fails_on_citus_is_rolled_back_and_placed() {
    let env = for_citus(true, "");
    env.revision(
        "3_c",
        "CREATE TABLE c (x int);\nCREATE INDEX c_x ON c (x);\nINSERT INTO c SELECT 1 / 0;\n",
        "DROP TABLE c;\n",
    );
    let text = run(&env, "upgrade").expect(4).stderr;
    assert!(text.contains("migrations/3_c.up.sql:3:1"), "{text}");
    assert!(text.contains("rolled back completely"), "{text}");
    assert_eq!(env.sql("SELECT to_regclass('c') IS NULL"), "t\n");
    let current = run(&env, "current").expect(0).stdout;
    assert!(current.starts_with('2'), "{current}");
}

#[test]
fn a_publication_of_all_tables_is_said_once() {
    let env = Env::new(Backend::Postgres);
    env.sql("CREATE PUBLICATION everything FOR ALL TABLES");
    env.revision("1_a", "CREATE TABLE a (x int);\n", "DROP TABLE a;\n");
    let warning = "the version tables are replicated: FOR ALL TABLES is the publication everything";
    for line in ["upgrade --dry-run", "upgrade"] {
        let text = run(&env, line).expect(0).stderr;
        assert!(text.contains(warning), "{line}: {text}");
    }
    let text = run(&env, "upgrade").expect(0).stderr;
    assert!(!text.contains("replicated"), "{text}");
}

#[test]
fn the_example_runs_on_both_databases() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    for backend in Backend::ALL {
        let env = Env::new(backend);
        for file in fs::read_dir(example).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            env.write(
                &format!("migrations/{name}"),
                fs::read(file.path()).unwrap(),
            );
        }
        for line in ["upgrade", "downgrade base", "upgrade", "check"] {
            run(&env, line).expect(0);
        }
        let verified = run(&env, "verify").expect(0).stdout;
        assert!(verified.contains("4 revisions"), "{verified}");
    }
}
