//! A request for every operation of the OpenAPI document that is answered as it should be, and whoever may make it.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request};
use serde_json::{Value, json};
use voicecore_api::actors::CallReply;
use voicecore_api::openapi_document;

use crate::keyed;
use crate::messages::left;
use crate::search::finish;
use crate::world::{PASSWORD, Reply, Tenant, World};

/// What is a user's own in a tenant.
const OF_MEMBERS: [&str; 3] = ["/api/v1/preferences", "/api/v1/notifications", "/api/v1/saved-views"];
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Whom an operation is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Who {
    Anybody,
    /// Who is signed in.
    Person,
    /// The same, for a tenant.
    Member,
    /// Who runs the installation.
    Operator,
    /// Whose key or role has the tenant's permission.
    Permitted,
}

pub(crate) struct Operation {
    /// Method and path.
    pub(crate) name: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) who: Who,
    /// Those that it documents.
    pub(crate) statuses: Vec<String>,
    pub(crate) query: Vec<String>,
    /// The media type of its body, where it has one.
    pub(crate) takes: Option<String>,
}

impl Operation {
    pub(crate) fn is_change(&self) -> bool {
        self.method != Method::GET
    }
}

/// Every operation of the document.
pub(crate) fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi_document().to_json().unwrap()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let security = &operation["security"][0];
            let who = match (security["api_key"].is_array(), security["session"].as_array().map(Vec::len)) {
                (true, _) => Who::Permitted,
                (false, None) => Who::Anybody,
                (false, Some(0)) if OF_MEMBERS.iter().any(|prefix| path.starts_with(prefix)) => Who::Member,
                (false, Some(0)) => Who::Person,
                (false, Some(_)) => Who::Operator,
            };
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let query = parameters.filter(|parameter| parameter["in"] == "query");
            let content = operation["requestBody"]["content"].as_object();
            operations.push(Operation {
                name: format!("{method} {path}"),
                path: path.clone(),
                who,
                statuses: operation["responses"].as_object().unwrap().keys().cloned().collect(),
                query: query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect(),
                takes: content.map(|content| content.keys().next().unwrap().clone()),
                method,
            });
        }
    }
    operations
}

/// What is sent.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Ask {
    fn new(name: &str, target: &str) -> Self {
        let (method, path) = name.split_once(' ').unwrap();
        let target = if target.is_empty() { path } else { target };
        let mut ask = Self {
            method: method.parse().unwrap(),
            target: target.to_owned(),
            headers: HeaderMap::new(),
            body: String::new(),
        };
        // Whatever version it is, which some routes want to be told.
        ask.set("if-match", "*");
        ask
    }

    pub(crate) fn set(&mut self, header: &'static str, value: &str) {
        self.headers.insert(header, HeaderValue::from_str(value).unwrap());
    }

    pub(crate) fn by(mut self, credentials: &str) -> Self {
        self.set("authorization", &format!("Bearer {credentials}"));
        self
    }

    fn json(mut self, body: &Value) -> Self {
        if !body.is_null() {
            self.set("content-type", JSON);
            self.body = body.to_string();
        }
        self
    }

    fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.set("content-type", FORM);
        self.body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self
    }

    pub(crate) fn send(&self, world: &World) -> Reply {
        let mut request = Request::builder().method(self.method.clone()).uri(&self.target);
        *request.headers_mut().unwrap() = self.headers.clone();
        world.send(request.body(Body::from(self.body.clone())).unwrap())
    }
}

/// A system in which there is something for everybody.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) tenant: Tenant,
    /// A super admin, who works for no tenant, and their id.
    pub(crate) root: String,
    pub(crate) root_id: String,
    /// A key that allows nothing.
    pub(crate) powerless: String,
    /// Somebody whose tenant does not work now.
    pub(crate) suspended: String,
    /// A tenant that is being deleted.
    pub(crate) deleted: Tenant,
    /// By the name of their operation.
    pub(crate) asks: BTreeMap<String, Ask>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let world = World::new();
        let tenant = world.tenant("+15005550001");
        world.actors_reply(CallReply::Accepted);
        world.user(&tenant.id, "admin@example.com", "tenant_admin");
        let root_id = world.super_admin("root@example.com");
        let (admin, root) = (world.login("admin@example.com"), world.login("root@example.com"));
        let asks = BTreeMap::new();
        let powerless =
            made(&world, "/api/v1/api-keys", &tenant.key, &json!({"name": "None", "permissions": []}));
        let powerless = powerless["api_key"].as_str().unwrap().to_owned();
        let (suspended, deleted) = outcasts(&world, &root);
        let mut site = Self { world, tenant, root, root_id, powerless, suspended, deleted, asks };
        // Mails are read before anything else is asked of others.
        site.by_anybody();
        site.by_permitted();
        site.by_members(&admin);
        site.by_persons(&admin);
        site.by_operator();
        site
    }

    fn add(&mut self, name: &str, ask: Ask) {
        assert!(self.asks.insert(name.to_owned(), ask).is_none(), "{name} twice");
    }

    fn by_anybody(&mut self) {
        for guest in ["guest1@example.com", "guest2@example.com"] {
            let body = json!({"email": guest, "role": "viewer"});
            made(&self.world, "/api/v1/users/invitations", &self.tenant.key, &body);
        }
        for forgetful in ["forgetful1@example.com", "forgetful2@example.com"] {
            self.world.user(&self.tenant.id, forgetful, "viewer");
            let forgot = Ask::new("POST /api/v1/auth/forgot-password", "").json(&json!({"email": forgetful}));
            assert_eq!(forgot.send(&self.world).status, 202);
        }
        let mails = self.world.mails();
        let token = |to: &str| {
            let (_, link) = mails.iter().find(|(address, _)| address == to).unwrap();
            link.split_once("?token=").unwrap().1.to_owned()
        };
        let claim = |number: &str| {
            json!({"token": self.world.setup_token().expose(), "tenant_name": "T", "business_name": "B",
                "phone_number": number})
        };
        let (claim, typed) = (claim("+15005550090"), claim("+15005550091"));
        let typed: Vec<_> = typed
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let login = json!({"email": "admin@example.com", "password": PASSWORD});
        let cookies = self.world.try_login("admin@example.com", PASSWORD, &[]).cookies();
        let post = |path: &str| format!("POST {path}");
        for path in ["/health", "/ready", "/setup", "/invitation", "/reset-password", "/api/v1/live"] {
            let name = format!("GET {path}");
            self.add(&name, Ask::new(&name, ""));
        }
        let accept = json!({"token": token("guest1@example.com"), "password": PASSWORD});
        let reset = json!({"token": token("forgetful1@example.com"), "password": PASSWORD});
        for (path, body) in [
            ("/api/v1/setup/claim", claim),
            ("/api/v1/auth/login", login),
            ("/api/v1/auth/forgot-password", json!({"email": "admin@example.com"})),
            ("/api/v1/auth/accept-invitation", accept),
            ("/api/v1/auth/reset-password", reset),
        ] {
            self.add(&post(path), Ask::new(&post(path), "").json(&body));
        }
        let mut refresh = Ask::new("POST /api/v1/auth/refresh", "");
        refresh.set("cookie", &cookies.join("; "));
        self.add("POST /api/v1/auth/refresh", refresh);
        self.add("POST /setup", Ask::new("POST /setup", "").form(&typed));
        for (path, of) in
            [("/invitation", "guest2@example.com"), ("/reset-password", "forgetful2@example.com")]
        {
            let form = [("token", &*token(of)), ("password", PASSWORD)];
            self.add(&post(path), Ask::new(&post(path), "").form(&form));
        }
    }

    fn by_permitted(&mut self) {
        let key = self.tenant.key.clone();
        let changes = keyed::requests(&self.world, &self.tenant);
        let at = |name: &str| changes[name].0.clone();
        let without = |target: String, end: &str| target.strip_suffix(end).unwrap().to_owned();
        let (_, over) = self.world.call(&self.tenant, 100);
        finish(&self.world, over, 100, &["Good morning."]);
        let over = format!("/api/v1/calls/{over}");
        let notes = at("POST /api/v1/calls/{id}/notes");
        let (call, note) = (without(notes.clone(), "/notes"), at("PUT /api/v1/calls/{id}/notes/{note_id}"));
        let assistant = without(at("POST /api/v1/assistants/{id}/test-calls"), "/test-calls");
        let test_call =
            without(at("POST /api/v1/assistants/{id}/test-calls/{call_id}/messages"), "/messages");
        let (agent, business) = (at("PUT /api/v1/agents/{id}"), at("PUT /api/v1/config/business/{id}"));
        let reads = [
            ("GET /api/v1/agents/{id}", agent.clone()),
            ("GET /api/v1/agents/{id}/usage", agent + "/usage"),
            ("GET /api/v1/assistants/{id}", assistant.clone()),
            ("GET /api/v1/assistants/{id}/test-calls/{call_id}", test_call),
            ("GET /api/v1/assistants/{id}/versions", format!("{assistant}/versions")),
            ("GET /api/v1/assistants/{id}/versions/{number}", assistant + "/versions/1"),
            ("GET /api/v1/businesses/{id}/opening-hours", at("PUT /api/v1/businesses/{id}/opening-hours")),
            ("GET /api/v1/calls/{id}", call),
            ("GET /api/v1/calls/{id}/interactions", format!("{over}/interactions")),
            ("GET /api/v1/calls/{id}/notes", notes),
            ("GET /api/v1/calls/{id}/notes/{note_id}", note),
            ("GET /api/v1/calls/{id}/qa", format!("{over}/qa")),
            ("GET /api/v1/calls/{id}/transcript", over + "/transcript"),
            ("GET /api/v1/config/business/{id}", business.clone()),
            ("GET /api/v1/config/business/{id}/usage", business + "/usage"),
            ("GET /api/v1/departments/{id}", at("PUT /api/v1/departments/{id}")),
            ("GET /api/v1/roles/{id}", at("PUT /api/v1/roles/{id}")),
            ("GET /api/v1/api-keys/{id}", without(at("POST /api/v1/api-keys/{id}/rotate"), "/rotate")),
            ("GET /api/v1/messages/{id}", at("PATCH /api/v1/messages/{id}")),
            ("GET /api/v1/phone-numbers/{id}", at("PUT /api/v1/phone-numbers/{id}")),
            ("GET /api/v1/users/{id}", at("PATCH /api/v1/users/{id}")),
        ];
        for (name, target) in reads {
            self.add(name, Ask::new(name, &target).by(&key));
        }
        for (name, (target, body)) in changes {
            self.add(name, Ask::new(name, &target).by(&key).json(&body));
        }
        // The rest has nothing in its path.
        for operation in operations() {
            if operation.who == Who::Permitted && !self.asks.contains_key(&operation.name) {
                self.add(&operation.name, Ask::new(&operation.name, "").by(&key));
            }
        }
    }

    fn by_members(&mut self, admin: &str) {
        let views = "/api/v1/saved-views";
        let view = |name: &str| {
            let view = made(&self.world, views, admin, &json!({"name": name, "noun": "calls"}));
            format!("{views}/{}", view["id"].as_str().unwrap())
        };
        let (changed, deleted) = (view("A"), view("B"));
        let [read, put_away] = self.notifications(admin);
        let none = Value::Null;
        let named = json!({"name": "C", "noun": "calls"});
        for (name, target, body) in [
            ("GET /api/v1/saved-views", views, &none),
            ("GET /api/v1/saved-views/{id}", &changed, &none),
            ("POST /api/v1/saved-views", views, &named),
            ("PUT /api/v1/saved-views/{id}", &changed, &named),
            ("DELETE /api/v1/saved-views/{id}", &deleted, &none),
            ("GET /api/v1/preferences", "", &none),
            ("PUT /api/v1/preferences", "", &json!({"theme": "dark"})),
            ("GET /api/v1/notifications", "", &none),
            ("GET /api/v1/notifications/unread-count", "", &none),
            ("PATCH /api/v1/notifications/read-all", "", &none),
            ("PATCH /api/v1/notifications/{id}/read", &(read + "/read"), &none),
            ("DELETE /api/v1/notifications/{id}", &put_away, &none),
        ] {
            self.add(name, Ask::new(name, target).by(admin).json(body));
        }
    }

    /// Of words that somebody has left, in two calls.
    fn notifications(&self, admin: &str) -> [String; 2] {
        for n in [101, 102] {
            left(&self.world, &self.tenant, n, "Ring back");
        }
        let all = self.world.get("/api/v1/notifications", admin).json();
        [0, 1].map(|n| format!("/api/v1/notifications/{}", all["items"][n]["id"].as_str().unwrap()))
    }

    fn by_persons(&mut self, admin: &str) {
        for leaver in ["leaver1@example.com", "leaver2@example.com"] {
            self.world.user(&self.tenant.id, leaver, "viewer");
        }
        let second = self.world.try_login("admin@example.com", PASSWORD, &[]).json();
        let second = format!("/api/v1/sessions/{}", second["session_id"].as_str().unwrap());
        let logout = self.world.login("leaver1@example.com");
        let others = self.world.login("leaver2@example.com");
        let tenant = json!({"tenant_id": self.tenant.id});
        for (name, target, token, body) in [
            ("GET /api/v1/me", "", admin, &Value::Null),
            ("GET /api/v1/sessions", "", admin, &Value::Null),
            ("DELETE /api/v1/sessions", "", &others, &Value::Null),
            ("DELETE /api/v1/sessions/{id}", &second, admin, &Value::Null),
            ("POST /api/v1/auth/logout", "", &logout, &Value::Null),
            ("POST /api/v1/auth/tenant", "", admin, &tenant),
        ] {
            self.add(name, Ask::new(name, target).by(token).json(body));
        }
    }

    fn by_operator(&mut self) {
        let root = self.root.clone();
        let user = self.world.user(&self.tenant.id, "idle@example.com", "viewer");
        let tenants = ["+15005550061", "+15005550062"].map(|number| self.world.tenant(number));
        let [changed, doomed] = tenants.map(|tenant| format!("/api/v1/tenants/{}", tenant.id));
        let new = json!({"name": "New", "owner_email": "owner2@example.com", "phone_number": "+15005550063"});
        let report = format!("/api/v1/tenants/{}/deletion", self.deleted.id);
        let none = Value::Null;
        for (name, target, body) in [
            ("GET /api/v1/accounts", "/api/v1/accounts?email=idle@example.com", &none),
            ("POST /api/v1/accounts/{id}/deactivate", &format!("/api/v1/accounts/{user}/deactivate"), &none),
            ("POST /api/v1/accounts/{id}/reactivate", &format!("/api/v1/accounts/{user}/reactivate"), &none),
            ("GET /api/v1/tenants", "", &none),
            ("POST /api/v1/tenants", "", &new),
            ("GET /api/v1/tenants/{id}", &changed, &none),
            ("PATCH /api/v1/tenants/{id}", &changed, &json!({"name": "Renamed"})),
            ("DELETE /api/v1/tenants/{id}", &doomed, &json!({"name": "Bella & Sons"})),
            ("GET /api/v1/tenants/{id}/deletion", &report, &none),
            ("POST /api/v1/tenants/{id}/impersonate", &format!("{changed}/impersonate"), &none),
            ("POST /api/v1/tenants/{id}/suspend", &format!("{changed}/suspend"), &none),
            ("POST /api/v1/tenants/{id}/resume", &format!("{changed}/resume"), &none),
        ] {
            self.add(name, Ask::new(name, target).by(&root).json(body));
        }
    }
}

/// Somebody of a tenant that does not work now, and a tenant that is being deleted.
fn outcasts(world: &World, root: &str) -> (String, Tenant) {
    let (idle, deleted) = (world.tenant("+15005550071"), world.tenant("+15005550072"));
    world.user(&idle.id, "idler@example.com", "tenant_admin");
    let suspended = world.login("idler@example.com");
    let suspend = format!("/api/v1/tenants/{}/suspend", idle.id);
    assert_eq!(world.request(Method::POST, &suspend, Some(root), None).status, 204);
    let (delete, name) = (format!("/api/v1/tenants/{}", deleted.id), json!({"name": "Bella & Sons"}));
    assert_eq!(world.request(Method::DELETE, &delete, Some(root), Some(&name)).status, 202);
    (suspended, deleted)
}

fn made(world: &World, target: &str, credentials: &str, body: &Value) -> Value {
    let reply = world.request(Method::POST, target, Some(credentials), Some(body));
    assert_eq!(reply.status, 201, "{target}: {}", reply.body);
    reply.json()
}
