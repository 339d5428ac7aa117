//! Hostile words in otherwise good bodies: at every text of every body of the OpenAPI document, nested ones too, on things that exist.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_conformance::block_on;
use voicecore_domain::SetupToken;
use voicecore_store::directory;

use crate::hostile::{Operation, Site, WORDS, assert_refused, operations, stored};
use crate::keyed;
use crate::phone_numbers::owned;
use crate::turns::says;
use crate::world::{NOW, PASSWORD, Reply, World};

/// What is wrong at a field is said as 422, but for these: nobody is told what of a login or a set-up link is wrong.
const NOT_NAMED: [(&str, &str, u16); 2] =
    [("POST /api/v1/auth/login", "/password", 401), ("POST /api/v1/setup/claim", "/token", 403)];
/// Fields that are wrong as soon as another is.
const ALSO_NAMED: [(&str, &str); 1] = [("POST /api/v1/calls/{id}/intervene", "text")];

/// How sealed texts begin.
const SEALED: &str = "v1.";

struct Trial<'a> {
    site: &'a Site,
    /// Where each change goes: to what is there.
    targets: BTreeMap<String, String>,
    department: String,
    /// Bodies that were made: what must not be there twice is another in each.
    made: u32,
}

impl<'a> Trial<'a> {
    fn new(site: &'a Site) -> Self {
        let world = &site.world;
        let requests = keyed::requests(world, &site.tenant);
        let mut targets: BTreeMap<_, _> =
            requests.into_iter().map(|(name, (target, _))| (name.to_owned(), target)).collect();
        let created = |target: &str, body: &Value| {
            let reply = site.ask(Method::POST, target, body);
            assert_eq!(reply.status, 201, "{target}: {}", reply.body);
            reply.json()["id"].as_str().unwrap().to_owned()
        };
        let department = created("/api/v1/departments", &json!({"name": "Above"}));
        let views = "/api/v1/saved-views";
        let view = created(views, &json!({"name": "V", "noun": "calls", "columns": ["status"]}));
        let doomed = world.tenant("+15005550002").id;
        let tenants = "/api/v1/tenants";
        for (name, target) in [
            ("PUT /api/v1/saved-views/{id}", format!("{views}/{view}")),
            ("PATCH /api/v1/tenants/{id}", format!("{tenants}/{}", site.tenant.id)),
            ("DELETE /api/v1/tenants/{id}", format!("{tenants}/{doomed}")),
        ] {
            targets.insert(name.to_owned(), target);
        }
        Self { site, targets, department, made: 0 }
    }

    fn target(&self, operation: &Operation) -> String {
        let name = operation.name.clone();
        assert!(self.targets.contains_key(&name) || !name.contains('{'), "nothing is there for {name}");
        self.targets.get(&name).cloned().unwrap_or_else(|| operation.path.clone())
    }

    /// The example, on what is there and with what nobody has yet.
    fn good(&mut self, operation: &Operation, example: &Value) -> Value {
        self.made += 1;
        let (n, world) = (self.made, &self.site.world);
        let name = operation.name.clone();
        let mut body = example.clone();
        for (field, value) in body.as_object_mut().unwrap() {
            *value = match field.as_str() {
                "departments" => json!([self.department]),
                "parent_id" => json!(self.department),
                "business_id" => json!(self.site.tenant.business_id),
                "tenant_id" => json!(self.site.tenant.id),
                "phone_number" if name == "POST /api/v1/phone-numbers" => json!(keyed::NEW_NUMBER),
                "phone_number" => json!(format!("+1500556{n:04}")),
                "step" if name.ends_with("/messages") => {
                    let call =
                        world.get(self.target(operation).trim_end_matches("/messages"), &self.site.admin);
                    call.json()["step"].clone()
                }
                "extension" => json!(format!("{n}")),
                "name" if name == "DELETE /api/v1/tenants/{id}" => json!("Bella & Sons"),
                "name" => json!(format!("Name {n}")),
                "token" => json!(token(world, &self.site.admin, &name, n)),
                "email" if name == "POST /api/v1/auth/login" => {
                    let email = format!("user{n}@example.com");
                    world.user(&self.site.tenant.id, &email, "viewer");
                    json!(email)
                }
                "email" | "owner_email" => json!(format!("new{n}@example.com")),
                _ => continue,
            };
        }
        body
    }

    /// What is asked elsewhere of a body that is taken is answered.
    fn answer(&self, name: &str) {
        if name.ends_with("/messages") {
            says(&self.site.world, "Yes, we are.");
        }
        if name == "POST /api/v1/phone-numbers" {
            owned(&self.site.world, keyed::NEW_NUMBER, "");
        }
    }
}

/// Whoever the token of the `n`th body is for.
fn guest(n: u32) -> String {
    format!("guest{n}@example.com")
}

/// One that has not been used.
fn token(world: &World, admin: &str, name: &str, n: u32) -> String {
    let email = guest(n);
    if name == "POST /api/v1/setup/claim" {
        let token = SetupToken::new(&world.doubles.rng.bytes());
        block_on(directory::create_setup_token(&*world.doubles.db, &token, &email, NOW)).unwrap();
        return token.expose().to_owned();
    }
    let sent = if name.ends_with("/accept-invitation") {
        let body = json!({"email": email, "role": "viewer"});
        world.request(Method::POST, "/api/v1/users/invitations", Some(admin), Some(&body))
    } else {
        let me = world.get("/api/v1/me", admin).json();
        world.user(me["tenant_id"].as_str().unwrap(), &email, "viewer");
        world.request(Method::POST, "/api/v1/auth/forgot-password", None, Some(&json!({"email": email})))
    };
    assert!(sent.status.is_success(), "{}", sent.body);
    world.doubles.http.requests();
    let mails = world.mails();
    let (_, link) = mails.iter().rfind(|(to, _)| *to == email).unwrap();
    link.split_once("token=").unwrap().1.to_owned()
}

/// Pointers to every text in `value`.
fn texts(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| texts(item, &format!("{at}/{n}"), found));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, item)| texts(item, &format!("{at}/{name}"), found));
        }
        _ => {}
    }
}

fn leaves(value: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    texts(value, "", &mut found);
    found.iter().map(|at| value.pointer(at).unwrap().as_str().unwrap()).collect()
}

/// The body with the word at each text; fields that the example leaves out hold it, too.
fn with_word(good: &Value, schema: &Value, word: &str) -> Vec<(String, Value)> {
    let mut at = Vec::new();
    texts(good, "", &mut at);
    let mut bodies = Vec::new();
    for at in at {
        let mut body = good.clone();
        *body.pointer_mut(&at).unwrap() = json!(word);
        bodies.push((at, body));
    }
    for (field, of) in schema["properties"].as_object().unwrap() {
        if good.get(field).is_none() {
            let mut body = good.clone();
            let is_list =
                of["type"].as_array().map_or(of["type"] == "array", |any| any.contains(&json!("array")));
            body[field] = if is_list { json!([word]) } else { json!(word) };
            bodies.push((format!("/{field}"), body));
        }
    }
    bodies
}

/// Everything that is shown of what was made or changed.
fn shown(site: &Site, target: &str, who: &str, reply: Option<&Reply>) -> Vec<Value> {
    let world = &site.world;
    let said: Value = reply.and_then(|reply| serde_json::from_str(&reply.body).ok()).unwrap_or_default();
    let mut shown = vec![said.clone()];
    let mut look = |target: &str, who: &str| {
        let reply = world.get(target, who);
        if reply.status == 200 {
            assert_eq!(reply.content_type(), "application/json", "{target}");
            assert_eq!(reply.headers["x-content-type-options"], "nosniff", "{target}");
            shown.push(reply.json());
        }
    };
    look(target, who);
    look(&format!("{target}/{}", said["id"].as_str().unwrap_or_default()), who);
    look(target.rsplit_once('/').unwrap().0, who);
    if let Some(token) = said["access_token"].as_str() {
        look("/api/v1/me", token);
    }
    if let Some(tenant) = said["tenant_id"].as_str().filter(|_| said["access_token"].is_null()) {
        look(&format!("/api/v1/tenants/{tenant}"), &site.root);
        let looked = world.post(&format!("/api/v1/tenants/{tenant}/impersonate"), &site.root).json();
        let token = looked["access_token"].as_str().unwrap();
        look("/api/v1/users", token);
        look("/api/v1/users/invitations", token);
        look("/api/v1/config/business", token);
        look("/api/v1/assistants", token);
        let assistants = world.get("/api/v1/assistants", token).json();
        look(&format!("/api/v1/assistants/{}", assistants["items"][0]["id"].as_str().unwrap()), token);
    }
    shown.extend(world.commands());
    shown
}

/// No text is gone but those that were shown of the thing before, and words that were tried before; what is sealed is sealed anew, and a
/// search finds a note by its words in small letters. Numbers, which PostgreSQL's dump has among the texts and SQLite's has not, go on:
/// versions do.
#[track_caller]
fn assert_kept(before: &[String], after: &[String], replaced: &[Value], what: &str) {
    let sealed = |texts: &[String]| texts.iter().filter(|text| text.starts_with(SEALED)).count();
    assert!(sealed(after) >= sealed(before), "{what}");
    let old: Vec<_> = replaced.iter().flat_map(leaves).collect();
    let after: BTreeSet<_> = after.iter().collect();
    let is_text = |text: &&String| text.parse::<u64>().is_err();
    for text in before.iter().filter(is_text).filter(|text| !after.contains(text)) {
        let was_tried =
            WORDS.iter().any(|word| text.contains("SENTINEL") || word.to_lowercase().contains(text.as_str()));
        let was_shown =
            old.iter().any(|old| text.contains(old) || old.to_lowercase().contains(text.as_str()));
        assert!(was_tried || was_shown || text.starts_with(SEALED), "{what}: {text} is gone");
    }
}

impl Trial<'_> {
    /// The word at the `n`th text of an otherwise good body. `true`: it was taken.
    fn tries(&mut self, operation: &Operation, example: &Value, word: &str, n: usize) -> bool {
        let site = self.site;
        let (schema, name) = (operation.body.as_ref().unwrap(), &operation.name);
        let (target, who) = (self.target(operation), site.credentials(operation.who));
        let good = self.good(operation, example);
        // Names are taken once.
        let is_name = with_word(&good, schema, word).swap_remove(n).0.ends_with("/name");
        let word = &if is_name { format!("{word}{}", self.made) } else { word.to_owned() };
        let (at, body) = with_word(&good, schema, word).swap_remove(n);
        let what = format!("{word:?} at {at} to {name}");
        if at == "/text" && !word.contains(['\0', '\u{202e}']) {
            self.answer(name);
        }
        site.world.commands();
        let adds = operation.method == Method::POST;
        let replaced = if adds { vec![] } else { shown(site, &target, who, None) };
        let before = stored(&site.world);
        let reply = site.world.request(operation.method.clone(), &target, Some(who), Some(&body));
        let after = stored(&site.world);
        if !reply.status.is_success() {
            assert_names(&reply, name, &at, &what);
            if reply.status == 422 {
                assert_eq!(after, before, "{what}");
            } else {
                // That somebody has tried is counted.
                let holding = |texts: &[String]| texts.iter().filter(|text| text.contains(word)).count();
                assert_eq!(holding(&after), holding(&before), "{what}");
            }
            return false;
        }
        assert_eq!(reply.headers["x-content-type-options"], "nosniff", "{what}");
        assert_kept(&before, &after, &replaced, &what);
        if at == "/password" {
            for (password, status) in [(word.as_str(), 200), (PASSWORD, 401)] {
                let tried = site.world.try_login(&guest(self.made), password, &[]);
                assert_eq!(tried.status, status, "{what}");
            }
            return true;
        }
        // Of a secret only the end is shown.
        let seen = if at == "/api_key" { &word[word.len() - 4..] } else { word };
        let shown = shown(site, &target, who, Some(&reply));
        let found = shown.iter().flat_map(leaves).any(|text| text == seen);
        assert!(found, "{what} is shown otherwise: {}", json!(shown));
        true
    }
}

/// It repeats nothing, and names the field at `at`, once.
#[track_caller]
fn assert_names(reply: &Reply, name: &str, at: &str, what: &str) {
    assert_refused(reply, what);
    if NOT_NAMED.contains(&(name, at, reply.status.as_u16())) {
        return;
    }
    // Of a list, the list is named.
    let path = at[1..].replace('/', ".");
    let is_it = |field: &String| path == *field || path.starts_with(&format!("{field}."));
    let wrong = reply.wrong_fields();
    let expected = |field: &String| is_it(field) || ALSO_NAMED.contains(&(name, field));
    let once = wrong.iter().collect::<BTreeSet<_>>().len() == wrong.len();
    assert!(once && wrong.iter().any(is_it) && wrong.iter().all(expected), "{what}: {}", reply.body);
}

/// Every text of every body, with every word. Either it is refused, names that field, repeats nothing and stores nothing; or it is a
/// text like any other: shown as it is, and what was stored before is there but for what is replaced.
#[test]
fn every_text_of_an_otherwise_good_body_is_refused_or_nothing_but_text() {
    let site = Site::new();
    site.world.actors_reply(CallReply::Accepted);
    let mut trial = Trial::new(&site);
    let (mut refused, mut taken) = (0, 0);
    for operation in operations() {
        let Some(schema) = &operation.body else { continue };
        for example in schema["examples"].as_array().unwrap() {
            for word in WORDS {
                for n in 0..with_word(example, schema, word).len() {
                    let count =
                        if trial.tries(&operation, example, word, n) { &mut taken } else { &mut refused };
                    *count += 1;
                }
            }
            // It was good but for the words.
            let good = trial.good(&operation, example);
            trial.answer(&operation.name);
            let (target, who) = (trial.target(&operation), site.credentials(operation.who));
            let reply = site.world.request(operation.method.clone(), &target, Some(who), Some(&good));
            assert!(reply.status.is_success(), "{}: {}", operation.name, reply.body);
        }
    }
    assert!(refused > 900 && taken > 190, "{refused} were refused, {taken} taken");
}
