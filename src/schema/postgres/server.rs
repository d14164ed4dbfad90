use super::Options;
use crate::schema::{Grant, Name, facts::facts};

facts! {
    /// A schema.
    Schema {}

    /// An extension. Its version is not compared, and its members are not objects.
    Extension {
        /// The schema of its objects.
        schema: String,
        @uncompared {
            /// The version.
            version: String,
        }
    }

    /// A foreign-data wrapper.
    ForeignDataWrapper {
        /// The handler function.
        handler: Option<Name>,
        /// The validator function.
        validator: Option<Name>,
        /// The options, apart from passwords and other secrets.
        options: Options,
        /// The names of the options whose values are secret.
        secrets: Vec<String>,
    }

    /// A foreign server.
    Server {
        /// The foreign-data wrapper.
        wrapper: String,
        /// The type.
        server_type: Option<String>,
        /// The version.
        version: Option<String>,
        /// The options, apart from passwords and other secrets.
        options: Options,
        /// The names of the options whose values are secret.
        secrets: Vec<String>,
    }

    /// The mapping of a role to a foreign server; the name is the role's, `PUBLIC` for all.
    UserMapping {
        /// The options, apart from passwords and other secrets.
        options: Options,
        /// The names of the options whose values are secret.
        secrets: Vec<String>,
    }

    /// A text search dictionary.
    TextSearchDictionary {
        /// The template.
        template: Name,
        /// The options as in CREATE TEXT SEARCH DICTIONARY.
        options: Option<String>,
    }

    /// A text search configuration.
    TextSearchConfiguration {
        /// The parser.
        parser: Name,
        /// The dictionaries of each token type, in order.
        mappings: std::collections::BTreeMap<String, Vec<Name>>,
    }

    /// A publication.
    Publication {
        /// Whether all tables are published.
        all_tables: bool,
        /// The published tables, sorted.
        tables: Vec<PublishedTable>,
        /// The schemas whose tables are published, sorted (PostgreSQL 15).
        schemas: Vec<String>,
        /// The published operations: `insert`, `update`, `delete`, `truncate`.
        operations: Vec<String>,
        /// Whether changes of partitions are published as those of their root.
        via_root: bool,
        /// Which generated columns are published: `stored` (PostgreSQL 18).
        generated_columns: Option<String>,
    }

    /// A table of a publication.
    PublishedTable {
        /// The table.
        table: Name,
        /// The published columns in order, if not all (PostgreSQL 15).
        columns: Option<Vec<String>>,
        /// The condition for rows (PostgreSQL 15).
        condition: Option<String>,
    }

    /// The default privileges of one role on new objects of one kind. The name is that of the role,
    /// or `CURRENT_USER` for the role that owns the database's migrations; the signature is the
    /// kind: ` ON TABLES`; the schema is empty if they hold in all schemas.
    DefaultPrivileges {
        /// The role that creates the objects; empty for the role that owns the database's
        /// migrations.
        role: String,
        /// The kind of objects: `TABLES`.
        on: String,
        /// The privileges, sorted.
        privileges: Vec<Grant>,
    }
}
