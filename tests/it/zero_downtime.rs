//! The revisions of docs/zero-downtime.md, with programs of before and after them beside.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use sqlx::{AssertSqlSafe, Executor};

use crate::common::{Backend, Env};

/// The scripts of a section of the page.
fn scripts(heading: &str) -> Vec<String> {
    let page = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/docs/zero-downtime.md"
    ));
    let page = page.unwrap();
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sql\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().to_owned())
        .collect()
}

const ROWS: u32 = 5_000;

/// A project with a filled table as its first revision, which is applied, and these scripts.
fn project(scripts: &[String]) -> Env {
    let env = Env::new(Backend::Postgres);
    env.write(
        "migrator.toml",
        format!(
            "[migrator]\nurl = \"{}\"\ndowns = \"optional\"\n",
            env.url()
        ),
    );
    let table = format!(
        "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer bigint, total integer);\n\
         INSERT INTO orders (customer, total) SELECT n, n FROM generate_series(1, {ROWS}) n;\n"
    );
    fs::create_dir_all(env.path("migrations")).unwrap();
    for (number, up) in (1..).zip(std::iter::once(&table).chain(scripts)) {
        env.write(&format!("migrations/{number}_step.up.sql"), up);
    }
    expect(&env, &["upgrade", "1"]);
    env
}

#[track_caller]
fn expect(env: &Env, arguments: &[&str]) -> String {
    let output = env.command().args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}");
    text
}

/// Runs the statements of a program again and again until `stop`. Returns how often.
fn program(url: &str, statements: &[String], stop: &AtomicBool) -> u64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let options = crate::common::options(url);
        let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
        let mut done = 0;
        while !stop.load(Ordering::Relaxed) {
            for sql in statements {
                let ran = connection.execute(AssertSqlSafe(sql.clone())).await;
                ran.unwrap_or_else(|error| panic!("{sql}: {error}"));
            }
            done += 1;
        }
        done
    })
}

/// The statements of a program that knows a column of the table.
fn uses(column: &str) -> Vec<String> {
    vec![
        format!("INSERT INTO orders ({column}) VALUES (7)"),
        format!(
            "UPDATE orders SET {column} = {column} + 1 WHERE id = 1 + floor(random() * {ROWS})::bigint"
        ),
        format!("SELECT sum({column}) FROM orders WHERE id < 100"),
    ]
}

#[test]
fn a_column_is_renamed_beside_old_and_new_programs() {
    let env = project(&scripts("Renaming a column"));
    let url = env.url();
    let (stop_old, stop_new) = (AtomicBool::new(false), AtomicBool::new(false));
    let written = AtomicU64::new(0);
    thread::scope(|scope| {
        let run = |column: &'static str, stop| {
            let (url, written) = (&url, &written);
            move || {
                let done = program(url, &uses(column), stop);
                assert!(done > 0, "{column}");
                written.fetch_add(done, Ordering::Relaxed);
            }
        };
        let old = scope.spawn(run("customer", &stop_old));
        let text = expect(&env, &["upgrade", "--phase", "expand"]);
        assert!(text.contains("4 stays pending"), "{text}");
        let new = scope.spawn(run("customer_id", &stop_new));
        // Both write for a while.
        expect(&env, &["status"]);
        stop_old.store(true, Ordering::Relaxed);
        old.join().unwrap();
        let same = "SELECT count(*) FROM orders WHERE customer IS DISTINCT FROM customer_id";
        assert_eq!(env.sql(same).trim(), "0");
        expect(&env, &["upgrade"]);
        stop_new.store(true, Ordering::Relaxed);
        new.join().unwrap();
    });
    let rows: u64 = env
        .sql("SELECT count(customer_id) FROM orders")
        .trim()
        .parse()
        .unwrap();
    assert_eq!(rows, u64::from(ROWS) + written.load(Ordering::Relaxed));
}

#[test]
fn a_type_is_changed_beside_a_program() {
    let env = project(&scripts("Changing a type"));
    let url = env.url();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let stop = &stop;
        let url = &url;
        let running = scope.spawn(move || program(url, &uses("total"), stop));
        expect(&env, &["upgrade"]);
        stop.store(true, Ordering::Relaxed);
        assert!(running.join().unwrap() > 0);
    });
    let of_total = "SELECT data_type FROM information_schema.columns \
                    WHERE table_name = 'orders' AND column_name = 'total'";
    assert_eq!(env.sql(of_total).trim(), "bigint");
    assert_eq!(
        env.sql("SELECT count(*) FROM orders WHERE total IS NULL")
            .trim(),
        "0"
    );
}
