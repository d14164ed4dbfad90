use crate::schema::{Name, facts::facts};

facts! {
    /// An enum type.
    Enum {
        /// The labels in order.
        labels: Vec<String>,
    }

    /// A domain. Its check constraints are parts of it.
    Domain {
        /// The type under it.
        data_type: String,
        /// The collation, if it is not the type's own.
        collation: Option<Name>,
        /// The default expression.
        default: Option<String>,
        /// Whether NULL is refused.
        not_null: bool,
        /// The name of the NOT NULL constraint, if it is not the default one (PostgreSQL 17).
        not_null_name: Option<String>,
    }

    /// A composite type.
    Composite {
        /// The attributes in order.
        attributes: Vec<Attribute>,
    }

    /// An attribute of a composite type.
    Attribute {
        /// The name.
        name: String,
        /// The type with its modifier.
        data_type: String,
        /// The collation, if it is not the type's own.
        collation: Option<Name>,
        /// The comment.
        comment: Option<String>,
    }

    /// A range type.
    Range {
        /// The type of the bounds.
        subtype: String,
        /// The operator class, if it is not the default one.
        operator_class: Option<Name>,
        /// The collation, if it is not the type's own.
        collation: Option<Name>,
        /// The function that makes ranges canonical.
        canonical: Option<Name>,
        /// The function that measures the distance of bounds.
        difference: Option<Name>,
        /// The multirange type, if it has not the default name (PostgreSQL 14).
        multirange: Option<Name>,
        @uncompared {
            /// Whether there is a multirange type: from PostgreSQL 14 on.
            has_multirange: bool,
        }
    }

    /// A collation. Its version is not compared.
    Collation {
        /// The provider: `libc`, `icu`, `builtin`.
        provider: String,
        /// Whether only equal bytes are equal.
        deterministic: bool,
        /// The locale of ICU and builtin collations.
        locale: Option<String>,
        /// LC_COLLATE of libc collations.
        lc_collate: Option<String>,
        /// LC_CTYPE of libc collations.
        lc_ctype: Option<String>,
        /// The rules of an ICU collation (PostgreSQL 16).
        rules: Option<String>,
    }
}
