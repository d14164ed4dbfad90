//! Database migrations for SQLite and PostgreSQL.
//!
//! The rooms, from the ground up; imports go down only:
//! [`sql`] · [`revision`] · [`plan`], [`project`], [`database`] · [`execute`] · [`report`] · [`cli`].

pub mod cli;
pub mod database;
pub mod execute;
pub mod plan;
pub mod project;
pub mod report;
pub mod revision;
pub mod sql;
