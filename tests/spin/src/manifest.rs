//! What the host needs of `spin.toml`. It is read as strictly as Spin reads it where that would otherwise be found out in
//! production: unknown fields, variables without a value, hosts with a path.

use std::collections::BTreeMap;
use std::path::{self, Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    spin_manifest_version: u32,
    #[serde(rename = "application")]
    _application: toml::Table,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    trigger: Triggers,
    component: BTreeMap<String, Component>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variable {
    default: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default, rename = "secret")]
    _secret: bool,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    http: Vec<HttpTrigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTrigger {
    route: String,
    component: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    #[serde(default, rename = "description")]
    _description: Option<String>,
    source: String,
    #[serde(default)]
    files: Vec<Files>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    key_value_stores: Vec<String>,
    #[serde(default)]
    sqlite_databases: Vec<String>,
    #[serde(default, rename = "build")]
    _build: toml::Table,
}

/// A folder that the component sees, in the one form that this host knows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Files {
    source: String,
    destination: String,
}

/// The application: one component that answers everything.
#[derive(Debug)]
pub(crate) struct App {
    /// The component's file.
    pub(crate) wasm: PathBuf,
    /// What it is granted.
    pub(crate) grants: Grants,
    /// Folders that it may read, and where it sees them.
    pub(crate) folders: Vec<(PathBuf, String)>,
}

/// What a component may use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grants {
    /// Its variables with their values.
    pub(crate) variables: BTreeMap<String, String>,
    /// Origins it may send requests to: `scheme://host[:port]`.
    pub(crate) hosts: Vec<Origin>,
    /// Labels of key-value stores.
    pub(crate) key_value_stores: Vec<String>,
    /// Labels of databases.
    pub(crate) sqlite_databases: Vec<String>,
}

/// Where requests may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl Origin {
    /// Reads `scheme://host[:port]`, without a path.
    fn parse(text: &str) -> Result<Self> {
        let uri: http::Uri = text.parse().with_context(|| format!("`{text}` is no host"))?;
        ensure!(matches!(uri.path(), "" | "/"), "`{text}` has a path but is not allowed to");
        Self::of(&uri).with_context(|| format!("`{text}` has no scheme or no host"))
    }

    /// The origin of an address.
    pub(crate) fn of(uri: &http::Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?.to_owned();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        Some(Self { host: uri.host()?.to_owned(), scheme, port })
    }
}

/// Reads the manifest. `given` wins over the environment (`SPIN_VARIABLE_NAME`), which wins over a default.
pub(crate) fn read(
    path: &Path,
    given: &BTreeMap<String, String>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<App> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let file: File = toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    ensure!(file.spin_manifest_version == 2, "spin_manifest_version is not 2");
    let [HttpTrigger { route, component }] = &file.trigger.http[..] else {
        bail!("this host runs applications with one HTTP trigger");
    };
    ensure!(route == "/...", "the route `{route}` does not take everything");
    let component = file.component.get(component).with_context(|| format!("no component `{component}`"))?;
    let values = values(&file.variables, given, environment)?;
    let resolve = |template: &str| resolve(template, &values);
    let mut grants = Grants {
        key_value_stores: component.key_value_stores.clone(),
        sqlite_databases: component.sqlite_databases.clone(),
        ..Grants::default()
    };
    for (name, template) in &component.variables {
        grants.variables.insert(name.clone(), resolve(template)?);
    }
    for host in &component.allowed_outbound_hosts {
        grants.hosts.push(Origin::parse(&resolve(host)?)?);
    }
    let here = path.parent().unwrap_or(Path::new("."));
    let folders = component.files.iter().map(|files| folder(here, files)).collect::<Result<_>>()?;
    Ok(App { wasm: here.join(&component.source), grants, folders })
}

/// Spin takes folders below that of the manifest only, and copies them, so they have to be there when it starts.
fn folder(here: &Path, Files { source, destination }: &Files) -> Result<(PathBuf, String)> {
    let below = Path::new(source).components().all(|part| matches!(part, path::Component::Normal(_)));
    ensure!(below, "`{source}` is not below the manifest");
    ensure!(destination.starts_with('/'), "`{destination}` is not absolute");
    let path = here.join(source);
    ensure!(path.is_dir(), "the folder {} does not exist", path.display());
    Ok((path, destination.clone()))
}

fn values(
    declared: &BTreeMap<String, Variable>,
    given: &BTreeMap<String, String>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>> {
    if let Some(name) = given.keys().find(|name| !declared.contains_key(*name)) {
        bail!("there is no variable `{name}`");
    }
    let mut values = BTreeMap::new();
    for (name, variable) in declared {
        let valid = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        ensure!(valid && !name.contains("__"), "`{name}` is no name of a variable");
        ensure!(
            variable.required != variable.default.is_some(),
            "`{name}` needs a default or `required`, not both"
        );
        let given = given.get(name).cloned();
        let value = given.or_else(|| environment(&format!("SPIN_VARIABLE_{}", name.to_uppercase())));
        let value = value.or_else(|| variable.default.clone());
        values.insert(name.clone(), value.with_context(|| format!("the variable `{name}` has no value"))?);
    }
    Ok(values)
}

/// Replaces each `{{ name }}`.
fn resolve(template: &str, values: &BTreeMap<String, String>) -> Result<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").with_context(|| format!("`{template}` has no end"))?;
        let value = values.get(name.trim()).with_context(|| format!("`{template}`: no such variable"))?;
        text.push_str(before);
        text.push_str(value);
        rest = after;
    }
    Ok(text + rest)
}
