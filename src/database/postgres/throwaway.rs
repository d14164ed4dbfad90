//! Scratch databases for scripts and schemas.

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};

use super::{
    super::{DatabaseError, Location, Scratch, ScratchError, ScratchRequest, ScratchWay, Settings},
    admin::{Server, quoted},
    connect,
    message::{literal, rows, unpinned_rows},
    options::ServerOptions,
    own_server::OwnServer,
    properties::{failed, optional, properties_of, text},
    scratch::{self, SCRATCH},
    template::{self, Claim, Surroundings, Template},
    url,
};

/// A scratch database, and the server that was started for it.
pub(in crate::database) struct Throwaway {
    scratch: scratch::Scratch,
    location: Location,
    way: ScratchWay,
    /// The template that is to be made of it.
    template: Option<Template>,
    is_copy: bool,
    server: Option<OwnServer>,
}

/// The maximum number of attempts to copy a template that others drop.
const ATTEMPTS: usize = 10;

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
    let server = server_of(request.url.as_ref(), like);
    match on_server(request, like, server, way).await {
        Ok(made) => return Ok(made),
        Err(error) => failures.push((way, error)),
    }
    // A server that was named is either used, or the reason why not is the answer.
    if request.url.is_none() && !(request.stopped)() {
        match on_own_server(request, like).await {
            Ok(made) => return Ok(made),
            Err(error) => failures.push((ScratchWay::OwnServer, error)),
        }
    }
    Err(ScratchError(failures))
}

/// The server for scratch databases like the one at `like`.
pub(super) fn server_of<'a>(
    url: Option<&'a Location>,
    like: &'a ServerOptions,
) -> &'a ServerOptions {
    match url {
        Some(Location::Postgres(options)) => options,
        _ => like,
    }
}

async fn on_server(
    request: &ScratchRequest,
    like: &ServerOptions,
    options: &ServerOptions,
    way: ScratchWay,
) -> Result<Throwaway, DatabaseError> {
    let mut attempt = 1;
    loop {
        match try_on_server(request, like, options, way).await {
            Err(error) if attempt < ATTEMPTS && template::is_gone(&error) => attempt += 1,
            made => return made,
        }
    }
}

async fn try_on_server(
    request: &ScratchRequest,
    like: &ServerOptions,
    options: &ServerOptions,
    way: ScratchWay,
) -> Result<Throwaway, DatabaseError> {
    let settings = &request.settings;
    let mut server = Server::connect_beside(options, settings).await?;
    let model = match way {
        // The catalogs of databases and their settings are the same in all databases of a server.
        ScratchWay::Beside => Model::ask(&mut server.connection, url::database(like)).await?,
        _ => Model::read(like, settings).await?,
    };
    let properties = model.properties(way);
    scratch::sweep(&mut server).await?;
    let mut wanted = None;
    if let Some(template) = request
        .template
        .as_ref()
        .filter(|_| way != ScratchWay::OwnServer)
    {
        let around = Surroundings {
            properties: &properties,
            settings: &model.settings,
            schema: request.schema.as_deref(),
            user: options.get_username(),
        };
        let template = Template::of(&server, template, &around);
        match template.claim(&mut server, &*request.stopped).await? {
            Claim::Copy => return copy(server, (options, settings), way, &template).await,
            Claim::Make => wanted = Some(template),
            Claim::Impossible => {}
        }
    }
    let creation = |name: &str| scratch::creation(name, &properties, false);
    let scratch = scratch::Scratch::open(server, (options, settings), SCRATCH, creation).await?;
    let mut made = Throwaway::new(scratch, way);
    made.template = wanted;
    let furnished = made.furnish(request, &model);
    match furnished.await {
        Ok(()) => Ok(made),
        Err(error) => {
            // The error of the furnishing is the one to report.
            let _ = Box::new(made).drop().await;
            Err(error)
        }
    }
}

/// Creates a copy of a template whose lock is shared.
async fn copy(
    server: Server,
    place: (&ServerOptions, &Settings),
    way: ScratchWay,
    template: &Template,
) -> Result<Throwaway, DatabaseError> {
    let creation = |name: &str| template.creation(name);
    let mut scratch = scratch::Scratch::open(server, place, SCRATCH, creation).await?;
    let name = scratch.name.clone();
    if let Err(error) = template.finish(&mut scratch.server, &name).await {
        // The first error is the one to report.
        let _ = scratch.drop().await;
        return Err(error);
    }
    let mut made = Throwaway::new(scratch, way);
    made.is_copy = true;
    Ok(made)
}

async fn on_own_server(
    request: &ScratchRequest,
    like: &ServerOptions,
) -> Result<Throwaway, DatabaseError> {
    // Without a server to resemble, the newest programs will do.
    let major = match Server::connect_beside(like, &request.settings).await {
        Ok(server) => {
            let version = server.connection.server_version_num();
            server.close().await;
            version.map_or(u32::MAX, |version| version / 10_000)
        }
        Err(_) => u32::MAX,
    };
    let starting = tokio::task::spawn_blocking(move || OwnServer::start(major)).await;
    let server = starting.map_err(|error| DatabaseError::Other(error.to_string()))??;
    let options = server.options()?;
    let mut made = on_server(request, like, &options, ScratchWay::OwnServer).await?;
    made.server = Some(server);
    Ok(made)
}

impl Throwaway {
    fn new(scratch: scratch::Scratch, way: ScratchWay) -> Self {
        let options = scratch.options.clone().database(&scratch.name);
        Self {
            location: Location::Postgres(Box::new(options)),
            scratch,
            way,
            template: None,
            is_copy: false,
            server: None,
        }
    }

    /// Gives the server the roles, and the database the settings and the schema, that the first
    /// script finds.
    async fn furnish(
        &mut self,
        request: &ScratchRequest,
        model: &Model,
    ) -> Result<(), DatabaseError> {
        let connection = &mut self.scratch.server.connection;
        for role in model
            .roles
            .iter()
            .filter(|_| self.way == ScratchWay::OwnServer)
        {
            let sql = format!("CREATE ROLE {}", quoted(role));
            // The server's own superuser may have the same name.
            let _ = unpinned_rows(connection, &sql).await;
        }
        let name = quoted(&self.scratch.name);
        let mut commands = vec![template::noting(
            &self.scratch.name,
            request.template.as_ref(),
        )];
        let settings = model.settings.iter();
        commands.extend(settings.map(|setting| format!("ALTER DATABASE {name} SET {setting}")));
        let done = unpinned_rows(connection, &commands.join(";\n")).await;
        done.map_err(|error| failed(&error))?;
        let schema = request.schema.as_deref();
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

    fn is_copy(&self) -> bool {
        self.is_copy
    }

    async fn keep(mut self: Box<Self>) -> Result<Box<dyn Scratch>, DatabaseError> {
        let Some(template) = self.template.take() else {
            return Ok(self);
        };
        let name = self.scratch.name.clone();
        if !template.publish(&mut self.scratch.server, &name).await? {
            return Ok(self);
        }
        let Self { scratch, way, .. } = *self;
        let mut server = scratch.server;
        // The newest template is there, whatever becomes of the others.
        let _ = template.prune(&mut server).await;
        let place = (&scratch.options, &scratch.settings);
        let made = copy(server, place, way, &template).await?;
        Ok(Box::new(made))
    }

    async fn renew(&mut self) -> Result<(), DatabaseError> {
        self.scratch.renew().await
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
    properties: BTreeMap<String, String>,
    /// The settings of the database, as `name = value`.
    settings: Vec<String>,
    /// The names of the server's roles.
    roles: Vec<String>,
}

/// The settings of a database, as `name = value`.
///
/// # Errors
/// Fails when the server does not answer.
pub(super) async fn settings_of(
    like: &ServerOptions,
    settings: &Settings,
) -> Result<Vec<String>, DatabaseError> {
    Ok(Model::read(like, settings).await?.settings)
}

impl Model {
    /// Reads the model over a session of its own; nothing if the database does not exist yet.
    async fn read(like: &ServerOptions, settings: &Settings) -> Result<Self, DatabaseError> {
        let mut connection = match session(like, settings).await {
            Ok(connection) => connection,
            Err(DatabaseError::Missing { .. }) => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let found = Self::ask(&mut connection, url::database(like)).await;
        let _ = connection.close().await;
        found
    }

    /// Reads the model of the database `name` of the server; nothing if it does not exist yet.
    async fn ask(connection: &mut PgConnection, name: &str) -> Result<Self, DatabaseError> {
        let properties = properties_of(connection, name).await?;
        let sql = format!(
            "SELECT pg_catalog.unnest(s.setconfig) \
             FROM pg_catalog.pg_db_role_setting AS s, pg_catalog.pg_database AS d \
             WHERE s.setdatabase = d.oid AND d.datname = {}::pg_catalog.name \
             AND s.setrole::pg_catalog.int8 IN (0, (SELECT r.oid::pg_catalog.int8 \
             FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)) \
             ORDER BY s.setrole",
            literal(name)
        );
        let found = rows(connection, &sql)
            .await
            .map_err(|error| failed(&error))?;
        let mut settings = Vec::new();
        for row in &found {
            let setting = optional(Some(row), 0)?.unwrap_or_default();
            let Some((name, value)) = setting.split_once('=') else {
                continue;
            };
            settings.push(assignment(name, value));
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

    /// The properties of a scratch database that is made in that way.
    fn properties(&self, way: ScratchWay) -> BTreeMap<String, String> {
        let mut properties = self.properties.clone();
        if way != ScratchWay::Beside {
            // Another machine may lack the locales.
            properties.retain(|name, _| name == "encoding_name");
            if properties.contains_key("encoding_name") {
                properties.insert("datcollate".to_owned(), "C".to_owned());
                properties.insert("datctype".to_owned(), "C".to_owned());
            }
        }
        properties
    }
}

/// `name = value`, as SET takes it.
pub(super) fn assignment(name: &str, value: &str) -> String {
    format!("{name} = {}", setting_value(name, value))
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
