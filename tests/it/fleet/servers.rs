//! Databases of PostgreSQL servers: several on one, and servers that refuse connections.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{project, upgrade};
use crate::common::{Backend, Env};

/// A proxy that refuses the first connections and counts the others.
struct Proxy {
    port: u16,
    open: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Proxy {
    fn start(server: String, refused: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, highest) = (Arc::clone(&open), Arc::clone(&most));
        thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                let client = client.unwrap();
                if number < refused {
                    drop(client);
                    continue;
                }
                let server = TcpStream::connect(&server).unwrap();
                let (counted, highest) = (Arc::clone(&counted), Arc::clone(&highest));
                thread::spawn(move || {
                    // Until then it is seen which others were closed before this one was opened, and
                    // which are open beside it.
                    thread::sleep(Duration::from_millis(100));
                    let now = counted.fetch_add(1, Ordering::SeqCst) + 1;
                    highest.fetch_max(now, Ordering::SeqCst);
                    let (from, to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                    thread::spawn(move || forward(from, to));
                    forward(client, server);
                    counted.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { port, open, most }
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16384];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// The host and port of the server, and the rest of its URL with the user.
fn server(env: &Env) -> (String, String) {
    let url = env.url();
    let rest = url.strip_prefix("postgres://").unwrap();
    let (user, rest) = rest.split_once('@').unwrap();
    let (address, _) = rest.split_once('/').unwrap();
    (address.to_owned(), user.to_owned())
}

/// Databases with these names beside that of the project, dropped with the value.
struct Databases<'a>(&'a Env, Vec<String>);

impl<'a> Databases<'a> {
    fn create(env: &'a Env, count: usize) -> Self {
        let name = env.url().rsplit_once('/').unwrap().1.to_owned();
        let names: Vec<String> = (0..count)
            .map(|number| format!("{name}_{number}"))
            .collect();
        for name in &names {
            env.sql(&format!("CREATE DATABASE {name} TEMPLATE template0"));
        }
        Self(env, names)
    }
}

impl Drop for Databases<'_> {
    fn drop(&mut self) {
        for name in &self.1 {
            self.0.drop_database(name);
        }
    }
}

fn configure(env: &Env, url: &str, names: &[String], keys: &str) {
    super::configure(
        env,
        "",
        &format!("list = {names:?}\nurl = \"{url}\"\n{keys}"),
    );
}

#[test]
fn databases_are_upgraded_over_no_more_connections_than_allowed() {
    let env = project(Backend::Postgres, "");
    let databases = Databases::create(&env, 6);
    let (address, user) = server(&env);
    let proxy = Proxy::start(address, 0);
    let url = format!(
        "postgres://{user}@127.0.0.1:{}/${{target}}?sslmode=disable",
        proxy.port
    );
    let mut names = databases.1.clone();
    names.push("no_such_database_of_a_fleet".to_owned());
    configure(&env, &url, &names, "jobs = 6\njobs-per-server = 2");
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    let (_, result) = printed.lines();
    let numbers = ["done", "skipped", "steps"].map(|field| result[field].as_u64());
    assert_eq!(numbers, [6, 1, 12].map(Some));
    assert_eq!(proxy.most.load(Ordering::SeqCst), 2);
    let (_, result) = upgrade(&env, &[]).lines();
    assert_eq!(result["current"], 6);
    assert_eq!(proxy.most.load(Ordering::SeqCst), 2);
    crate::common::wait_until("all are closed", || proxy.open.load(Ordering::SeqCst) == 0);
}

#[test]
fn a_server_that_refuses_connections_is_waited_for() {
    let env = project(Backend::Postgres, "");
    let databases = Databases::create(&env, 2);
    let (address, user) = server(&env);
    let url = |proxy: &Proxy| {
        format!(
            "postgres://{user}@127.0.0.1:{}/${{target}}?sslmode=disable",
            proxy.port
        )
    };
    let proxy = Proxy::start(address.clone(), 1);
    configure(
        &env,
        &url(&proxy),
        &databases.1,
        "server-wait = \"0\"\njobs = 1",
    );
    let printed = upgrade(&env, &[]);
    let mut found: Vec<_> = printed.outcomes().into_values().collect();
    found.sort();
    assert_eq!(found, ["done", "failed M601"], "{}", printed.stderr);
    let proxy = Proxy::start(address, 3);
    configure(
        &env,
        &url(&proxy),
        &databases.1,
        "server-wait = \"5min\"\njobs = 2",
    );
    let printed = upgrade(&env, &[]);
    assert_eq!(printed.status, 0, "{}", printed.stderr);
    let mut found: Vec<_> = printed.outcomes().into_values().collect();
    found.sort();
    assert_eq!(found, ["current", "done"]);
}
