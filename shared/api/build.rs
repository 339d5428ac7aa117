//! Takes out of the OpenAPI document what bodies are checked by, which every isolate carries: what each operation takes as JSON, and the schemas
//! of that, without words for people.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs, io};

use serde_json::{Map, Value, json};

const DOCUMENT: &str = "openapi.json";
/// Where the schema of a JSON body is in an operation.
const BODY: &str = "/requestBody/content/application~1json/schema";
/// What stands before the name of a schema that is referred to.
const SCHEMAS: &str = "#/components/schemas/";
/// What nothing is checked by.
const FOR_PEOPLE: [&str; 5] = ["description", "title", "example", "examples", "default"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let document: Value = serde_json::from_str(&fs::read_to_string(DOCUMENT)?)?;
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&out).join("bodies.json"), bodies(&document).to_string())
}

fn bodies(document: &Value) -> Value {
    let mut needed = BTreeSet::new();
    let mut paths = Map::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        let mut operations = Map::new();
        for (method, operation) in item.as_object().into_iter().flatten() {
            if let Some(schema) = operation.pointer(BODY) {
                operations.insert(method.clone(), bare(schema, &mut needed));
            }
        }
        if !operations.is_empty() {
            paths.insert(path.clone(), operations.into());
        }
    }
    let mut schemas = Map::new();
    while let Some(name) = needed.pop_first() {
        if !schemas.contains_key(&name) {
            let schema = bare(&document["components"]["schemas"][&name], &mut needed);
            schemas.insert(name, schema);
        }
    }
    json!({"paths": paths, "components": {"schemas": schemas}})
}

/// A schema without words for people; the names of those that it refers to go to `needed`.
fn bare(schema: &Value, needed: &mut BTreeSet<String>) -> Value {
    match schema {
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, value) in members.iter().filter(|(name, _)| !FOR_PEOPLE.contains(&name.as_str())) {
                let value = match value {
                    // These are names of fields, whatever they are.
                    Value::Object(fields) if name == "properties" => {
                        fields.iter().map(|(field, schema)| (field.clone(), bare(schema, needed))).collect()
                    }
                    other => bare(other, needed),
                };
                kept.insert(name.clone(), value);
            }
            let referred = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix(SCHEMAS));
            needed.extend(referred.map(str::to_owned));
            kept.into()
        }
        Value::Array(items) => items.iter().map(|item| bare(item, needed)).collect(),
        other => other.clone(),
    }
}
