//! The manifest of the component with PostgreSQL, made of `spin.toml`, so that there is one place for hosts, variables and files.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use toml::{Table, Value};

use crate::proc::{self, root};

/// What is built for Spin, and so where this manifest lies.
const FOLDER: &str = "target/spin/";
/// The component's name in the manifest.
const NAME: &str = "voicecore";
/// The server's, as the manifest has to name it: `host:port`.
const PLACE: &str = "database_place";
/// Its address, with the password.
const ADDRESS: &str = "database_url";

/// Writes it beside the component, `wasm`, and returns where it is.
pub(crate) fn write_on_postgres(wasm: &str) -> Result<PathBuf> {
    let text = fs::read_to_string(root().join("spin.toml")).context("reading spin.toml")?;
    let place = proc::work_dir("spin")?.join("voicecore-postgres.toml");
    fs::write(&place, on_postgres(&text, wasm)?).with_context(|| format!("writing {}", place.display()))?;
    Ok(place)
}

/// Another component; the server among the hosts that it may reach, and its address among what it is told; no SQLite.
fn on_postgres(text: &str, wasm: &str) -> Result<String> {
    let mut manifest: Table = text.parse().context("reading spin.toml")?;
    let variables = table(&mut manifest, &["variables"])?;
    let required = [("required".to_owned(), Value::from(true))];
    let secret = [("secret".to_owned(), Value::from(true))];
    variables.insert(PLACE.to_owned(), Table::from_iter(required.clone()).into());
    variables.insert(ADDRESS.to_owned(), required.into_iter().chain(secret).collect::<Table>().into());
    let told = table(&mut manifest, &["component", NAME, "variables"])?;
    told.insert(ADDRESS.to_owned(), format!("{{{{ {ADDRESS} }}}}").into());
    let component = table(&mut manifest, &["component", NAME])?;
    component.insert("source".to_owned(), wasm.into());
    component.remove("sqlite_databases").context("spin.toml: no sqlite_databases")?;
    component.remove("build");
    let hosts = component.get_mut("allowed_outbound_hosts").and_then(Value::as_array_mut);
    hosts
        .context("spin.toml: no allowed_outbound_hosts")?
        .push(format!("postgres://{{{{ {PLACE} }}}}").into());
    let files = component.get_mut("files").and_then(Value::as_array_mut).context("spin.toml: no files")?;
    for source in files.iter_mut().filter_map(|file| file.get_mut("source")) {
        let path = source.as_str().and_then(|path| path.strip_prefix(FOLDER));
        *source =
            path.with_context(|| format!("spin.toml: {source} is not below {FOLDER}"))?.to_owned().into();
    }
    let made = toml::to_string(&manifest)?;
    ensure!(!made.contains(FOLDER), "spin.toml: a path of it has not been made relative to {FOLDER}");
    Ok(made)
}

fn table<'a>(manifest: &'a mut Table, path: &[&str]) -> Result<&'a mut Table> {
    path.iter().try_fold(manifest, |table, name| {
        table
            .get_mut(*name)
            .and_then(Value::as_table_mut)
            .with_context(|| format!("spin.toml: no table {name}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_on_postgres_reaches_its_server_and_has_all_else_of_spin_toml() {
        let text = fs::read_to_string(root().join("spin.toml")).unwrap();
        let (ours, made): (Table, Table) =
            (text.parse().unwrap(), on_postgres(&text, "x.wasm").unwrap().parse().unwrap());
        let component = &made["component"][NAME];
        assert_eq!(component["source"].as_str(), Some("x.wasm"));
        assert_eq!(component["files"][0]["source"].as_str(), Some("dashboard"));
        assert_eq!(component["variables"]["database_url"].as_str(), Some("{{ database_url }}"));
        let hosts = component["allowed_outbound_hosts"].as_array().unwrap();
        let before = ours["component"][NAME]["allowed_outbound_hosts"].as_array().unwrap();
        assert_eq!(&hosts[..before.len()], before);
        assert_eq!(hosts[before.len()..], [Value::from("postgres://{{ database_place }}")]);
        assert_eq!(made["variables"]["database_url"]["secret"].as_bool(), Some(true));
        for (name, variable) in ours["variables"].as_table().unwrap() {
            assert_eq!(&made["variables"][name], variable);
        }
        assert!(component.get("sqlite_databases").is_none() && component.get("build").is_none());
        assert_eq!(made["trigger"], ours["trigger"]);
        assert!(on_postgres("", "x.wasm").is_err());
    }
}
