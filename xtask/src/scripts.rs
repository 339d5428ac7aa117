//! The two scripts on Cloudflare. `wrangler.toml` is the configuration of the one in front; that of the actors is made of it, so that
//! there is one place for ids, addresses and limits.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml::{Table, Value};

use crate::build;
use crate::proc::root;

/// What both scripts are told, in the file as a whole and in each of its environments.
const SHARED: [&str; 9] = [
    "account_id",
    "compatibility_date",
    "compatibility_flags",
    "d1_databases",
    "hyperdrive",
    "kv_namespaces",
    "observability",
    "r2_buckets",
    "vars",
];
/// The classes of the actors' script, as its storage knows them (Durable Object migrations only ever add a tag).
const MIGRATIONS: &str = "[[migrations]]\ntag = \"v1\"\nnew_sqlite_classes = [\"CallActor\", \"HubActor\"]\n";

/// Writes the configuration of the actors' script into `folder`, which is made if need be, and returns where it is.
pub(crate) fn actors_configuration(folder: &Path) -> Result<PathBuf> {
    let front = fs::read_to_string(root().join("wrangler.toml")).context("reading wrangler.toml")?;
    let [script, _] = build::main_modules(false);
    fs::create_dir_all(folder)?;
    let place = folder.join("wrangler.toml");
    fs::write(&place, actors(&front, &script)?).with_context(|| format!("writing {}", place.display()))?;
    Ok(place)
}

/// The variable that says how often a minute somebody may ask, and that the limits beside the bindings are multiples of.
pub(crate) const PER_MINUTE: &str = "RATE_LIMIT_PER_MIN";

/// Writes a configuration of the script in front into `folder`, which is made if need be: that of `wrangler.toml`, in which somebody may ask so
/// often a minute. wrangler counts by what stands there, whatever the variable says. Only for a system of this machine.
pub(crate) fn front_configuration(folder: &Path, per_minute: &str) -> Result<PathBuf> {
    let front = fs::read_to_string(root().join("wrangler.toml")).context("reading wrangler.toml")?;
    fs::create_dir_all(folder)?;
    let place = folder.join("wrangler.toml");
    let limited = limited(&front, root(), per_minute)?;
    fs::write(&place, limited).with_context(|| format!("writing {}", place.display()))?;
    Ok(place)
}

fn limited(front: &str, root: &Path, per_minute: &str) -> Result<String> {
    let mut front: Table = front.parse().context("reading wrangler.toml")?;
    let per_minute: i64 = per_minute.parse().with_context(|| format!("{PER_MINUTE}: {per_minute:?}"))?;
    let told = front.get("vars").and_then(|vars| vars.get(PER_MINUTE)).and_then(Value::as_str);
    let told: i64 = told.and_then(|told| told.parse().ok()).with_context(|| format!("vars.{PER_MINUTE}"))?;
    let limits = front.get_mut("ratelimits").and_then(Value::as_array_mut).context("ratelimits")?;
    for limit in limits.iter_mut().filter_map(|limit| limit.get_mut("simple")?.get_mut("limit")) {
        let times = limit.as_integer().context("ratelimits: limit")? / told.max(1);
        *limit = per_minute.saturating_mul(times).into();
    }
    // Paths are meant from where the file lies. Whoever asks for this has built.
    front.remove("build");
    let absolute = |value: Option<&mut Value>| {
        if let Some(value) = value
            && let Some(path) = value.as_str()
        {
            *value = root.join(path).display().to_string().into();
        }
    };
    absolute(front.get_mut("main"));
    absolute(front.get_mut("assets").and_then(|assets| assets.get_mut("directory")));
    for database in front.get_mut("d1_databases").and_then(Value::as_array_mut).into_iter().flatten() {
        absolute(database.get_mut("migrations_dir"));
    }
    Ok(toml::to_string(&front)?)
}

fn actors(front: &str, script: &Path) -> Result<String> {
    let front: Table = front.parse().context("reading wrangler.toml")?;
    let mut actors = of(&front)?;
    actors.insert("main".into(), script.display().to_string().into());
    actors.insert("workers_dev".into(), false.into());
    actors.insert("preview_urls".into(), false.into());
    let rules: Table =
        "[[rules]]\ntype = \"CompiledWasm\"\nglobs = [\"**/*.wasm\"]\nfallthrough = true\n".parse()?;
    actors.extend(rules);
    actors.extend(MIGRATIONS.parse::<Table>()?);
    if let Some(environments) = front.get("env") {
        let environments = environments.as_table().context("wrangler.toml: env is no table")?;
        let made: Result<Table> = environments
            .iter()
            .map(|(name, of_front)| {
                let of_front = of_front.as_table().with_context(|| format!("wrangler.toml: env.{name}"))?;
                Ok((name.clone(), of(of_front).with_context(|| format!("wrangler.toml: env.{name}"))?.into()))
            })
            .collect();
        actors.insert("env".into(), made?.into());
    }
    Ok(toml::to_string(&actors)?)
}

/// What the actors are told of a part of the file that has bindings: the whole, or an environment.
fn of(front: &Table) -> Result<Table> {
    let mut actors: Table =
        SHARED.iter().filter_map(|key| Some(((*key).to_owned(), front.get(*key)?.clone()))).collect();
    if let Some(databases) = actors.get_mut("d1_databases").and_then(Value::as_array_mut) {
        for database in databases.iter_mut().filter_map(Value::as_table_mut) {
            // The script in front brings the schema up to date.
            database.remove("migrations_dir");
        }
    }
    if let Some(producers) = front.get("queues").and_then(|queues| queues.get("producers")) {
        actors.insert("queues".into(), Table::from_iter([("producers".into(), producers.clone())]).into());
    }
    let mut objects = front.get("durable_objects").context("durable_objects are missing")?.clone();
    let bindings =
        objects.get_mut("bindings").and_then(Value::as_array_mut).context("no durable_objects.bindings")?;
    let mut scripts = Vec::new();
    for binding in bindings.iter_mut().filter_map(Value::as_table_mut) {
        scripts.push(binding.remove("script_name").context("a durable object without script_name")?);
    }
    scripts.dedup();
    let [name] = scripts.as_slice() else { bail!("durable_objects.bindings name several scripts") };
    actors.insert("name".into(), name.clone());
    actors.insert("durable_objects".into(), objects);
    Ok(actors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(front: &str) -> Table {
        actors(front, Path::new("/build/index.js")).unwrap().parse().unwrap()
    }

    #[test]
    fn actors_have_the_databases_of_the_script_in_front_and_their_own_classes() {
        let front = fs::read_to_string(root().join("wrangler.toml")).unwrap();
        let (front, actors) = (front.parse::<Table>().unwrap(), made(&front));
        assert_eq!(actors["name"].as_str(), Some("voicecore-actors"));
        for same in ["compatibility_date", "vars", "kv_namespaces", "r2_buckets", "observability"] {
            assert_eq!(actors[same], front[same], "{same}");
        }
        assert_eq!(actors["d1_databases"][0]["database_id"], front["d1_databases"][0]["database_id"]);
        assert_eq!(actors["queues"]["producers"], front["queues"]["producers"]);
        for front_only in ["triggers", "ratelimits", "build"] {
            assert!(front.contains_key(front_only) && !actors.contains_key(front_only), "{front_only}");
        }
        assert!(actors["queues"].get("consumers").is_none(), "one script takes jobs");
        let classes = actors["migrations"][0]["new_sqlite_classes"].as_array().unwrap();
        for (binding, class) in actors["durable_objects"]["bindings"].as_array().unwrap().iter().zip(classes)
        {
            assert_eq!(&binding["class_name"], class);
            assert!(binding.get("script_name").is_none(), "the classes are the script's own");
        }
    }

    #[test]
    fn other_limits_are_the_same_multiples_and_paths_lead_where_they_did() {
        let front = fs::read_to_string(root().join("wrangler.toml")).unwrap();
        let made: Table = limited(&front, Path::new("/here"), "700").unwrap().parse().unwrap();
        let limits: Vec<_> = made["ratelimits"].as_array().unwrap().iter().collect();
        let limits: Vec<_> = limits.iter().map(|limit| limit["simple"]["limit"].as_integer()).collect();
        assert_eq!(limits, [Some(700), Some(7_000), Some(700)]);
        assert_eq!(made["main"].as_str(), Some("/here/functions/cloudflare/build/index.js"));
        assert_eq!(made["assets"]["directory"].as_str(), Some("/here/functions/dashboard/dist"));
        assert_eq!(made["d1_databases"][0]["migrations_dir"].as_str(), Some("/here/migrations"));
        assert!(!made.contains_key("build"));
        assert!(limited(&front, Path::new("/"), "many").is_err());
        assert!(limited("", Path::new("/"), "1").is_err());
    }

    #[test]
    fn every_environment_has_actors_of_its_own() {
        let front = "name = \"a\"\n[[durable_objects.bindings]]\nname = \"X\"\nscript_name = \"x\"\n\
             [env.staging]\nvars = { LEVEL = \"2\" }\n\
             [[env.staging.durable_objects.bindings]]\nname = \"X\"\nscript_name = \"y\"\n";
        let actors = made(front);
        assert_eq!(actors["name"].as_str(), Some("x"));
        assert_eq!(actors["env"]["staging"]["name"].as_str(), Some("y"));
        assert_eq!(actors["env"]["staging"]["vars"]["LEVEL"].as_str(), Some("2"));
        let several =
            front.replace("[env.", "[[durable_objects.bindings]]\nname = \"Z\"\nscript_name = \"z\"\n[env.");
        assert!(super::actors(&several, Path::new("/")).is_err());
        assert!(super::actors("", Path::new("/")).is_err());
    }
}
