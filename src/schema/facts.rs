use serde_json::Value;

/// A set of attributes that can be compared one by one.
pub trait Compare {
    /// The names of all compared attributes.
    #[cfg(any(test, feature = "internals"))]
    const ATTRIBUTES: &'static [&'static str];

    /// Calls `differs` with the name and both values of every attribute that differs.
    fn compare(&self, other: &Self, differs: &mut dyn FnMut(&'static str, Value, Value));

    /// Whether no attribute differs. Equality also sees what is not compared.
    fn is_same(&self, other: &Self) -> bool;
}

/// Defines structs of facts. Every field is compared, except those after `@uncompared`, which only
/// describe how the database wrote the object. So an attribute cannot be read and then be forgotten
/// by the comparison.
macro_rules! facts {
    ($(
        $(#[$meta:meta])*
        $name:ident {
            $( $(#[$field_meta:meta])* $field:ident: $type:ty, )*
            $( @uncompared { $( $(#[$other_meta:meta])* $other:ident: $other_type:ty, )* } )?
        }
    )*) => { $(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(default, skip_serializing_if = "crate::schema::facts::is_default")]
                pub $field: $type,
            )*
            $( $(
                $(#[$other_meta])*
                #[serde(default, skip_serializing_if = "crate::schema::facts::is_default")]
                pub $other: $other_type,
            )* )?
        }

        impl crate::schema::Compare for $name {
            #[cfg(any(test, feature = "internals"))]
            const ATTRIBUTES: &'static [&'static str] = &[ $( stringify!($field), )* ];

            #[allow(unused_variables)]
            fn compare(
                &self,
                other: &Self,
                differs: &mut dyn FnMut(&'static str, serde_json::Value, serde_json::Value),
            ) {
                $(
                    if self.$field != other.$field {
                        differs(
                            stringify!($field),
                            crate::schema::facts::value(&self.$field),
                            crate::schema::facts::value(&other.$field),
                        );
                    }
                )*
            }

            #[allow(unused_variables)]
            fn is_same(&self, other: &Self) -> bool {
                true $( && self.$field == other.$field )*
            }
        }
    )* };
}

pub(super) use facts;

/// Whether a value is the default of its type, which JSON omits.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A fact as JSON.
pub(super) fn value(fact: &impl serde::Serialize) -> Value {
    // Facts are made of strings, numbers, lists and maps with string keys, which always serialize.
    serde_json::to_value(fact).unwrap_or(Value::Null)
}
