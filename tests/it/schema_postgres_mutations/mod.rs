//! One change to one attribute of one object: the comparison of the facts reports that change and no
//! other.

use std::{path::Path, time::Duration};

use migrator::internals::{
    database::{self, Access, Location, Settings},
    schema::{Schema, Scope},
};

use crate::common::PostgresDatabase;

fn settings() -> Settings {
    Settings {
        version_table: "migrator_version".into(),
        actor: "tester@here".into(),
        application_name: "migrator test".into(),
        lock_timeout: Duration::from_secs(5),
        statement_timeout: Duration::ZERO,
        connect_timeout: Duration::from_secs(10),
        statement_times: true,
        session: Vec::new(),
        statement_marks: false,
    }
}

async fn inspect(url: &str) -> Schema {
    let location = Location::parse(url, Path::new("/")).unwrap();
    let mut database = database::connect(&location, Access::Existing, settings())
        .await
        .unwrap();
    let schema = database.inspect(&Scope::default()).await.unwrap();
    database.close().await.unwrap();
    schema
}

#[tokio::test]
async fn smoke() {
    let database = PostgresDatabase::create();
    database
        .query("DO 'BEGIN CREATE ROLE mutation_a; EXCEPTION WHEN duplicate_object THEN NULL; END'");
    database.query(include_str!("start.sql"));
    let schema = inspect(&database.url).await;
    println!("{}", serde_json::to_string_pretty(&schema).unwrap());
}
