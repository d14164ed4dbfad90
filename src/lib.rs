//! Database migrations for SQLite and PostgreSQL.
//!
//! The rooms, from the ground up; imports go down only:
//! [`sql`] · [`revision`] · [`plan`].

pub mod plan;
pub mod revision;
pub mod sql;
