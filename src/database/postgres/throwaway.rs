//! Scratch databases for scripts and schemas.

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};

use super::{
    super::{DatabaseError, Location, Scratch, ScratchError, ScratchRequest, ScratchWay, Settings},
    admin::quoted,
    backup::{failed, optional, properties, text},
    connect,
    message::{literal, rows, unpinned_rows},
    options::ServerOptions,
    own_server::OwnServer,
    scratch::{self, SCRATCH},
    url,
};

/// A scratch database, and the server that was started for it.
pub(in crate::database) struct Throwaway {
    scratch: scratch::Scratch,
    location: Location,
    way: ScratchWay,
    server: Option<OwnServer>,
}

/// Creates a scratch database in the first way that works.
///
/// # Errors
/// The reasons why no way works.
pub(in crate::database) async fn create(
    request: &ScratchRequest,
    like: &ServerOptions,
) -> Result<Throwaway, ScratchError> {
    let mut failures = Vec::new();
    let way = match &request.url {
        Some(_) => ScratchWay::Url,
        None => ScratchWay::Beside,
    };
    let server = match &request.url {
        Some(Location::Postgres(options)) => options.as_ref(),
        _ => like,
    };
    match on_server(request, like, server, way).await {
        Ok(made) => return Ok(made),
        Err(error) => failures.push((way, error)),
    }
    // A server that was named is either used, or the reason why not is the answer.
    if request.url.is_none() {
        match on_own_server(request, like).await {
            Ok(made) => return Ok(made),
            Err(error) => failures.push((ScratchWay::OwnServer, error)),
        }
    }
    Err(ScratchError(failures))
}

async fn on_server(
    request: &ScratchRequest,
    like: &ServerOptions,
    server: &ServerOptions,
    way: ScratchWay,
) -> Result<Throwaway, DatabaseError> {
    let model = Model::read(like, &request.settings).await?;
    let mut properties = model.properties;
    if way != ScratchWay::Beside {
        // Another machine may lack the locales.
        properties.retain(|name, _| name == "encoding_name");
        if properties.contains_key("encoding_name") {
            properties.insert("datcollate".to_owned(), "C".to_owned());
            properties.insert("datctype".to_owned(), "C".to_owned());
        }
    }
    let settings = &request.settings;
    let scratch = scratch::Scratch::create(server, settings, SCRATCH, &properties, false).await?;
    let options = server.clone().database(&scratch.name);
    let mut made = Throwaway {
        location: Location::Postgres(Box::new(options)),
        scratch,
        way,
        server: None,
    };
    let roles = match way {
        ScratchWay::OwnServer => model.roles.as_slice(),
        ScratchWay::Url | ScratchWay::Beside => &[],
    };
    let furnished = made.furnish(roles, &model.settings, request.schema.as_deref());
    match furnished.await {
        Ok(()) => Ok(made),
        Err(error) => {
            // The error of the furnishing is the one to report.
            let _ = Box::new(made).drop().await;
            Err(error)
        }
    }
}

async fn on_own_server(
    request: &ScratchRequest,
    like: &ServerOptions,
) -> Result<Throwaway, DatabaseError> {
    let starting = tokio::task::spawn_blocking(OwnServer::start).await;
    let server = starting.map_err(|error| DatabaseError::Other(error.to_string()))??;
    let options = server.options()?;
    let mut made = on_server(request, like, &options, ScratchWay::OwnServer).await?;
    made.server = Some(server);
    Ok(made)
}

impl Throwaway {
    /// Gives the server the roles, and the database the settings and the schema, that the first
    /// script finds.
    async fn furnish(
        &mut self,
        roles: &[String],
        settings: &[String],
        schema: Option<&str>,
    ) -> Result<(), DatabaseError> {
        for role in roles {
            let sql = format!("CREATE ROLE {}", quoted(role));
            // The server's own superuser may have the same name.
            let _ = unpinned_rows(&mut self.scratch.server.connection, &sql).await;
        }
        let name = quoted(&self.scratch.name);
        for setting in settings {
            let sql = format!("ALTER DATABASE {name} SET {setting}");
            let set = unpinned_rows(&mut self.scratch.server.connection, &sql).await;
            set.map_err(|error| failed(&error))?;
        }
        let Some(schema) = schema.filter(|schema| *schema != "public") else {
            return Ok(());
        };
        let Location::Postgres(options) = &self.location else {
            return Ok(());
        };
        let mut connection = session(options, &self.scratch.settings).await?;
        let sql = format!("CREATE SCHEMA {}", quoted(schema));
        let made = unpinned_rows(&mut connection, &sql).await;
        let _ = connection.close().await;
        made.map(drop).map_err(|error| failed(&error))
    }
}

#[async_trait]
impl Scratch for Throwaway {
    fn location(&self) -> &Location {
        &self.location
    }

    fn shares_server(&self) -> bool {
        self.way == ScratchWay::Beside
    }

    async fn drop(self: Box<Self>) -> Result<(), DatabaseError> {
        let Self {
            scratch, server, ..
        } = *self;
        let dropped = scratch.drop().await;
        match server {
            // The database ends with its server.
            Some(server) => tokio::task::spawn_blocking(move || server.stop())
                .await
                .map_err(|error| DatabaseError::Other(error.to_string())),
            None => dropped,
        }
    }
}

/// What a scratch database takes over from the database that it is to resemble.
#[derive(Default)]
struct Model {
    properties: std::collections::BTreeMap<String, String>,
    /// The settings of the database, as `name = value`.
    settings: Vec<String>,
    /// The names of the server's roles.
    roles: Vec<String>,
}

impl Model {
    /// Reads the model; nothing if the database does not exist yet.
    async fn read(like: &ServerOptions, settings: &Settings) -> Result<Self, DatabaseError> {
        let mut connection = match session(like, settings).await {
            Ok(connection) => connection,
            Err(DatabaseError::Missing { .. }) => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let found = Self::ask(&mut connection).await;
        let _ = connection.close().await;
        found
    }

    async fn ask(connection: &mut PgConnection) -> Result<Self, DatabaseError> {
        let properties = properties(connection).await?;
        let sql = "SELECT pg_catalog.unnest(s.setconfig) \
                   FROM pg_catalog.pg_db_role_setting AS s, pg_catalog.pg_database AS d \
                   WHERE s.setdatabase = d.oid AND d.datname = pg_catalog.current_database() \
                   AND s.setrole::pg_catalog.int8 IN (0, (SELECT r.oid::pg_catalog.int8 \
                   FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)) \
                   ORDER BY s.setrole";
        let found = rows(connection, sql)
            .await
            .map_err(|error| failed(&error))?;
        let mut settings = Vec::new();
        for row in &found {
            let setting = optional(Some(row), 0)?.unwrap_or_default();
            let Some((name, value)) = setting.split_once('=') else {
                continue;
            };
            settings.push(format!("{name} = {}", setting_value(name, value)));
        }
        let sql = "SELECT r.rolname::pg_catalog.text FROM pg_catalog.pg_roles AS r \
                   WHERE r.oid::pg_catalog.int8 OPERATOR(pg_catalog.>=) 16384";
        let found = rows(connection, sql)
            .await
            .map_err(|error| failed(&error))?;
        let roles: Result<Vec<String>, _> = found.iter().map(|row| text(Some(row), 0)).collect();
        Ok(Self {
            properties,
            settings,
            roles: roles?,
        })
    }
}

/// The value of a setting as SET takes it. Lists are kept with the quotes that the server gave them.
fn setting_value(name: &str, value: &str) -> String {
    const LISTS: &[&str] = &[
        "search_path",
        "temp_tablespaces",
        "session_preload_libraries",
        "local_preload_libraries",
        "DateStyle",
    ];
    let is_list = LISTS.iter().any(|list| list.eq_ignore_ascii_case(name));
    if is_list && !value.is_empty() {
        value.to_owned()
    } else {
        literal(value)
    }
}

/// A plain session with a database.
async fn session(
    options: &ServerOptions,
    settings: &Settings,
) -> Result<PgConnection, DatabaseError> {
    let options = connect::prepared(options, settings);
    let place = url::place(&options);
    let opened = connect::open(&options, &[], settings.connect_timeout, &place).await;
    opened.map(|(connection, _)| connection)
}
