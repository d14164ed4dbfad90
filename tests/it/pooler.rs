//! Through a PgBouncer: reading works, and nothing runs where no lock can be held.
#![cfg(unix)]

use crate::common::{Backend, Env, Finished, Pooler, Running};

/// A project whose URL leads through a pooler with `settings`.
fn behind(settings: &str) -> (Env, Pooler) {
    patiently_behind(settings, "2s")
}

fn patiently_behind(settings: &str, patience: &str) -> (Env, Pooler) {
    let env = Env::new(Backend::Postgres);
    let pooler = Pooler::start(&env, settings);
    let url = pooler.url();
    env.write(
        "migrator.toml",
        format!("[migrator]\nurl = \"{url}\"\nconnect-timeout = \"{patience}\"\n"),
    );
    env.revision(
        "1_a",
        "CREATE TABLE a (x text);\nINSERT INTO a VALUES ('once');\nSET timezone TO 'Asia/Tokyo';\n",
        "DROP TABLE a;\n",
    );
    env.revision(
        "2_b",
        "INSERT INTO a SELECT pg_catalog.current_setting('timezone');\n",
        "DELETE FROM a WHERE x <> 'once';\n",
    );
    (env, pooler)
}

fn many(env: &Env) -> impl Iterator<Item = Finished> {
    let running: Vec<_> = (0..8).map(|_| Running::start(env, "upgrade")).collect();
    running.into_iter().map(Running::finish)
}

fn assert_refused(finished: Finished) {
    let text = finished.expect(1).stderr;
    assert!(text.contains("error[M610]"), "{text}");
    assert!(text.contains("or to a pool in session mode"), "{text}");
}

fn assert_untouched(env: &Env, before: &[u8]) {
    let locks = env.sql(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    assert_eq!(locks, "0\n", "a lock has stayed behind");
    assert_eq!(env.fingerprint(), before);
}

#[test]
fn transaction_mode_is_refused() {
    for size in [1, 20] {
        for ignored in ["extra_float_digits", "extra_float_digits,options"] {
            let (env, _pooler) = behind(&format!(
                "pool_mode = transaction\ndefault_pool_size = {size}\nignore_startup_parameters = {ignored}"
            ));
            let before = env.fingerprint();
            for line in ["status", "current", "upgrade --dry-run"] {
                Running::start(&env, line).finish().expect(0);
            }
            for line in ["upgrade", "stamp head", "downgrade base"] {
                assert_refused(Running::start(&env, line).finish());
            }
            assert_untouched(&env, &before);
        }
    }
}

#[test]
fn many_at_once_are_all_refused_in_transaction_mode() {
    for size in [1, 3, 20] {
        let settings = format!("pool_mode = transaction\ndefault_pool_size = {size}");
        let (env, _pooler) = patiently_behind(&settings, "20s");
        let before = env.fingerprint();
        many(&env).for_each(assert_refused);
        assert_untouched(&env, &before);
    }
}

#[test]
fn transaction_mode_is_seen_whichever_session_comes_next() {
    let (env, _pooler) = behind("pool_mode = transaction\nserver_round_robin = 1");
    let before = env.fingerprint();
    assert_refused(Running::start(&env, "upgrade").finish());
    assert_untouched(&env, &before);
}

#[test]
fn statement_mode_is_refused() {
    let (env, _pooler) = behind("pool_mode = statement");
    let before = env.fingerprint();
    Running::start(&env, "status").finish().expect(0);
    assert_refused(Running::start(&env, "upgrade").finish());
    assert_untouched(&env, &before);
}

/// Adds `direct-url` to the configuration.
fn lead_directly(env: &Env, url: &str) {
    let config = std::fs::read_to_string(env.path("migrator.toml")).unwrap();
    env.write("migrator.toml", format!("{config}direct-url = \"{url}\"\n"));
}

#[test]
fn writing_goes_past_the_pooler_where_a_way_is_named() {
    let (env, _pooler) = behind("pool_mode = transaction");
    lead_directly(&env, &env.url());
    for line in ["status", "upgrade", "downgrade -1", "stamp head", "status"] {
        Running::start(&env, line).finish().expect(0);
    }
    assert_eq!(env.sql("SELECT x FROM a"), "once\n");
    assert_untouched(&env, &env.fingerprint());
}

#[test]
fn the_way_past_the_pooler_leads_to_the_same_database() {
    let (env, _pooler) = behind("pool_mode = transaction");
    let other = Env::new(Backend::Postgres);
    lead_directly(&env, &other.url());
    let before = (env.fingerprint(), other.fingerprint());
    for line in ["upgrade", "stamp head"] {
        let text = Running::start(&env, line).finish().expect(1).stderr;
        assert!(text.contains("error[M620]"), "{text}");
    }
    assert_eq!((env.fingerprint(), other.fingerprint()), before);
}

#[test]
fn the_way_past_the_pooler_is_no_pooler() {
    let (env, pooler) = behind("pool_mode = transaction");
    lead_directly(&env, &pooler.url());
    let before = env.fingerprint();
    assert_refused(Running::start(&env, "upgrade").finish());
    assert_untouched(&env, &before);
}

#[test]
fn session_mode_works_and_settings_are_those_of_psql() {
    for size in [1, 20] {
        let (env, _pooler) = behind(&format!(
            "pool_mode = session\ndefault_pool_size = {size}\nignore_startup_parameters = extra_float_digits"
        ));
        env.sql(
            "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET timezone TO ''Europe/Berlin'''; END $$",
        );
        for line in ["upgrade", "status", "downgrade base", "upgrade"] {
            Running::start(&env, line).finish().expect(0);
        }
        assert_eq!(
            env.sql("SELECT x FROM a ORDER BY x"),
            "Europe/Berlin\nonce\n"
        );
    }
}

#[test]
fn many_at_once_in_session_mode() {
    let (env, _pooler) = behind("pool_mode = session");
    many(&env).for_each(|finished| drop(finished.expect(0)));
    let expected = env.sql(
        "SELECT 'once' AS x UNION SELECT setting FROM pg_file_settings \
         WHERE applied AND lower(name) = 'timezone' ORDER BY x",
    );
    assert_eq!(env.sql("SELECT x FROM a ORDER BY x"), expected);
}
