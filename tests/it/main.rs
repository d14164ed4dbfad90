//! The integration tests: one binary, so that linking does not dominate.
//!
//! Tests of one subject: `tests/run --test it -- locks::`.

#[macro_use]
mod common;

mod adopt;
mod alembic;
mod autogenerate;
mod backup;
mod backup_hostile;
mod backup_lost;
mod bad_input;
mod batch;
mod branches;
mod check;
mod ci_recipes;
mod cli;
mod commands;
mod concurrently;
mod config_owner;
mod connection;
mod docs;
mod edited;
mod encodings;
mod floors;
mod generate_postgres;
mod generate_sqlite;
mod graph;
mod hygiene;
mod irregular;
mod json;
mod layouts;
mod library;
mod lint;
mod lock_timeout;
mod locks;
mod log_file;
mod many;
mod moving_in;
mod offline;
mod output;
mod pooler;
mod postgres_database;
mod privileges;
mod progress;
mod refuse;
mod repeatable;
mod rights;
mod schema_commands;
mod schema_postgres;
mod schema_postgres_dump;
mod schema_postgres_equal;
mod schema_postgres_mutations;
mod schema_sqlite;
mod scratch;
mod seed;
mod signals;
mod slow;
mod sqlite_database;
mod squash;
mod testing;
mod testing_recipe;
mod trust;
mod vars;
mod verify;
mod zero_downtime;
